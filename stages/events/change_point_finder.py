"""Finds boundaries by Bayesian online change-point detection (Adams & MacKay 2007, arXiv 0710.3742) on lines' vectors.

A topic is a von Mises-Fisher distribution of lines with concentration `kappa`, its mean direction unknown; the predictive density of a
line given those of its topic so far is then a ratio of normalisers (the conjugate prior is flat). Topics end with a constant hazard. The
posterior of how long the topic has lasted is kept for the last `_MOST_RUNS` lengths.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from stages.events.boundary_finder import Boundary, BoundaryFinder
from stages.events.spoken_line import SpokenLine

_MOST_RUNS = 256
_MOST_NATS = 30.0
_CENTRE_PRIOR_LINES = 5.0

_Floats = npt.NDArray[np.float64]


class ChangePointFinder(BoundaryFinder):
    """A topic begins at a line with posterior probability above `least_probability`, `n_around` lines later.

    `lasts_lines` is how many lines a topic lasts on average: the hazard is its inverse.
    """

    def __init__(self, kappa: float, lasts_lines: float, n_around: int, least_probability: float, min_lines: int) -> None:
        if not (kappa > 0 and lasts_lines > 1 and 1 <= n_around < _MOST_RUNS and 0 < least_probability < 1 and min_lines >= 1):
            raise ValueError(
                f"change points: kappa must be above 0, lasts_lines above 1, n_around 1 to {_MOST_RUNS - 1}, least_probability between 0"
                f" and 1, min_lines at least 1; found {kappa}, {lasts_lines}, {n_around}, {least_probability} and {min_lines}"
            )
        self._kappa, self._hazard = kappa, 1.0 / lasts_lines
        self.n_ahead, self._least, self._min_lines = n_around, least_probability, min_lines
        # Row r belongs to topics that began r + 1 lines ago: the sum of their lines, and the log of their probability.
        self._sums: _Floats | None = None
        self._logs: _Floats = np.zeros(0)
        self._centre: _Floats | None = None
        self._count = 0.0
        self._n_lines = 0
        self._begin = 0

    def take(self, line: SpokenLine) -> list[Boundary]:
        """The boundary that is known, now that this line is there."""
        self._update(line.vector.astype(np.float64))
        place = self._n_lines - self.n_ahead
        return self._decide(place) if place > 0 else []

    def settle(self) -> list[Boundary]:
        """Decide the last lines by what is known."""
        return [found for place in range(max(1, self._n_lines - self.n_ahead + 1), self._n_lines) for found in self._decide(place)]

    def began(self, place: int) -> None:
        """A stretch begins at this line."""
        self._begin = place

    def _update(self, vector: _Floats) -> None:
        if self._sums is None or self._centre is None:
            self._sums, self._centre = np.zeros((0, len(vector))), np.zeros(len(vector))
        self._centre += vector
        self._count += 1.0
        vector = vector - self._centre / (self._count + _CENTRE_PRIOR_LINES)
        vector = vector / max(math.sqrt(float(vector @ vector)), 1e-9)
        sums = np.vstack([np.zeros_like(vector)[None, :], self._sums])
        before = np.linalg.norm(sums, axis=1)
        sums += vector
        after = np.linalg.norm(sums, axis=1)
        predicted = self._log_normaliser(before, len(vector)) - self._log_normaliser(after, len(vector))
        if len(self._logs):
            top = float(self._logs.max())
            fresh = math.log(self._hazard) + top + math.log(float(np.exp(self._logs - top).sum()))
            logs = np.concatenate([[fresh], self._logs + math.log1p(-self._hazard)])
        else:
            logs = np.zeros(1)
        logs = logs + predicted
        logs -= logs.max()
        logs -= math.log(float(np.exp(logs).sum()))
        self._sums, self._logs = sums[:_MOST_RUNS], logs[:_MOST_RUNS]
        self._n_lines += 1

    def _log_normaliser(self, lengths: _Floats, dimension: int) -> _Floats:
        """The log of the von Mises-Fisher normaliser at concentration kappa * lengths, up to a constant (Olver's expansion of ln I)."""
        order = dimension / 2.0 - 1.0
        if order <= 0.0:
            raise ValueError(f"change points: vectors must have at least 3 dimensions, found {dimension}")
        ratio = np.maximum(self._kappa * lengths, 1e-12) / order
        root = np.sqrt(1.0 + ratio**2)
        # ln (kappa^order / I_order(kappa)), where the powers of kappa cancel.
        return order * (np.log1p(root) - root) + 0.5 * np.log(root)

    def _decide(self, place: int) -> list[Boundary]:
        age = self._n_lines - place - 1
        chance = math.exp(float(self._logs[age])) if age < len(self._logs) else 0.0
        if chance <= self._least or place - self._begin < self._min_lines:
            return []
        self._begin = place
        nats = min(_MOST_NATS, -math.log(max(1.0 - chance, 1e-13)))
        return [Boundary(place, f"topic changed: change point with probability {chance:.2f} > {self._least:.2f}", nats)]
