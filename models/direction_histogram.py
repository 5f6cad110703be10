"""The direction that most of something came from: a histogram on the circle and the mean round its peak."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

N_BINS = 72
_BIN_DEG = 360.0 / N_BINS
_REACH = 3
"""Bins on each side of the peak that belong to it: 15 degrees, more than the scatter of a localiser in a room."""


class DirectionHistogram:
    """Sums of weight by azimuth, of bounded size however much is added."""

    def __init__(self) -> None:
        self._sums: npt.NDArray[np.float64] = np.zeros((5, N_BINS))

    def add(self, azimuth_deg: float, elevation_deg: float | None, weight: float) -> None:
        """Count a direction; a weight that is not positive and finite counts nothing."""
        if not 0.0 < weight < np.inf:
            return
        radians = np.radians(azimuth_deg)
        column = self._sums[:, int(azimuth_deg % 360.0 / _BIN_DEG) % N_BINS]
        column[:3] += weight * np.array([1.0, np.cos(radians), np.sin(radians)])
        if elevation_deg is not None:
            column[3:] += weight * np.array([1.0, elevation_deg])

    def add_all(self, other: DirectionHistogram, weight: float) -> None:
        """Count what another one counted, `weight` (at least 0) times."""
        self._sums += weight * other._sums

    def peak(self, least_share: float) -> tuple[float, float | None] | None:
        """Azimuth in [0, 360) and elevation (None where none was given) of the peak.

        None where the bins within 15 degrees of the peak hold less than `least_share` of everything: the sound came from all sides.
        """
        total = float(self._sums[0].sum())
        if total <= 0.0:
            return None
        around = np.sum([np.roll(self._sums[0], -offset) for offset in range(-_REACH, _REACH + 1)], axis=0)
        # Of bins that reach equally much, the one that holds most itself.
        best = int(np.argmax(around + 1e-6 * self._sums[0]))
        if around[best] < least_share * total:
            return None
        bins = [(best + offset) % N_BINS for offset in range(-_REACH, _REACH + 1)]
        _, x, y, weight, elevation = self._sums[:, bins].sum(axis=1)
        azimuth_deg = round(float(np.degrees(np.arctan2(y, x))), 6) % 360.0
        return azimuth_deg, float(elevation / weight) if weight > 0.0 else None
