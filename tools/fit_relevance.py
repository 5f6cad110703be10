"""Fits the weights by which search tells which lines a question asks for (`stages/recall/relevance.py`), and prints how well they do.

    python -m tools.fit_relevance --data ../shared/data/qmsum [--config configs/replay.yaml] [--vectors FILE] [--out FILE]

The tuning half of QMSum's meetings alone is heard, each in a memory of its own and all in one, and every question is asked in both. A
conditional logit (McFadden 1974): the chance that one of the right lines is the one that is picked among the candidates, with a Gaussian
prior, and no weight below 0. Printed is what comes of each group of series with weights of the other groups, beside the weights that the
encoder has now. The new ones are kept for the graph's encoder (`stages/recall/encoder_fits.py`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stages.memory.rows import LineRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.diversity import spread_out
from stages.recall.encoder_fits import RelevanceFit, query_file, relevance_file, relevance_fit
from stages.recall.relevance import FEATURES, features
from stages.recall.search import Searcher
from tools.recall_meetings import KeepingEncoder, encoder_of, heard, read
from tools.recall_meetings_data import Meeting, MeetingQuestion, read_meetings, tuning_half
from tools.recall_meetings_score import NAMES, Scores, Turn, mean, score

FOLDS = 8
_PRIOR = 10.0
_SAME = 1e-6
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """The candidates of a question: `features` of shape (lines, len(FEATURES)), and which conversation each line, by id, belongs to."""

    meeting: Meeting
    question: MeetingQuestion
    lines: tuple[LineRow, ...]
    turns: Mapping[str, Turn]
    talks: Mapping[str, int]
    features: _Floats

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which lines stand in a relevant span, shape (lines,)."""
        turns = [self.turns[line.id] for line in self.lines]
        return np.array([name == self.meeting.name and place in self.question.relevant for name, place in turns], dtype=np.bool_)

    def scores(self, weights: _Floats) -> Scores:
        """How well weights rank the lines, as `Searcher` puts them in order."""
        logits = dict(zip((line.id for line in self.lines), (self.features @ weights).tolist(), strict=True))
        ranked = spread_out(self.lines, logits, self.talks)
        return score([self.turns[line.id] for line in ranked], self.meeting.name, self.question.relevant)


def examples_of(meetings: Sequence[Meeting], encoder: TextEncoder) -> Iterator[Example]:
    """An example for every question about meetings that one memory has heard."""
    with heard(meetings, encoder) as (memory, turn_of):
        searcher = Searcher(memory, encoder, None)
        for meeting in meetings:
            for question in meeting.questions:
                topic, gist, scope = read(question.text, memory)
                candidates = searcher.candidates(topic, gist, scope)
                lines = candidates.lines
                allowed = [place for place, line in enumerate(lines) if scope.allows(line)]
                yield Example(
                    meeting,
                    question,
                    tuple(lines[place] for place in allowed),
                    {line.id: turn_of[line.session, line.start_ns] for line in lines},
                    {line.id: number for number, talk in enumerate(candidates.chains) for line in talk},
                    features(candidates)[allowed].astype(np.float64),
                )


def fitted(examples: Sequence[Example]) -> _Floats:
    """The weights, float64, shape (len(FEATURES),), under which the right lines of examples are likeliest."""
    from scipy.optimize import minimize

    told = [(example.features, right) for example in examples if (right := example.right).any()]
    # A feature may differ between questions as it likes: what tells is how it differs among the lines of one.
    spread = np.sqrt(np.mean([rows.var(axis=0) for rows, _ in told], axis=0))
    spread[spread < _SAME] = 1.0
    scaled = [((rows - rows.mean(axis=0)) / spread, right) for rows, right in told]

    def loss(weights: _Floats) -> tuple[float, _Floats]:
        total, slope = 0.5 * _PRIOR * float(weights @ weights), _PRIOR * weights
        for rows, right in scaled:
            logits = rows @ weights
            likely = np.exp(logits - logits.max())
            right_likely = likely * right
            total += float(np.log(likely.sum()) - np.log(right_likely.sum()))
            slope = slope + (likely / likely.sum() - right_likely / right_likely.sum()) @ rows
        return total, slope

    start = np.full(len(spread), 0.1)
    found: _Floats = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(spread)).x / spread
    return found


def folds(meetings: Sequence[Meeting], n: int = FOLDS) -> list[frozenset[str]]:
    """The series of meetings in groups."""
    series = sorted({meeting.series for meeting in meetings})
    return [frozenset(series[first::n]) for first in range(min(n, len(series)))]


def report(settings: Mapping[str, Sequence[Example]], now: _Floats) -> str:
    """What comes of series that weights weren't fitted on, and of the weights that there are now, as Markdown."""
    examples = [example for part in settings.values() for example in part]
    groups = folds([example.meeting for example in examples])
    weights = [fitted([example for example in examples if example.meeting.series not in group]) for group in groups]
    lines = [f"| | weights | {' | '.join(NAMES)} |", f"|---|---|{'---:|' * len(NAMES)}"]
    for name, part in settings.items():
        others = [
            example.scores(own) for group, own in zip(groups, weights, strict=True) for example in part if example.meeting.series in group
        ]
        for whose, scores in (("as they are", [example.scores(now) for example in part]), ("of other series", others)):
            lines.append(f"| {name} | {whose} | {' | '.join(f'{value:.3f}' for value in mean(scores))} |")
    return "\n".join(lines)


def main() -> None:
    """Parse options, hear, fit, print how well, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of QMSum's meetings, one JSON file each")
    parser.add_argument("--config", default="configs/replay.yaml", help="the config whose text encoder is used")
    parser.add_argument("--vectors", type=Path, help="an .npz file to keep vectors of texts in, so that a second run is faster")
    parser.add_argument("--out", type=Path, help="the file of weights; default: that of the graph's encoder")
    options = parser.parse_args()
    if query_file(encoder_of(options.config).name).is_file():
        parser.error(f"{options.config}: its encoder has a query adapter, which its weights were learnt with; use tools.fit_query_adapter")
    meetings = read_meetings(options.data)
    tuning = tuning_half(meetings)
    meetings = [meeting for meeting in meetings if meeting.name in tuning]
    with KeepingEncoder(encoder_of(options.config)).keeping(options.vectors) as encoder:
        settings = {
            "per meeting": [example for meeting in meetings for example in examples_of([meeting], encoder)],
            "one memory": list(examples_of(meetings, encoder)),
        }
        out = options.out or relevance_file(encoder.name)
        now = relevance_fit(encoder.name).weights.astype(np.float64)
    sys.stdout.write(f"{len(settings['one memory'])} questions about {len(meetings)} meetings.\n\n{report(settings, now)}\n")
    weights = fitted([example for part in settings.values() for example in part])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(RelevanceFit(FEATURES, weights.astype(np.float32)).to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
