"""From votes over a grid of directions to a few bearings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.bearing_peak import Peak
from models.steering import DirectionGrid


@dataclass(frozen=True)
class Votes:
    """How many bins voted for which direction.

    `votes` is float64, shape (directions,), over a grid; `n_active` counts the bins that had a vote and `n_bins` those that
    could have had one.
    """

    votes: npt.NDArray[np.float64]
    n_active: float
    n_bins: float


def pick_peaks(
    votes: npt.NDArray[np.float64],
    total: float,
    grid: DirectionGrid,
    n_most: int = 4,
    least_share: float = 0.065,
    apart_deg: float = 20.0,
    width_deg: float = 9.0,
) -> list[Peak]:
    """The strongest bearings, strongest first.

    Args:
        votes: float64, shape (directions,), as `SrpPhat` gives them, possibly averaged over time.
        total: how many votes a full share is.
        grid: the directions.
        n_most: how many bearings there may be.
        least_share: weaker ones are left out.
        apart_deg: two bearings are at least this far apart.
        width_deg: votes this near to a peak belong to it.

    Returns:
        up to `n_most` peaks; none where `total` is 0.
    """
    if total <= 0.0:
        return []
    rings = np.where(grid.rings >= 0, votes[grid.rings], 0.0)
    by_azimuth = rings.sum(axis=1)
    excess = np.maximum(by_azimuth - np.median(by_azimuth), 0.0)
    azimuths = grid.azimuths_deg
    step = float(azimuths[1] - azimuths[0])
    reach = round(width_deg / step)
    free = _local_maxima(by_azimuth, grid.circular)
    peaks: list[Peak] = []
    while len(peaks) < n_most and free.any():
        top = int(np.argmax(np.where(free, excess, -1.0)))
        around = np.arange(top - reach, top + reach + 1)
        around = around % len(azimuths) if grid.circular else around[(around >= 0) & (around < len(azimuths))]
        mass = excess[around]
        share = min(1.0, float(mass.sum()) / total)
        if share < least_share or mass.sum() <= 0.0:
            break
        offset = (azimuths[around] - azimuths[top] + 180.0) % 360.0 - 180.0 if grid.circular else azimuths[around] - azimuths[top]
        azimuth = azimuths[top] + float((mass**2 @ offset) / (mass**2).sum())
        peaks.append(Peak(float(azimuth % 360.0) if grid.circular else float(azimuth), _elevation(rings[around], grid), share))
        apart = np.abs((azimuths - azimuths[top] + 180.0) % 360.0 - 180.0) if grid.circular else np.abs(azimuths - azimuths[top])
        free &= apart >= apart_deg
        excess[apart <= width_deg] = 0.0
    return peaks


class PeakPicker:
    """Averages votes over a short while and picks the bearings that stand out.

    Args:
        grid: the directions that are voted for.
        memory_s: over how long votes are averaged (time constant).
        n_most: how many bearings there may be at once.
        least_share: the share of the votes that a bearing needs.
        least_active: the share of all bins that a full vote has at least, so that a few stray bins are no bearing.
    """

    def __init__(
        self, grid: DirectionGrid, memory_s: float = 0.05, n_most: int = 4, least_share: float = 0.065, least_active: float = 0.1
    ) -> None:
        self._grid = grid
        self._memory_s = memory_s
        self._n_most = n_most
        self._least_share = least_share
        self._least_active = least_active
        self.reset()

    def reset(self) -> None:
        """Forget what was voted before."""
        self._votes = np.zeros(len(self._grid.vectors))
        self._total = 0.0
        self._peaks: list[Peak] = []

    def push(self, votes: Votes, duration_s: float) -> list[Peak]:
        """Take the votes of a stretch of time and give the bearings in it, strongest first.

        Where no bin was looked at (a stretch shorter than a hop), the bearings are those before.
        """
        if votes.n_bins > 0:
            keep = math.exp(-duration_s / self._memory_s)
            self._votes = keep * self._votes + (1.0 - keep) * votes.votes / votes.n_bins
            self._total = keep * self._total + (1.0 - keep) * max(votes.n_active / votes.n_bins, self._least_active)
            self._peaks = pick_peaks(self._votes, self._total, self._grid, self._n_most, self._least_share)
        return self._peaks


def _local_maxima(values: npt.NDArray[np.float64], circular: bool) -> npt.NDArray[np.bool_]:
    """Where values are no lower than their neighbours, so that the shoulder of a peak is not another peak."""
    if circular:
        left, right = np.roll(values, 1), np.roll(values, -1)
    else:
        left, right = np.concatenate([[-np.inf], values[:-1]]), np.concatenate([values[1:], [-np.inf]])
    return np.asarray((values >= left) & (values >= right))


def _elevation(near: npt.NDArray[np.float64], grid: DirectionGrid) -> float | None:
    """The mean elevation of the votes near a peak, shape (azimuths, elevations)."""
    if grid.elevation_deg is None:
        return None
    levels = grid.elevation_deg[grid.rings.max(axis=0)]
    weight = near.sum(axis=0) ** 2
    return float(weight @ levels / weight.sum())
