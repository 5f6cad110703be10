"""Learns the profiles of `stages/events/talk_profiles.yaml` from the tuning parts of QMSum and TIAGE, and prints them.

    python -m tools.memory_segmentation_weights --data DATA --cache FOLDER > stages/events/talk_profiles.yaml

A logistic regression of "a topic begins here" on the normalised signals before each line, with a Gaussian prior on the weights,
by Newton's method: the weights are what one deviation of a signal is worth in nats of log odds.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.packets import NS_PER_S, Float32Array
from stages.events.spoken_line import SpokenLine
from stages.events.surprise_model import SurpriseModel
from stages.events.topic_signals import SIGNALS, TopicSignals
from stages.memory.minilm_onnx import MinilmOnnx
from tools.memory_segmentation_talks import Talk, qmsum, tiage, vectors_of

_LEAST, _MOST = -4.0, 6.0
_TURN_NS = 4 * NS_PER_S
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """What a profile is learnt with. `prior` is the variance of the prior on weights; the rest stands in `TalkProfile`."""

    name: str
    source: str
    licence: str
    n_near: int
    n_past: int
    n_around: int
    n_moves: int
    min_lines: int
    max_lines: int
    max_s: float
    gamma: float
    n_prior: int
    modularity_nats: float
    prior: float


CHAT = Kind("chat", "TIAGE (Xie et al. 2021), anno_train", "MIT", 2, 6, 3, 1, 3, 128, 300.0, 0.7, 500, 3.0, 0.1)
_QMSUM = "QMSum (Zhong et al. 2021), 40 meetings by the hash of their series"
MEETING = Kind("meeting", _QMSUM, "MIT", 8, 32, 12, 4, 8, 1024, 3600.0, 2.6, 2000, 3.0, 0.005)
# Spoken talk as in meetings, seen from near: for rooms whose events are to be a few lines long and known soon.
CONVERSATION = Kind("conversation", _QMSUM, "MIT", 2, 6, 3, 1, 3, 128, 300.0, 1.3, 20, 10.0, 0.005)


def spoken_lines(talk: Talk, vectors: Float32Array) -> list[SpokenLine]:
    """The lines of a talk as a segmenter takes them, at even times without pauses, since the sets have none. Keys are numbers."""
    return [
        SpokenLine(f"{place:06d}", talk.speakers[place], place * _TURN_NS, (place + 1) * _TURN_NS, talk.texts[place], vector)
        for place, vector in enumerate(vectors)
    ]


def signals_of(talk: Talk, vectors: Float32Array, kind: Kind) -> _Floats:
    """The signals before every line but the first, float64, shape (n - 1, len(SIGNALS)), as the segmenter sees them."""
    n_ahead = kind.n_around - kind.n_moves
    model, signals = SurpriseModel(), TopicSignals(vectors.shape[1], kind.n_near, kind.n_past, n_ahead)
    rows: list[_Floats] = []
    for line in spoken_lines(talk, vectors):
        surprise = model.take(line)
        signals.take(line, surprise.topic if surprise is not None else 0.0)
        if signals.n_lines > n_ahead:
            rows.append(signals.at(signals.n_lines - n_ahead))
    rows += [signals.at(place) for place in range(len(rows) + 1, len(talk.texts))]
    return np.array(rows)


def logistic(normal: _Floats, begins: npt.NDArray[np.bool_], prior: float) -> _Floats:
    """Weights and, last, the offset: float64, shape (n_signals + 1,). `normal` is float64, shape (n, n_signals)."""
    design = np.c_[normal, np.ones(len(normal))]
    precision = np.full(design.shape[1], 1.0 / prior)
    precision[-1] = 1e-6
    weights: _Floats = np.zeros(design.shape[1])
    for _ in range(30):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30.0, 30.0)))
        slope = design.T @ (chance - begins) + precision * weights
        bend = (design * (chance * (1.0 - chance))[:, None]).T @ design + np.diag(precision)
        step = np.linalg.solve(bend, slope)
        weights -= step
        if float(np.abs(step).max()) < 1e-9:
            break
    return weights


def learnt(kind: Kind, talks: list[Talk], vectors: list[Float32Array], without: frozenset[str] = frozenset()) -> dict[str, object]:
    """A profile as it stands in the YAML, learnt from the talks of the tuning part; signals in `without` weigh nothing."""
    parts = [(talk, signals_of(talk, rows, kind)) for talk, rows in zip(talks, vectors, strict=True) if talk.part == "tuning"]
    return fitted(kind, np.vstack([rows for _, rows in parts]), np.concatenate([talk.begins[1:] for talk, _ in parts]), without)


def fitted(kind: Kind, rows: _Floats, begins: npt.NDArray[np.bool_], without: frozenset[str] = frozenset()) -> dict[str, object]:
    """A profile from the signals before many lines and whether a topic begins there."""
    means, deviations = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3)
    normal = np.clip((rows - means) / deviations, _LEAST, _MOST)
    normal[:, [place for place, name in enumerate(SIGNALS) if name in without]] = 0.0
    weights = logistic(normal, begins, kind.prior)
    odds = normal @ weights[:-1] + weights[-1]
    return {
        "n_near": kind.n_near,
        "n_past": kind.n_past,
        "n_around": kind.n_around,
        "n_moves": kind.n_moves,
        "min_lines": kind.min_lines,
        "max_lines": kind.max_lines,
        "max_s": kind.max_s,
        "gamma": kind.gamma,
        "n_prior": kind.n_prior,
        "modularity_nats": kind.modularity_nats,
        "usual_nats": round(float(odds.mean()), 4),
        "deviation_nats": round(float(odds.std()), 4),
        "offset_nats": round(float(weights[-1]), 4),
        "signals": {
            name: [round(float(value), 4) for value in row]
            for name, row in zip(SIGNALS, zip(means, deviations, weights[:-1], strict=True), strict=True)
        },
    }


def as_yaml(kind: Kind, profile: dict[str, object]) -> str:
    """A profile as text, with where it comes from."""
    lines = [f"{kind.name}:", f"  # Learnt from {kind.source}; licence of the data: {kind.licence}."]
    lines += [f"  {name}: {value}" for name, value in profile.items() if name != "signals"]
    signals = profile["signals"]
    assert isinstance(signals, dict)
    return "\n".join([*lines, "  signals:", *(f"    {name}: {row}" for name, row in signals.items())])


def main() -> None:
    """Print the profiles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds qmsum/ and tiage/")
    parser.add_argument("--cache", type=Path, required=True, help="where vectors are kept between runs")
    given = parser.parse_args()
    print("# How likely a topic begins before a line, by kind of talk; made by tools/memory_segmentation_weights.py (licence Apache-2.0).")
    print("# Of each signal (stages/events/topic_signals.py): its mean, its deviation, and what one deviation is worth in nats.")
    encoder = MinilmOnnx()
    dialogues, meetings = tiage(given.data / "tiage"), qmsum(given.data / "qmsum")
    for kind, talks in ((CONVERSATION, meetings), (CHAT, dialogues), (MEETING, meetings)):
        print(as_yaml(kind, learnt(kind, talks, vectors_of(talks, encoder, given.cache))))


if __name__ == "__main__":
    main()
