"""Where sound can come from, and what a plane wave from there looks like at the microphones. Plain numpy, float64.

Azimuth is in degrees, counter-clockwise from +x of the array's frame, in [0, 360); elevation is in degrees above the xy plane.
A line of microphones can only tell the angle to its own direction (first to last microphone), 0 to 180 degrees: that angle
is its azimuth, and it has no elevation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SPEED_OF_SOUND_M_PER_S = 343.0
HIGHEST_ELEVATION_DEG = 60.0

Float64Array = npt.NDArray[np.float64]
Complex128Array = npt.NDArray[np.complex128]


class SteeringError(ValueError):
    """The microphones cannot tell directions, or a direction cannot be told by them."""


@dataclass(frozen=True)
class DirectionGrid:
    """The directions that a localiser looks at.

    `vectors` are unit vectors from the array, float64, shape (directions, 3). `azimuth_deg` has the shape (directions,);
    `elevation_deg` too, or is None for a line. `rings` sorts the directions for peak picking: an int array, shape
    (azimuths, elevations), of indices into the directions, -1 where the array cannot tell a direction from its mirror image.
    """

    azimuth_deg: Float64Array
    elevation_deg: Float64Array | None
    vectors: Float64Array
    rings: npt.NDArray[np.intp]
    circular: bool

    @property
    def azimuths_deg(self) -> Float64Array:
        """The azimuths that occur, ascending, float64, shape (azimuths,)."""
        return np.asarray(self.azimuth_deg[self.rings.max(axis=1)])


def geometry_rank(positions_m: Float64Array) -> int:
    """0 for microphones at one point, 1 for a line, 2 for a plane, 3 for a body. `positions_m` has the shape (channels, 3)."""
    centred = positions_m - positions_m.mean(axis=0)
    return int(np.linalg.matrix_rank(centred, tol=1e-4)) if len(centred) > 1 else 0


def line_axis(positions_m: Float64Array) -> Float64Array:
    """The unit vector from the first to the last microphone of a line, shape (3,)."""
    way = positions_m[-1] - positions_m[0]
    return np.asarray(way / np.linalg.norm(way))


def unit_vector(positions_m: Float64Array, azimuth_deg: float, elevation_deg: float | None = None) -> Float64Array:
    """The unit vector, float64, shape (3,), towards a bearing as an array of this shape reports it.

    For a line it is one vector of the cone that has this angle to the line (they all look alike to it).
    Raises SteeringError where the microphones are all at one point.
    """
    rank = geometry_rank(positions_m)
    if rank == 0:
        raise SteeringError("the microphones are all at one point, so they have no bearing; use an array with lanes: true")
    azimuth = np.radians(azimuth_deg)
    if rank == 1:
        axis = line_axis(positions_m)
        return np.asarray(np.cos(azimuth) * axis + np.sin(azimuth) * _any_normal(axis))
    elevation = np.radians(elevation_deg or 0.0)
    return np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])


def _any_normal(axis: Float64Array) -> Float64Array:
    other = np.zeros(3)
    other[np.argmin(np.abs(axis))] = 1.0
    normal = np.cross(axis, np.cross(other, axis))
    return np.asarray(normal / np.linalg.norm(normal))


def direction_grid(positions_m: Float64Array, azimuth_step_deg: float = 3.0, elevation_step_deg: float = 30.0) -> DirectionGrid:
    """The directions that an array can tell apart.

    A line gets angles from 0 to 180; other arrays get azimuths all around on rings of elevation up to 60 degrees: only the
    upper ones where the array is flat and level, since a flat array hears a direction and its mirror image as one.

    Raises SteeringError for microphones at one point.
    """
    rank = geometry_rank(positions_m)
    if rank <= 1:
        angles = np.linspace(0.0, 180.0, round(180.0 / azimuth_step_deg) + 1)
        vectors = np.stack([unit_vector(positions_m, angle) for angle in angles])
        return DirectionGrid(angles, None, vectors, np.arange(len(angles))[:, None], circular=False)
    azimuths = np.arange(round(360.0 / azimuth_step_deg)) * (360.0 / round(360.0 / azimuth_step_deg))
    n_up = int(HIGHEST_ELEVATION_DEG // elevation_step_deg)
    elevations = np.arange(-n_up, n_up + 1) * elevation_step_deg
    azimuth, elevation = (part.ravel() for part in np.meshgrid(azimuths, elevations, indexing="ij"))
    vectors = np.stack([unit_vector(positions_m, a, e) for a, e in zip(azimuth, elevation, strict=True)])
    keep = np.ones(len(vectors), dtype=bool)
    if rank == 2:
        keep = vectors @ _upper_normal(positions_m) >= -1e-9
    rings = np.where(keep, np.cumsum(keep) - 1, -1).reshape(len(azimuths), len(elevations))
    rings = rings[:, (rings >= 0).any(axis=0)]
    rings = rings[(rings >= 0).any(axis=1)]
    circular = len(rings) == len(azimuths)
    return DirectionGrid(azimuth[keep], elevation[keep], vectors[keep], rings, circular=circular)


def _upper_normal(positions_m: Float64Array) -> Float64Array:
    """The normal of a flat array on the side that counts as its front: upwards, else towards +y, else towards +x."""
    normal = np.linalg.svd(positions_m - positions_m.mean(axis=0))[2][2]
    for axis in (2, 1, 0):
        if abs(normal[axis]) > 1e-6:
            return np.asarray(normal * np.sign(normal[axis]))
    return np.asarray(normal)


def lead_s(positions_m: Float64Array, vectors: Float64Array, reference: int) -> Float64Array:
    """How much earlier than the reference each microphone hears plane waves from `vectors`, shape (directions, 3).

    Returns seconds, float64, shape (directions, channels).
    """
    return np.asarray(vectors @ (positions_m - positions_m[reference]).T / SPEED_OF_SOUND_M_PER_S)


def steering_vectors(positions_m: Float64Array, vectors: Float64Array, frequency_hz: Float64Array, reference: int) -> Complex128Array:
    """What unit plane waves from `vectors` are in each microphone's spectrum, where the reference microphone hears 1.

    Returns complex128, shape (frequencies, directions, channels).
    """
    lead = lead_s(positions_m, vectors, reference)
    return np.asarray(np.exp(2j * np.pi * frequency_hz[:, None, None] * lead[None, :, :]))


def diffuse_coherence(positions_m: Float64Array, frequency_hz: Float64Array) -> Float64Array:
    """The coherence of a spherically diffuse field between the microphones: sin(kd) / (kd) (Cook et al. 1955).

    Returns float64, shape (frequencies, channels, channels).
    """
    distance = np.linalg.norm(positions_m[:, None, :] - positions_m[None, :, :], axis=2)
    return np.asarray(np.sinc(2.0 * frequency_hz[:, None, None] * distance[None] / SPEED_OF_SOUND_M_PER_S))
