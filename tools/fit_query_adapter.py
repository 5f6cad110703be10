"""Learn to move a question's vector to where the lines lie that answer it (`stages/recall/query_adapter.py`).

    python -m tools.fit_query_adapter --data ../shared/data/qmsum [--config configs/replay.yaml] [--vectors FILE] [--rooms 150]
        [--first-seed 30000]

Learnt from the tuning half of QMSum's meetings, with its own questions and those of tools/meeting_questions, and from rooms on the topics
of tools/fit_scripts that are not in `left_out.txt`, whose questions ask for facts and topics in short lines. A conditional logit (McFadden
1974): the chance that one of the right lines is the one that is picked among the candidates. What search weighs (`relevance.py`) is learnt
with it, from the first encoder's weights on. Printed is what comes of QMSum's own questions when their series is left out, and of rooms on
the topics of `left_out.txt`. Both are kept for the graph's encoder (`encoder_fits.py`).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.text_encoder import TextEncoder
from stages.recall.encoder_fits import FIRST, RelevanceFit, SearchFit, query_file, relevance_file, relevance_fit
from stages.recall.query_adapter import QueryAdapter
from stages.recall.relevance import FEATURES, MEANT
from tools.fit_relevance import folds
from tools.query_examples import QueryExample, from_meetings, from_rooms
from tools.recall_meetings import KeepingEncoder, encoder_of
from tools.recall_meetings_data import Meeting, read_meetings, tuning_half, with_questions_of
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import FITTED, left_out, topics

QUESTIONS = Path(__file__).with_name("meeting_questions")
_RANK = 16
_ROUNDS = 5
_BATCH = 16
_RATE = 1e-3
_DECAY = 0.1
_RATE_OF_WEIGHTS = 0.02
_FOLDS = 4
_ROOMS_LEFT = 60
_AMONG = 5
_MEANT = [FEATURES.index(name) for name in MEANT]
_OF_SESSION = [place for place, name in enumerate(FEATURES) if name.endswith("of session")]


def learnt(
    examples: Sequence[QueryExample], start: Float32Array, rank: int = _RANK, rounds: int = _ROUNDS, rate: float = _RATE
) -> SearchFit:
    """The map and the weights under which the right lines of examples are likeliest, by AdamW. The same for the same examples.

    `start` are the weights to begin with. What is learnt is brought to the sum that these have for meanings: whoever reads the scores of
    lines (`fact_features.py`, `diversity.py`) knows them on this scale.
    """
    import torch

    told = [example for example in examples if example.right.any()]
    torch.manual_seed(0)
    draw = random.Random(0)
    dimension = len(told[0].meaning)
    down = torch.nn.Parameter(torch.randn(rank, dimension) / dimension**0.5)
    up, shift = torch.nn.Parameter(torch.zeros(dimension, rank)), torch.nn.Parameter(torch.zeros(dimension))
    weights = torch.nn.Parameter(torch.from_numpy(start.copy()))
    of_map = {"params": [down, up, shift], "weight_decay": _DECAY, "lr": rate}
    optimiser = torch.optim.AdamW([of_map, {"params": [weights], "weight_decay": 0.0, "lr": _RATE_OF_WEIGHTS}])
    n_steps = rounds * -(-len(told) // _BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: max(0.02, 1.0 - step / n_steps))

    def loss_of(example: QueryExample) -> torch.Tensor:
        meaning = torch.from_numpy(example.meaning)
        moved = meaning + up @ (down @ meaning) + shift
        weighed = weights.clamp(min=0.0)
        logits = torch.from_numpy(example.rest) @ weighed
        for place, window in zip(_MEANT, example.windows, strict=True):
            logits = logits + weighed[place] * (torch.from_numpy(window[example.places]) @ (moved / moved.norm()))
        return torch.logsumexp(logits, 0) - torch.logsumexp(logits[torch.from_numpy(example.right)], 0)

    for _ in range(rounds):
        draw.shuffle(told)
        for first in range(0, len(told), _BATCH):
            loss = torch.stack([loss_of(example) for example in told[first : first + _BATCH]]).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch gives it no types
            optimiser.step()
            schedule.step()
    parts = (part.detach().numpy().astype(np.float16).astype(np.float32) for part in (down, up, shift))
    found = weights.detach().clamp(min=0.0).numpy()
    found = found * start[_MEANT].sum() / found[_MEANT].sum()
    # One memory of a meeting or a room is one session, so that nothing is learnt of these.
    found[_OF_SESSION] = start[_OF_SESSION]
    return SearchFit(QueryAdapter(*parts), RelevanceFit(FEATURES, found.astype(np.float32)))


def asked_of_meetings(meetings: Sequence[Meeting], encoder: TextEncoder) -> tuple[list[QueryExample], list[QueryExample]]:
    """QMSum's own questions to meetings of the tuning half, and those that were written for them."""
    written = [with_questions_of(meeting, QUESTIONS) for meeting in meetings]
    return list(from_meetings(meetings, encoder)), list(from_meetings(written, encoder))


def asked_of_rooms(config: Path, seeds: Sequence[int], *, on_left_out: bool = False) -> list[QueryExample]:
    """Questions to rooms on the topics that are learnt from, or on those of `left_out.txt`."""
    known = [topic for topic in topics(FITTED) if (topic.name in left_out()) == on_left_out]
    with tempfile.TemporaryDirectory() as folder, RecallOfRooms(config) as recalls:
        return list(from_rooms(recalls, known, seeds, Path(folder)))


def learnt_without(
    meetings: Sequence[Meeting], asked: Sequence[QueryExample], rooms: Sequence[QueryExample], start: Float32Array
) -> Iterator[tuple[frozenset[str], SearchFit]]:
    """Each group of the series of meetings, and what is learnt from rooms and what was asked of the others."""
    for group in folds(meetings, _FOLDS):
        yield group, learnt([*(example for example in asked if example.group not in group), *rooms], start)


def place_of_first(example: QueryExample, meaning: Float32Array, weights: Float32Array) -> float:
    """The place of the first right line, from 1, in the order of scores; infinite where none is a candidate."""
    scores = example.rest @ weights
    for place, window in zip(_MEANT, example.windows, strict=True):
        scores = scores + weights[place] * (window[example.places] @ meaning)
    ranked = np.flatnonzero(example.right[np.argsort(-scores, kind="stable")])
    return float(ranked[0] + 1) if len(ranked) else np.inf


def table(places: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> str:
    """What comes of questions without a map and with one, by name, as Markdown."""
    rows = [f"| questions | | first | among the first {_AMONG} | MRR |", "|---|---:|---:|---:|---:|"]
    for name, (without, moved) in places.items():
        for whose, found in (("as they are", without), ("moved", moved)):
            at = np.array(found)
            rows.append(f"| {name}, {whose} | {len(at)} | {np.mean(at == 1):.3f} | {np.mean(at <= _AMONG):.3f} | {np.mean(1 / at):.3f} |")
    return "\n".join(rows)


def main() -> None:
    """Parse options, hear, learn, print how well, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of QMSum's meetings, one JSON file each")
    parser.add_argument("--config", type=Path, default=Path("configs/replay.yaml"))
    parser.add_argument("--vectors", type=Path, help="an .npz file to keep vectors of texts in, so that a second run is faster")
    parser.add_argument("--rooms", type=int, default=150)
    parser.add_argument("--first-seed", type=int, default=30_000)
    options = parser.parse_args()
    if encoder_of(str(options.config)).name == FIRST:
        parser.error(f"{options.config}: {FIRST}'s weights are those of encoders without any, which have no adapter; give another graph")
    meetings = read_meetings(options.data)
    tuning = tuning_half(meetings)
    meetings = [meeting for meeting in meetings if meeting.name in tuning]
    with KeepingEncoder(encoder_of(str(options.config))).keeping(options.vectors) as encoder:
        own, written = asked_of_meetings(meetings, encoder)
        name = encoder.name
    seeds = range(options.first_seed, options.first_seed + options.rooms)
    rooms = asked_of_rooms(options.config, seeds)
    left = asked_of_rooms(options.config, range(seeds.stop, seeds.stop + _ROOMS_LEFT), on_left_out=True)
    start = relevance_fit(FIRST).weights
    everything = learnt([*own, *written, *rooms], start)
    found: dict[str, tuple[list[float], list[float]]] = {}

    def tried(kind: str, example: QueryExample, fit: SearchFit) -> None:
        without, moved = found.setdefault(kind, ([], []))
        without.append(place_of_first(example, example.meaning, start))
        moved.append(place_of_first(example, fit.moved(example.meaning), fit.relevance.weights))

    for group, without_group in learnt_without(meetings, [*own, *written], rooms, start):
        for example in own:
            if example.group in group:
                tried("QMSum's own, series left out", example, without_group)
    for example in left:
        tried(f"rooms, topics left out: {example.kind}", example, everything)
    sys.stdout.write(f"{len(own) + len(written)} questions to meetings and {len(rooms)} to rooms.\n\n{table(found)}\n")
    query_file(name).parent.mkdir(parents=True, exist_ok=True)
    if everything.adapter is not None:
        everything.adapter.write(query_file(name))
    relevance_file(name).write_text(everything.relevance.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
