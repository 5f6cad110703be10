"""Do the delays between channels fit where the microphones are said to be, and would they if two channels changed places?

A plane wave from the unit vector u reaches the microphone at p later by -p.u / c, so a chunk's delays must lie in the span of the
positions (and of a constant). What is left over, the residual, is told for the geometry as given, for each swap of two channels and
for each channel left aside. Large arrays get one more column, the square of the distance from the middle, for talkers near by.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from models.steering import SPEED_OF_SOUND_M_PER_S

Float64Array = npt.NDArray[np.float64]

NEAR_FIELD_APERTURE_M = 0.3
MOST_SWAPS = 200
"""With more pairs of channels than this, only swaps of channels next to each other in their order are looked at."""


@dataclass(frozen=True)
class Reading:
    """A way to read the channels: as given, with two `swapped`, or with one `aside`.

    `alike` are further swaps that no delay can tell from this one: they differ by a turn or a mirror image of the whole array.
    """

    swapped: tuple[int, int] | None = None
    aside: int | None = None
    alike: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Fit:
    """How a chunk fits: `residual_m` (RMS over the channels) of each reading, `off_m` of each channel and `speed`.

    `off_m` is how much later (as a way, in metres) a channel is than the others foretell, NaN where they cannot. `speed` is the
    length of the vector towards the sound, at most 1 in a right geometry.
    """

    residual_m: Float64Array
    off_m: Float64Array
    speed: float


class GeometryFit:
    """All readings of one geometry.

    Args:
        positions_m: float64, shape (channels, 3).
    """

    def __init__(self, positions_m: Float64Array) -> None:
        n = len(positions_m)
        self.aperture_m = float(np.linalg.norm(positions_m[:, None] - positions_m[None], axis=2).max()) if n else 0.0
        columns, self._rank = _columns(positions_m, self.aperture_m)
        inverse = np.linalg.pinv(columns)
        self._direction = inverse[1 : 1 + self._rank]
        given = np.eye(n) - columns @ inverse
        self.n_spare = n - columns.shape[1]
        """How many delays more than a plane wave needs: with none, every delay fits."""
        self.readings: list[Reading] = [Reading()]
        matrices = [given]
        if self.n_spare >= 1:
            self._add_swaps(matrices, given)
        if self.n_spare >= 2:
            self._add_aside(matrices, columns)
        self._matrices = np.stack(matrices)
        own = np.diag(given)
        self._foretold = given / np.where(own > 1e-6, own, np.nan)[:, None]

    def _add_swaps(self, matrices: list[Float64Array], given: Float64Array) -> None:
        n = len(given)
        pairs = list(combinations(range(n), 2))
        if len(pairs) > MOST_SWAPS:
            pairs = [(i, i + 1) for i in range(n - 1)]
        groups: list[tuple[Float64Array, list[tuple[int, int]]]] = []
        for i, j in pairs:
            order = np.arange(n)
            order[[i, j]] = j, i
            matrix = given[np.ix_(order, order)]
            if np.allclose(matrix, given, atol=1e-6):
                continue
            for known, members in groups:
                if np.allclose(matrix, known, atol=1e-6):
                    members.append((i, j))
                    break
            else:
                groups.append((matrix, [(i, j)]))
        for matrix, members in groups:
            matrices.append(matrix)
            self.readings.append(Reading(swapped=members[0], alike=tuple(members[1:])))

    def _add_aside(self, matrices: list[Float64Array], columns: Float64Array) -> None:
        n = len(columns)
        for aside in range(n):
            rest = np.delete(np.arange(n), aside)
            if np.linalg.matrix_rank(columns[rest], tol=1e-6) < columns.shape[1]:
                continue
            matrix = np.zeros((n, n))
            matrix[np.ix_(rest, rest)] = np.eye(n - 1) - columns[rest] @ np.linalg.pinv(columns[rest])
            matrices.append(matrix)
            self.readings.append(Reading(aside=aside))

    def fit(self, later_s: Float64Array) -> Fit:
        """How delays in seconds, float64, shape (channels,), against any one channel, fit each reading."""
        way_m = later_s * SPEED_OF_SOUND_M_PER_S
        left = self._matrices @ way_m
        speed = float(np.linalg.norm(self._direction @ way_m)) if self._rank else 0.0
        return Fit(np.sqrt(np.mean(left**2, axis=1)), self._foretold @ way_m, speed)


def _columns(positions_m: Float64Array, aperture_m: float) -> tuple[Float64Array, int]:
    """What delays of a right geometry are made of, shape (channels, columns), and how many of them tell the direction."""
    centred = positions_m - positions_m.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    rank = int((sizes > 1e-4).sum())
    columns = [np.ones(len(centred)), *(centred @ axes[index] for index in range(rank))]
    squared = (centred**2).sum(axis=1)
    if aperture_m > NEAR_FIELD_APERTURE_M and np.linalg.matrix_rank(np.stack([*columns, squared], axis=1), tol=1e-6) > len(columns):
        columns.append(squared)
    return np.stack(columns, axis=1), rank
