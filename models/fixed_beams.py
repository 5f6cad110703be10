"""Filters that follow from the bearings alone: they learn nothing, so nothing that is heard can mislead them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from models.spatial_filters import delay_and_sum, fixed_mvdr
from models.steering import diffuse_coherence, steering_vectors


class FixedBeams:
    """A filter for each of a set of directions.

    Args:
        positions_m: microphones, shape (channels, 3).
        frequency_hz: of the bins, shape (bins,).
        reference: the microphone as which the beams hear their source.
        design: `fixed` for the MVDR of a diffuse noise field, `delay_and_sum` to only line up the channels.
        loading: for `fixed`: power of the microphones' own noise relative to the diffuse noise.
        null_power: for `fixed`: power of plane waves from the other directions relative to the diffuse noise; 0 ignores them.
        device: where the filters are used. They are made in float64 on the CPU, so they are the same on every device.
    """

    def __init__(
        self,
        positions_m: npt.NDArray[np.float64],
        frequency_hz: npt.NDArray[np.float64],
        reference: int = 0,
        design: Literal["fixed", "delay_and_sum"] = "fixed",
        loading: float = 1e-2,
        null_power: float = 0.0,
        device: str = "cpu",
    ) -> None:
        self._positions_m = positions_m
        self._frequency_hz = frequency_hz
        self._reference = reference
        self._design = design
        self._loading = loading
        self._null_power = null_power
        self._device = device
        self._diffuse = torch.tensor(diffuse_coherence(positions_m, frequency_hz), dtype=torch.complex128)
        self.set_directions(np.zeros((0, 3)))

    def set_directions(self, vectors: npt.NDArray[np.float64]) -> None:
        """Give the directions as unit vectors, shape (directions, 3).

        `weights` then holds the filters: complex64, shape (bins, directions, channels).
        """
        steering = torch.tensor(steering_vectors(self._positions_m, vectors, self._frequency_hz, self._reference))
        if self._design == "delay_and_sum":
            weights = delay_and_sum(steering)
        else:
            waves = self._null_power * steering[..., :, None] * steering[..., None, :].conj()
            others = waves.sum(dim=1, keepdim=True) - waves
            weights = fixed_mvdr(steering, self._diffuse[:, None] + others, self._loading)
        self.weights = weights.to(dtype=torch.complex64, device=self._device)
