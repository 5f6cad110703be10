"""Fits the weights of `stages/recall/topic_support.py` on generated rooms, and prints how well they do on topics not fitted on.

    python -m tools.fit_topic_support [--rooms 200] [--first-seed 2000] [--config configs/replay.yaml] [--out FILE]

Every room is asked about each topic of tools/recall_scripts by both of its names, whether it was talked about there or not, and about what
somebody said of the topics that were. An example is the stretch of a talk that is nearest to the asked topic; it is right where its line
belongs to that topic. A logistic regression by Newton's method, with a Gaussian prior; the intercept is then moved so that of the topics
that nobody talked about, one in twenty passes. They are kept, in the features' own units, for the graph's encoder
(`stages/recall/encoder_fits.py`).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.conversations import GOOD_PART, conversations
from stages.recall.encoder_fits import TopicFit, topic_file
from stages.recall.topic_support import FEATURES, judged, phrase, topic_of
from tools.recall_rooms import Room, made_room, written
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import FITTED, topics

FOLDS = 6
_PRIOR = 3.0
_FALSE = 0.05
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """The stretch of one talk that is nearest to an asked topic. `question` numbers the questions, `kind` is 0 or 1 for a topic's names."""

    question: int
    topic: str
    kind: int
    of_speaker: bool
    features: _Floats
    right: bool
    answerable: bool


def asked(room: Room) -> Iterator[tuple[str, int, str | None, str]]:
    """The topic, which of its names, who is asked about (None: anybody), and the name."""
    rng = random.Random(room.seed)
    here = [topic for part in room.topics for topic in part]
    senses = {topic.sense for topic in here if topic.sense}
    for topic in room.known:
        if topic not in here and topic.sense in senses:
            continue
        for kind, name in enumerate(topic.about):
            yield topic.name, kind, None, name
            for members in room.conversations if topic in here else ():
                yield topic.name, kind, rng.choice(list(members)), name


def fitted(features: _Floats, right: npt.NDArray[np.bool_]) -> _Floats:
    """Intercept and weights, float64, shape (1 + features,), of features, shape (examples, features)."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    scaled = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    weights = np.zeros(scaled.shape[1])
    prior = np.diag([1e-6, *[_PRIOR] * features.shape[1]])
    for _ in range(50):
        likely = 1.0 / (1.0 + np.exp(-scaled @ weights))
        step = np.linalg.solve(
            (scaled * (likely * (1.0 - likely))[:, None]).T @ scaled + prior, scaled.T @ (likely - right) + prior @ weights
        )
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    own = weights[1:] / spread
    return np.array([weights[0] - own @ mean, *own])


def logits(weights: _Floats, features: _Floats) -> _Floats:
    """What weights make of features, float64, shape (examples,)."""
    found: _Floats = features @ weights[1:] + weights[0]
    return found


def level(weights: _Floats, examples: Sequence[Example]) -> float:
    """The logit that one in twenty of the topics passes that nobody talked about."""
    best: dict[int, float] = {}
    for example, logit in zip(examples, logits(weights, np.stack([example.features for example in examples])), strict=True):
        if not example.answerable and not example.of_speaker and example.kind == 0:
            best[example.question] = max(best.get(example.question, -np.inf), float(logit))
    return float(np.quantile(list(best.values()), 1.0 - _FALSE))


def rates(weights: _Floats, moved: float, examples: Sequence[Example]) -> dict[tuple[str, str], tuple[int, int]]:
    """Of questions that can be answered how many are, rightly; of the others how many are, wrongly: counts by kind."""
    best: dict[int, tuple[float, Example]] = {}
    for example, logit in zip(examples, logits(weights, np.stack([example.features for example in examples])), strict=True):
        if example.question not in best or logit > best[example.question][0]:
            best[example.question] = (float(logit), example)
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for logit, example in best.values():
        kind = f"{'what a talker said' if example.of_speaker else 'who talked'}, {('name', 'other words')[example.kind]}"
        key = (kind, "right" if example.answerable else "false")
        n_hit, n = found.get(key, (0, 0))
        found[key] = (n_hit + (logit > moved and (example.right or not example.answerable)), n + 1)
    return found


def examples_of(
    room: Room, lines: Sequence[LineRow], vectors: Mapping[str, Float32Array], names: Mapping[str, Float32Array]
) -> list[Example]:
    """The examples of one room.

    `vectors` are those of its lines by id, `names` those of the names of all topics, float32, shape (dimension,).
    """
    talks = conversations(lines, GOOD_PART)
    own = [np.stack([vectors[line.id] for line in talk]) for talk in talks]
    about = {line.id: topic_of_line(line, room) for line in lines}
    found = []
    for number, (topic, kind, speaker, name) in enumerate(asked(room)):
        for stretch in judged(topic_of(name, names[name]), talks, own):
            peak = stretch.peak([speaker in {None, speaker_of(line)} for line in stretch.lines])
            if peak is not None:
                heard = {line.speaker for line in room.of_topic(topic)}
                can = bool(heard) and (speaker is None or speaker in heard)
                right = about[stretch.lines[peak].id] == topic
                features = stretch.features[peak].astype(np.float64)
                found.append(Example(1000 * room.seed + number, topic, kind, speaker is not None, features, right, can))
    return found


def topic_of_line(line: LineRow, room: Room) -> str:
    """The topic of the line of a room that has a text, of those with this text the one that starts nearest to it."""
    return min(room.said, key=lambda said: (said.text != line.text, abs(said.start_s - line.start_ns / NS_PER_S))).topic


def gathered(rooms: Iterable[Room], recalls: RecallOfRooms) -> Iterator[Example]:
    """The examples of some rooms, each imported into a memory of its own."""
    names: dict[str, Float32Array] = {}
    with tempfile.TemporaryDirectory() as folder:
        for room in rooms:
            with recalls.of_room(room, written(room, Path(folder))) as (_, memory):
                lines = memory.lines(memory.sessions()[0].id, words=False)
                vectors = dict(zip((line.id for line in lines), memory.vectors([line.id for line in lines]), strict=True))
            for name in (name for topic in room.known for name in topic.about if name not in names):
                names[name] = recalls.encoder.encode([phrase(name)])[0]
            yield from examples_of(room, lines, vectors, names)


def fit_of(examples: Sequence[Example]) -> TopicFit:
    """The weights from all examples, rounded."""
    weights = fitted(np.stack([example.features for example in examples]), np.array([example.right for example in examples]))
    weights[0] -= level(weights, examples)
    return TopicFit(FEATURES, tuple(round(float(weight), 2) for weight in weights[1:]), round(float(weights[0]), 2))


def report(examples: Sequence[Example]) -> str:
    """How weights do that were fitted without the topics that they are tried on."""
    names = sorted({example.topic for example in examples})
    random.Random(0).shuffle(names)
    totals: dict[tuple[str, str], list[int]] = {}
    for fold in range(FOLDS):
        held = set(names[fold::FOLDS])
        seen = [example for example in examples if example.topic not in held]
        weights = fitted(np.stack([example.features for example in seen]), np.array([example.right for example in seen]))
        tried = rates(weights, level(weights, seen), [example for example in examples if example.topic in held])
        for key, (n_hit, n) in tried.items():
            total = totals.setdefault(key, [0, 0])
            total[0] += n_hit
            total[1] += n
    rows = [f"{kind}: {what} {n_hit} of {n} ({n_hit / n:.3f})" for (kind, what), (n_hit, n) in sorted(totals.items())]
    return "\n".join([f"{len(examples)} stretches. On topics not fitted on:", *rows])


def main() -> None:
    """Parse options, fit, print how well, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=2000)
    parser.add_argument("--config", type=Path, default=Path("configs/replay.yaml"))
    parser.add_argument("--out", type=Path, help="the file of weights; default: that of the graph's encoder")
    options = parser.parse_args()
    rooms = (made_room(seed, known=topics(FITTED)) for seed in range(options.first_seed, options.first_seed + options.rooms))
    with RecallOfRooms(options.config) as recalls:
        examples = list(gathered(rooms, recalls))
        out = options.out or topic_file(recalls.encoder.name)
    sys.stdout.write(report(examples) + "\n")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(fit_of(examples).to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
