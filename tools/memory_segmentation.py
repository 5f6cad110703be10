"""How well talks are cut where people say that their topic changes, as Markdown: the segmentation part of `make bench-memory`.

    python -m tools.memory_segmentation --data DATA --cache FOLDER

`DATA` holds qmsum/ and tiage/; the vectors of their lines are computed once and kept in `FOLDER`. Whatever can be tuned is tuned on
the tuning part only, by the goal's F1 among what makes 0.7 to 1.4 boundaries for a true one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.events.talk_profile import parse_profile, talk_profile
from stages.events.topic_signals import SIGNALS
from stages.memory.minilm_onnx import MinilmOnnx
from tools import memory_segmentation_methods as methods
from tools.memory_segmentation_methods import Method
from tools.memory_segmentation_score import Score, score_of
from tools.memory_segmentation_talks import Talk, qmsum, some, tiage, vectors_of
from tools.memory_segmentation_weights import CHAT, MEETING, Kind, fitted, signals_of

_SEEDS = range(10)
_LEAST_MADE, _MOST_MADE = 0.7, 1.4
GROUPS = {
    "one line against those before": ("kernel", "slow_kernel", "before", "two_before", "own"),
    "the lines that follow": ("after", "across"),
    "windows on two time scales": ("windows", "past", "past_evidence"),
    "who talks": ("company", "slow_company"),
    "length of lines": ("length", "length_before", "length_after"),
    "questions and answers": ("question", "answer"),
    "openers, references back": ("opener", "refers_back", "goes_on", "address"),
}


@dataclass(frozen=True)
class Part:
    """Talks of one part of a data set with their vectors; `is_near` says which F1 is its goal's."""

    talks: list[Talk]
    vectors: list[Float32Array]
    is_near: bool

    def score(self, method: Method) -> Score:
        """How well a method cuts them."""
        return score_of([talk.begins for talk in self.talks], method(self.talks, self.vectors))

    def goal(self, score: Score) -> float:
        """The F1 that is asked for."""
        return score.f1_near if self.is_near else score.f1


def part_of(name: str, talks: Sequence[Talk], vectors: Sequence[Float32Array], *, is_near: bool) -> Part:
    """The talks of one part."""
    chosen = [place for place, talk in enumerate(talks) if talk.part == name]
    return Part([talks[place] for place in chosen], [vectors[place] for place in chosen], is_near)


def tuned(part: Part, choices: Iterable[tuple[str, Method]]) -> tuple[str, Method]:
    """The choice of the best goal's F1 on a tuning part among those that make a fit number of boundaries (or else, of all)."""
    scored = [(part.score(method), name, method) for name, method in choices]
    fit = [row for row in scored if _LEAST_MADE <= row[0].made_per_true <= _MOST_MADE] or scored
    _, name, method = max(fit, key=lambda row: part.goal(row[0]))
    return name, method


def measured(title: str, kind: Kind, talks: list[Talk], vectors: list[Float32Array], *, is_near: bool) -> list[str]:
    """The tables of one data set, as lines of Markdown."""
    tuning, held_out = (part_of(name, talks, vectors, is_near=is_near) for name in ("tuning", "held out"))
    profile = talk_profile("meeting" if is_near else "chat")
    min_lines = profile.min_lines if is_near else 1
    blocks, gammas = ((8, 16, 32), (1.0, 1.5, 2.0, 2.5, 3.0)) if is_near else ((1, 2, 3), (-0.5, 0.0, 0.5, 1.0))
    tiling = tuned(tuning, ((f"TextTiling, {b} lines, gamma {g}", methods.text_tiling(b, g)) for b in blocks for g in gammas))
    online_tiling = tuned(tuning, ((f"TextTiling, {b} lines, gamma {g}", methods.depth(b, g, min_lines)) for b in blocks for g in gammas))
    lasts = 100.0 if is_near else 5.0
    points = tuned(
        tuning,
        (
            (f"change points, kappa {k}, P > {p}", methods.change_points(k, lasts, profile.n_around, p, min_lines))
            for k in (20.0, 50.0, 100.0)
            for p in (0.3, 0.7, 0.95)
        ),
    )
    ours = methods.surprise(profile, profile.gamma, min_lines)
    rows: list[tuple[str, str, Method]] = [
        ("no boundaries", "-", methods.none),
        ("even, true number", "offline", methods.even),
        ("even, true number, refined", "offline", methods.refined(methods.even, profile.n_moves)),
        (tiling[0], "offline", tiling[1]),
        (f"{tiling[0]}, refined", "offline", methods.refined(tiling[1], profile.n_moves)),
        (online_tiling[0], "online", online_tiling[1]),
        (points[0], "online", points[1]),
        ("surprise, not refined", "online", methods.surprise(profile, profile.gamma, min_lines, refined=False)),
        (f"**surprise ({kind.name})**", f"online, {profile.n_around} lines", ours),
    ]
    lines = [f"### {title}", ""]
    for name, part in (("tuning", tuning), ("held out", held_out)):
        n_true = sum(int(talk.begins.sum()) for talk in part.talks)
        lines += [f"{name}: {len(part.talks)} talks, {sum(len(talk.texts) for talk in part.talks)} lines, {n_true} boundaries", "", *_HEAD]
        chance = [methods.at_random(seed) for seed in _SEEDS]
        moved = [methods.refined(method, profile.n_moves) for method in chance]
        for label, several in (("random, true number", chance), ("random, true number, refined", moved)):
            lines.append(_row(f"{label} ({len(several)} seeds)", "offline", _mean([part.score(method) for method in several])))
        lines += [_row(label, where, part.score(method)) for label, where, method in rows]
        lines.append("")
    return [*lines, *ablation(kind, tuning, held_out, min_lines)]


def ablation(kind: Kind, tuning: Part, held_out: Part, min_lines: int) -> list[str]:
    """What each group of signals adds: learnt anew without it, and with nothing else, at as many boundaries as with all."""
    each = [signals_of(talk, vectors, kind) for talk, vectors in zip(tuning.talks, tuning.vectors, strict=True)]
    begins = np.concatenate([talk.begins[1:] for talk in tuning.talks])
    cases = [("all", frozenset[str]())]
    for name, group in GROUPS.items():
        cases += [(f"without {name}", frozenset(group)), (f"only {name}", frozenset(SIGNALS) - frozenset(group))]
    lines = ["| signals | held out: Pk | F1 of the goal | made per true | tuning: Pk | F1 of the goal |", "|---|---|---|---|---|---|"]
    for name, missing in cases:
        profile = parse_profile({kind.name: fitted(kind, np.vstack(each), begins, missing)}, kind.name)
        peaks = np.sort(np.concatenate([_peaks(np.array([profile.log_odds(row) for row in rows]), min_lines) for rows in each]))
        threshold = float(peaks[max(0, len(peaks) - int(begins.sum()))])
        method = methods.surprise(profile, (threshold - profile.usual_nats) / profile.deviation_nats, min_lines)
        held, tune = held_out.score(method), tuning.score(method)
        lines.append(
            f"| {name} | {held.pk:.3f} | {held_out.goal(held):.3f} | {held.made_per_true:.2f} | {tune.pk:.3f} | {tuning.goal(tune):.3f} |"
        )
    return [*lines, ""]


def _peaks(odds: npt.NDArray[np.float64], distance: int) -> npt.NDArray[np.float64]:
    """The odds that none within so many lines exceed."""
    padded = np.pad(odds, distance, constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * distance + 1)
    peaks: npt.NDArray[np.float64] = odds[odds >= around.max(axis=1)]
    return peaks


_HEAD = ("| method | | Pk | WindowDiff | F1 exact | F1 within 2 | made per true |", "|---|---|---|---|---|---|---|")


def _row(label: str, where: str, score: Score) -> str:
    return (
        f"| {label} | {where} | {score.pk:.3f} | {score.window_diff:.3f} | {score.f1:.3f} | {score.f1_near:.3f}"
        f" | {score.made_per_true:.2f} |"
    )


def _mean(scores: list[Score]) -> Score:
    values = np.mean([[s.pk, s.window_diff, s.f1, s.f1_near, s.made_per_true] for s in scores], axis=0)
    return Score(*(float(value) for value in values))


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds qmsum/ and tiage/")
    parser.add_argument("--cache", type=Path, required=True, help="where vectors are kept between runs")
    parser.add_argument("--talks", type=int, default=0, help="so many talks of each part alone, to see that it works; 0: all")
    given = parser.parse_args()
    encoder = MinilmOnnx()
    for title, kind, talks, is_near in (
        ("TIAGE: chit-chat (goal: exact F1)", CHAT, tiage(given.data / "tiage"), False),
        ("QMSum: topics of meetings (goal: F1 within 2 lines)", MEETING, qmsum(given.data / "qmsum"), True),
    ):
        chosen = some(talks, given.talks)
        print("\n".join(measured(title, kind, chosen, vectors_of(chosen, encoder, given.cache), is_near=is_near)), flush=True)


if __name__ == "__main__":
    main()
