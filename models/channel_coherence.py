"""Which channels move with their neighbours and which against them, at frequencies at which a small array must move as one.

Under a quarter of a wavelength apart, the real part of the coherence of two microphones is positive in every sound field: cos(k d)
or more for a plane wave, sin(k d) / (k d) for a diffuse field (Cook et al. 1955). A reversed channel turns it over; a channel that
hears something of its own brings it near 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.steering import SPEED_OF_SOUND_M_PER_S

Float64Array = npt.NDArray[np.float64]
Complex128Array = npt.NDArray[np.complex128]
BoolArray = npt.NDArray[np.bool_]

N_NEIGHBOURS = 3
HIGHEST_HZ = 1000.0
ENOUGH_HZ = 250.0
LEAST_BINS = 3
TINY = 1e-30


class ChannelCoherence:
    """The neighbours of an array's microphones and their coherence.

    Args:
        positions_m: float64, shape (channels, 3).
        frequency_hz: of the cross spectra, ascending, float64, shape (bins,).
        reference: the channel to side with where halves of the array oppose each other.
    """

    def __init__(self, positions_m: Float64Array, frequency_hz: Float64Array, reference: int) -> None:
        self._reference = reference
        n = len(positions_m)
        distance_m = np.linalg.norm(positions_m[:, None] - positions_m[None], axis=2)
        # Where the whole array is small enough for some bins, only those: then channels that changed places do not matter.
        whole_hz = SPEED_OF_SOUND_M_PER_S / (4.0 * max(float(distance_m.max()), 1e-3))
        apart_m = distance_m if whole_hz < ENOUGH_HZ else np.full_like(distance_m, distance_m.max())
        highest_hz = np.minimum(HIGHEST_HZ, SPEED_OF_SOUND_M_PER_S / (4.0 * np.maximum(apart_m, 1e-3)))
        bins = frequency_hz[:, None, None] <= highest_hz
        usable = (bins.sum(axis=0) >= LEAST_BINS) & ~np.eye(n, dtype=bool)
        near = np.zeros((n, n), dtype=bool)
        for channel in range(n):
            order = np.argsort(np.where(usable[channel], distance_m[channel], np.inf), kind="stable")[:N_NEIGHBOURS]
            near[channel, order] = usable[channel, order]
        self._near = near | near.T
        self._n_bins = int(bins.any(axis=(1, 2)).sum())
        self._bins = bins[: self._n_bins] * self._near / np.maximum(bins.sum(axis=0), 1)

    def judge(self, cross: Complex128Array, good: BoolArray) -> tuple[Float64Array, Float64Array]:
        """How the channels stand to the majority.

        Args:
            cross: cross spectra of a chunk, complex128, shape (bins, channels, channels).
            good: the channels that may speak for the others, bool, shape (channels,).

        Returns:
            The sign of each channel (1 with the majority, -1 against it, 0 unknown) and its coherence with its neighbours
            once all are turned alike (median, 0 where it has none), float64, both of shape (channels,).
        """
        some = cross[: self._n_bins]
        amplitude = np.sqrt(np.einsum("fcc->fc", some).real + TINY)
        matrix = (some.real / (amplitude[:, :, None] * amplitude[:, None, :]) * self._bins).sum(axis=0)
        heard = self._near & good[None, :]
        between = matrix * (heard & good[:, None])
        leading = np.linalg.eigh(between)[1][:, -1]
        # A channel that is not good is still judged, by its good neighbours.
        lean = matrix * heard @ leading
        sign = np.where(np.abs(lean) > 1e-9, np.sign(lean), 0.0)
        votes = sign[good].sum()
        if votes < 0 or (votes == 0 and sign[self._reference] < 0):
            sign = -sign
        strength = np.zeros(len(sign))
        for channel in np.flatnonzero(heard.any(axis=1)):
            others = heard[channel]
            strength[channel] = max(0.0, float(np.median(matrix[channel, others] * sign[channel] * sign[others])))
        return sign, strength
