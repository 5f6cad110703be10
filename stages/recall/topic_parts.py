"""Where a conversation goes over to another topic, told when all of it is known: of all ways to cut it, the best one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array

LEAST_LINES = 3
_MOST_LINES = 128
_COST = 1.5
_COST_AT_EVENT = 1.35
_CENTRE_PRIOR_LINES = 10.0
_FULL_LINE_WORDS = 10
_LEAST_WEIGHT = 0.02

_Floats = npt.NDArray[np.float64]


def weights_of(texts: Sequence[str]) -> _Floats:
    """How much each line counts: by its words, at most ten. Float64, shape (n,), over 0 to about 1."""
    return np.array([min(len(text.split()), _FULL_LINE_WORDS) / _FULL_LINE_WORDS + _LEAST_WEIGHT for text in texts], dtype=np.float64)


def centre_of(vectors: Float32Array, weights: _Floats) -> _Floats:
    """What all lines have in common, float64, shape (dimension,): their weighted mean, nearer to 0 the fewer they are."""
    return np.asarray(weights @ vectors.astype(np.float64) / (weights.sum() + _CENTRE_PRIOR_LINES), dtype=np.float64)


def centred(vectors: Float32Array, centre: _Floats) -> _Floats:
    """Each vector less what all have in common: unit vectors (0 where a vector has faded), float64, shape (n, dimension)."""
    own = np.where(vectors.any(axis=1, keepdims=True), vectors.astype(np.float64) - centre, 0.0)
    return np.asarray(own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-9), dtype=np.float64)


def topic_starts(vectors: Float32Array, weights: _Floats, centre: _Floats, events: Sequence[int] = ()) -> list[int]:
    """The places of the lines at which another topic begins, in order, the first line apart.

    `vectors` are those of a conversation's lines, shape (n, dimension), in their order. Of all cuts into parts of 3 to 128 lines the one
    with the greatest sum of the lengths of the parts' vector sums, less 1.5 for each part (1.35
    where `events`, places of lines, say that an event began there), found by dynamic programming in O(128 n)
    (content vector segmentation: Alemi and Ginsparg 2015, arXiv 1503.05543).
    """
    n_lines = len(vectors)
    if n_lines < 2 * LEAST_LINES:
        return []
    units = centred(vectors, centre) * weights[:, None]
    sums = np.vstack([np.zeros(units.shape[1]), np.cumsum(units, axis=0)])
    squares = np.einsum("ij,ij->i", sums, sums)
    best = np.full(n_lines + 1, -np.inf)
    best[0] = 0.0
    came_from = np.zeros(n_lines + 1, dtype=np.int64)
    costs = np.full(n_lines + 1, _COST)
    costs[list(events)] = _COST_AT_EVENT
    for block in range(LEAST_LINES, n_lines + 1, _MOST_LINES):
        last = min(block + _MOST_LINES, n_lines + 1)
        first = max(0, block - _MOST_LINES)
        begins, ends = slice(first, last - LEAST_LINES), slice(block, last)
        lengths = np.sqrt(np.maximum(squares[ends, None] + squares[begins] - 2.0 * sums[ends] @ sums[begins].T, 0.0))
        for end, row in zip(range(block, last), lengths, strict=True):
            begin, stop = max(0, end - _MOST_LINES), end - LEAST_LINES + 1
            gains = best[begin:stop] + row[begin - first : stop - first] - costs[begin:stop]
            place = int(gains.argmax())
            best[end], came_from[end] = gains[place], begin + place
    starts = []
    place = int(came_from[n_lines])
    while place > 0:
        starts.append(place)
        place = int(came_from[place])
    return starts[::-1]
