"""To which direction each time-frequency bin belongs.

The spectra of a source in a room are, over the microphones, a complex Gaussian with the covariance of a plane wave from its
direction plus a part of diffuse reverberation; noise has the diffuse part alone. What counts is the shape, not the level, so
the likelihood of a bin is that of a complex angular central Gaussian (Tyler 1987; for masks: Ito, Araki and Nakatani 2016)
with these covariances held fixed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from models.steering import diffuse_coherence, steering_vectors
from models.stft import power

MICROPHONE_NOISE = 0.01
TINY = 1e-20


class DirectionMasks:
    """Soft masks for a set of directions and one for noise from everywhere.

    Args:
        positions_m: microphones, shape (channels, 3).
        frequency_hz: of the bins, shape (bins,).
        reference: the microphone that directions are told against.
        reverberation: power of the diffuse part of a source relative to its direct sound.
        noise_prior: how likely noise is before a bin is seen, next to 1 for each source.
        device: where the work is done.
    """

    def __init__(
        self,
        positions_m: npt.NDArray[np.float64],
        frequency_hz: npt.NDArray[np.float64],
        reference: int = 0,
        reverberation: float = 0.5,
        noise_prior: float = 0.1,
        device: str = "cpu",
    ) -> None:
        self._positions_m = positions_m
        self._frequency_hz = frequency_hz
        self._reference = reference
        self._reverberation = reverberation
        self._device = device
        self._log_noise_prior = float(np.log(noise_prior))
        self._diffuse = diffuse_coherence(positions_m, frequency_hz) + MICROPHONE_NOISE * np.eye(len(positions_m))
        self._known: dict[bytes, tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = {}
        self._noise = self._shape(self._diffuse.astype(np.complex128))
        self.set_directions(np.zeros((0, 3)))

    @property
    def n_directions(self) -> int:
        """How many directions there are masks for."""
        return self.covariances.shape[1] - 1

    def set_directions(self, vectors: npt.NDArray[np.float64]) -> None:
        """Give the directions as unit vectors, shape (directions, 3).

        `covariances` then holds what is expected of each direction, and last of noise: complex64, shape
        (bins, directions + 1, channels, channels), with a mean power of 1 over the channels.
        """
        shapes = [self._of(vector) for vector in vectors] + [self._noise]
        self._known = {vector.tobytes(): shape for vector, shape in zip(vectors, shapes, strict=False)}
        self.covariances = torch.stack([shape[0] for shape in shapes], dim=1)
        whitening = torch.stack([shape[1] for shape in shapes], dim=1)
        n_bins, n_classes, n_channels, _ = whitening.shape
        self._whitening = whitening.reshape(n_bins, n_classes * n_channels, n_channels)
        self._log_det = torch.stack([shape[2] for shape in shapes], dim=1)

    def _of(self, vector: npt.NDArray[np.float64]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        known = self._known.get(vector.tobytes())
        if known is not None:
            return known
        steering = steering_vectors(self._positions_m, vector[None], self._frequency_hz, self._reference)[:, 0]
        return self._shape(steering[:, :, None] * steering[:, None, :].conj() + self._reverberation * self._diffuse)

    def _shape(self, covariance: npt.NDArray[np.complex128]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Covariance of unit power, the matrix that whitens it, and the logarithm of its determinant, for each bin."""
        n_channels = covariance.shape[1]
        covariance = covariance * (n_channels / np.einsum("fmm->f", covariance).real)[:, None, None]
        factor = np.linalg.cholesky(covariance)
        whitening = np.linalg.inv(factor)
        log_det = 2.0 * np.log(np.einsum("fmm->fm", factor).real).sum(axis=1)
        return (
            torch.tensor(covariance, dtype=torch.complex64, device=self._device),
            torch.tensor(whitening, dtype=torch.complex64, device=self._device),
            torch.tensor(log_det, dtype=torch.float32, device=self._device),
        )

    def log_likelihood(self, spectra: torch.Tensor) -> torch.Tensor:
        """How well each direction, and last noise, explains each bin.

        Args:
            spectra: complex64, shape (bins, channels, spectra).

        Returns:
            float32, shape (bins, directions + 1, spectra).
        """
        n_bins, n_channels, n_spectra = spectra.shape
        white = torch.bmm(self._whitening, spectra).reshape(n_bins, -1, n_channels, n_spectra)
        return -self._log_det[:, :, None] - n_channels * torch.log(power(white).sum(dim=2) + TINY)

    def masks(self, log_likelihood: torch.Tensor) -> torch.Tensor:
        """The probability that a bin belongs to each direction, or last to noise: float32, same shape; they add up to 1.

        Speech does not change from one spectrum to the next, so each is judged together with its neighbours.
        """
        smooth = torch.nn.functional.avg_pool1d(log_likelihood, 3, stride=1, padding=1, count_include_pad=False)
        smooth[:, -1] += self._log_noise_prior
        return torch.softmax(smooth, dim=1)
