"""Finds boundaries where likeness of what came before and what follows has a valley: TextTiling (Hearst 1997), online.

The gap before a line scores the cosine of the sums of `n_block` vectors on each side. Its depth is how far the scores rise on both
sides of it before they fall again. A boundary is where depth exceeds mu + gamma * sigma of the recent gaps; Hearst's cutoff is the mean
less half a deviation, of the whole text.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from stages.events.boundary_finder import Boundary, BoundaryFinder
from stages.events.spoken_line import SpokenLine

_CLIMBED_LINES = 20
_PRIOR_LINES = 8
_PRIOR_DEPTH = 0.15
_PRIOR_DEVIATION = 0.15


class DepthFinder(BoundaryFinder):
    """`n_block` lines on each side are compared, and the right slope is climbed for `n_climb` gaps; both delay a boundary."""

    def __init__(self, n_block: int, n_climb: int, gamma: float, min_lines: int, n_recent: int = 100) -> None:
        if n_block < 1 or n_climb < 1 or min_lines < 1 or n_recent < 1:
            raise ValueError(
                "depth segmentation: n_block, n_climb, min_lines and n_recent must be at least 1,"
                f" found {n_block}, {n_climb}, {min_lines} and {n_recent}"
            )
        self._n_block, self._n_climb, self._gamma, self._min_lines = n_block, n_climb, gamma, min_lines
        self.n_ahead = n_block + n_climb
        self._vectors: deque[np.ndarray[tuple[int], np.dtype[np.float64]]] = deque(maxlen=2 * n_block + n_climb + 1)
        # Likeness of the gaps that are scored, by place, and the depths of those that are judged.
        self._scores: deque[tuple[int, float]] = deque(maxlen=_CLIMBED_LINES + n_climb + 1)
        self._depths: deque[float] = deque(maxlen=n_recent)
        self._n_lines = 0
        self._n_scored = 1
        self._n_judged = 1
        self._begin = 0

    def take(self, line: SpokenLine) -> list[Boundary]:
        """The boundary that is known, now that this line is there."""
        self._vectors.append(line.vector.astype(np.float64))
        self._n_lines += 1
        return self._judged(self._n_lines - self._n_block, self._n_climb)

    def settle(self) -> list[Boundary]:
        """Judge the last gaps by the lines that there are."""
        return self._judged(self._n_lines - 1, 0)

    def began(self, place: int) -> None:
        """A stretch begins at this line."""
        self._begin = place

    def _judged(self, last: int, n_climb: int) -> list[Boundary]:
        found = []
        while self._n_scored <= last:
            self._scores.append((self._n_scored, self._likeness(self._n_scored)))
            self._n_scored += 1
            if self._n_scored - 1 - n_climb >= self._n_judged:
                found += self._judge(self._n_scored - 1 - n_climb)
        while n_climb == 0 and self._n_judged < self._n_scored:
            found += self._judge(self._n_judged)
        return found

    def _likeness(self, place: int) -> float:
        here = len(self._vectors) - (self._n_lines - place)
        vectors = list(self._vectors)
        left, right = sum(vectors[max(0, here - self._n_block) : here]), sum(vectors[here : here + self._n_block])
        scale = math.sqrt(float(np.dot(left, left)) * float(np.dot(right, right)))
        return float(np.dot(left, right)) / max(scale, 1e-9)

    def _judge(self, place: int) -> list[Boundary]:
        self._n_judged = place + 1
        scores = dict(self._scores)
        here = scores[place]
        depth = self._climb(scores, place, -1) + self._climb(scores, place, 1) - 2.0 * here
        count = len(self._depths) + _PRIOR_LINES
        mean = (math.fsum(self._depths) + _PRIOR_LINES * _PRIOR_DEPTH) / count
        spread = math.fsum((value - mean) ** 2 for value in self._depths) + _PRIOR_LINES * _PRIOR_DEVIATION**2
        cutoff = mean + self._gamma * math.sqrt(spread / count)
        self._depths.append(depth)
        lowest = all(scores.get(place + step, 2.0) >= here for step in (-1, 1))
        if depth <= cutoff or not lowest or place - self._begin < self._min_lines:
            return []
        self._begin = place
        return [Boundary(place, f"topic changed: depth {depth:.2f} > {cutoff:.2f}", max(0.0, depth))]

    def _climb(self, scores: dict[int, float], place: int, step: int) -> float:
        """The height that is reached by going up from a place in one direction."""
        top = scores[place]
        place += step
        while scores.get(place, -2.0) >= top:
            top = scores[place]
            place += step
        return top
