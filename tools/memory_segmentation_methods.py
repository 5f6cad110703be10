"""The ways of cutting a talk that are measured, beside Echoic's own: baselines, online methods, and the same refinement for all.

Each takes the talks of one part with their vectors and gives boundaries for each, bool, shape (n,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.packets import Float32Array
from stages.events.boundary_finder import BoundaryFinder
from stages.events.change_point_finder import ChangePointFinder
from stages.events.depth_finder import DepthFinder
from stages.events.modularity import best_split
from stages.events.surprise_finder import FinderSettings, SurpriseFinder
from stages.events.talk_profile import TalkProfile
from tools.memory_segmentation_score import Boundaries
from tools.memory_segmentation_talks import Talk
from tools.memory_segmentation_weights import spoken_lines

Method = Callable[[Sequence[Talk], Sequence[Float32Array]], list[Boundaries]]

_REFINED_LINES = 12


def by_finder(make: Callable[[], BoundaryFinder]) -> Method:
    """An online finder, a fresh one for each talk."""

    def found(talks: Sequence[Talk], vectors: Sequence[Float32Array]) -> list[Boundaries]:
        made = []
        for talk, rows in zip(talks, vectors, strict=True):
            finder, begins = make(), np.zeros(len(talk.texts), dtype=bool)
            boundaries = [entry for line in spoken_lines(talk, rows) for entry in finder.take(line)]
            begins[[entry.place for entry in (*boundaries, *finder.settle())]] = True
            made.append(begins)
        return made

    return found


def surprise(profile: TalkProfile, gamma: float, min_lines: int, *, refined: bool = True) -> Method:
    """Echoic's own method, with a profile; without refinement boundaries stay where the odds peak."""
    nats = profile.modularity_nats if refined else 0.0
    settings = FinderSettings(gamma, 100, profile.n_moves, profile.n_around, min_lines, nats)
    return by_finder(lambda: SurpriseFinder(settings, profile))


def depth(n_block: int, gamma: float, min_lines: int) -> Method:
    """TextTiling, online."""
    return by_finder(lambda: DepthFinder(n_block, n_block, gamma, min_lines))


def change_points(kappa: float, lasts_lines: float, n_around: int, least_probability: float, min_lines: int) -> Method:
    """Bayesian online change points."""
    return by_finder(lambda: ChangePointFinder(kappa, lasts_lines, n_around, least_probability, min_lines))


def none(talks: Sequence[Talk], vectors: Sequence[Float32Array]) -> list[Boundaries]:  # noqa: ARG001 - a Method
    """No boundaries."""
    return [np.zeros(len(talk.texts), dtype=bool) for talk in talks]


def even(talks: Sequence[Talk], vectors: Sequence[Float32Array]) -> list[Boundaries]:  # noqa: ARG001 - a Method
    """As many boundaries as a talk truly has, evenly spaced (so it knows how many, as nothing online can)."""
    made = none(talks, ())
    for talk, begins in zip(talks, made, strict=True):
        count = int(talk.begins.sum())
        begins[np.round(np.arange(1, count + 1) * len(begins) / (count + 1)).astype(int)] = True
        begins[0] = False
    return made


def at_random(seed: int) -> Method:
    """As many boundaries as a talk truly has, anywhere."""

    def found(talks: Sequence[Talk], vectors: Sequence[Float32Array]) -> list[Boundaries]:
        generator = np.random.default_rng(seed)
        made = none(talks, vectors)
        for talk, begins in zip(talks, made, strict=True):
            begins[1 + generator.permutation(len(begins) - 1)[: int(talk.begins.sum())]] = True
        return made

    return found


def text_tiling(n_block: int, gamma: float) -> Method:
    """TextTiling (Hearst 1997) as it was published, over the whole talk: depths above their mean plus `gamma` deviations."""

    def found(talks: Sequence[Talk], vectors: Sequence[Float32Array]) -> list[Boundaries]:  # noqa: ARG001 - a Method
        return [_tiled(rows, n_block, gamma) for rows in vectors]

    return found


def refined(method: Method, n_moves: int, n_around: int = _REFINED_LINES) -> Method:
    """What a method found, each boundary moved by up to `n_moves` lines to the modularity optimum among `n_around` on each side."""

    def found(talks: Sequence[Talk], vectors: Sequence[Float32Array]) -> list[Boundaries]:
        made = []
        for begins, rows in zip(method(talks, vectors), vectors, strict=True):
            moved = np.zeros_like(begins)
            for place in (int(entry) for entry in np.flatnonzero(begins)):
                begin, end = max(0, place - n_around), min(len(rows), place + n_around)
                split = best_split(list(rows[begin:end]), range(place - n_moves - begin, place + n_moves + 1 - begin))
                moved[place if split is None else begin + split] = True
            moved[0] = False
            made.append(moved)
        return made

    return found


def _tiled(rows: Float32Array, n_block: int, gamma: float) -> Boundaries:
    n_lines = len(rows)
    sums = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0, dtype=np.float64)])
    places = np.arange(1, n_lines)
    left = sums[places] - sums[np.maximum(0, places - n_block)]
    right = sums[np.minimum(n_lines, places + n_block)] - sums[places]
    scores = (left * right).sum(axis=1) / np.maximum(np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1), 1e-9)
    depths = np.zeros(len(scores))
    for place, score in enumerate(scores):
        for step in (-1, 1):
            top, at = score, place + step
            while 0 <= at < len(scores) and scores[at] >= top:
                top, at = scores[at], at + step
            depths[place] += top - score
    valley = np.ones(len(scores), dtype=bool)
    valley[1:] &= scores[1:] <= scores[:-1]
    valley[:-1] &= scores[:-1] <= scores[1:]
    begins = np.zeros(n_lines, dtype=bool)
    begins[1:] = valley & (depths > depths.mean() + gamma * depths.std())
    return begins
