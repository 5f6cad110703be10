"""MUSIC: bearings from the noise subspace of running covariances, pooled over bins.

Schmidt (1986); each bin's pseudo-spectrum is normalised before the bins are pooled, so that no bin outweighs the others
(NormMUSIC; Salvati, Drioli and Foresti 2014). Finer than SRP-PHAT in quiet rooms, dearer, and it needs more sound before it is sure.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from models.bin_activity import BinActivity
from models.direction_peaks import Votes
from models.steering import DirectionGrid, direction_grid, steering_vectors
from models.step_sizes import localiser_window
from models.stft import Stft, power


class MusicError(ValueError):
    """A setting that leaves no noise subspace."""


class Music:
    """A stream of samples in, votes for directions out.

    Args:
        positions_m: microphones, shape (channels, 3).
        sample_rate_hz: of the samples.
        n_sources: how many sources a single bin may hold at once; under the number of microphones.
        memory_s: over how long covariances are averaged (time constant).
        azimuth_step_deg, elevation_step_deg: of the grid.
        lowest_hz, highest_hz: which bins vote.
        snr_db: how far over the noise floor a bin must be.
        device: where the work is done.

    Raises:
        MusicError: where `n_sources` leaves no noise subspace.
    """

    def __init__(
        self,
        positions_m: npt.NDArray[np.float64],
        sample_rate_hz: int,
        n_sources: int = 1,
        memory_s: float = 0.1,
        azimuth_step_deg: float = 3.0,
        elevation_step_deg: float = 30.0,
        lowest_hz: float = 300.0,
        highest_hz: float = 6000.0,
        snr_db: float = 9.0,
        device: str = "cpu",
    ) -> None:
        n_channels = len(positions_m)
        if not 1 <= n_sources < n_channels:
            raise MusicError(f"n_sources is {n_sources}; with {n_channels} microphones it must be from 1 to {n_channels - 1}")
        self.grid: DirectionGrid = direction_grid(positions_m, azimuth_step_deg, elevation_step_deg)
        window, hop = localiser_window(sample_rate_hz)
        self._stft = Stft(n_channels, window, hop, device)
        frequency_hz = np.arange(self._stft.n_bins) * sample_rate_hz / window
        self._bins = torch.tensor(np.flatnonzero((frequency_hz >= lowest_hz) & (frequency_hz <= highest_hz)), device=device)
        steering = steering_vectors(positions_m, self.grid.vectors, frequency_hz[self._bins.cpu().numpy()], 0)
        self._steering = torch.tensor(steering.conj() / math.sqrt(n_channels), dtype=torch.complex64, device=device)
        self._activity = BinActivity(len(self._bins), hop / sample_rate_hz, float(hop), snr_db=snr_db, device=device)
        self._keep = math.exp(-hop / sample_rate_hz / memory_s)
        self._n_sources = n_sources
        self._n_channels = n_channels
        self._device = device
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next samples have nothing to do with those before."""
        self._stft.reset()
        self._activity.reset()
        self._covariance = torch.zeros(len(self._bins), self._n_channels, self._n_channels, dtype=torch.complex64, device=self._device)

    def push(self, samples: npt.NDArray[np.float32]) -> Votes:
        """The votes of all bins that became complete with these samples, shape (channels, frames)."""
        spectra = self._stft.push(torch.tensor(samples))[:, :, self._bins].permute(1, 2, 0)
        active = self._activity.push(power(spectra).mean(dim=2))
        n_bins = float(active.numel())
        for now, heard in zip(spectra, active, strict=True):
            phases = torch.sgn(now) * heard[:, None]
            self._covariance = self._keep * self._covariance + (1.0 - self._keep) * phases[:, :, None] * phases[:, None, :].conj()
        n_active = active.sum(dim=0)
        bins = n_active.nonzero()[:, 0]
        if len(bins) == 0:
            return Votes(np.zeros(len(self.grid.vectors)), 0.0, n_bins)
        values, vectors = torch.linalg.eigh(self._covariance[bins])
        signal = vectors[:, :, -self._n_sources :]
        inside = power(torch.bmm(self._steering[bins], signal)).sum(dim=2)
        pseudo = 1.0 / (1.0 - inside).clamp(min=0.02)
        purity = values[:, -self._n_sources :].sum(dim=1) / values.sum(dim=1).clamp(min=1e-12)
        chance = self._n_sources / self._n_channels
        fit = (2.0 * inside.amax(dim=1) - 1.0).clamp(min=0.0)
        weight = fit * ((purity - chance) / (1.0 - chance)).clamp(0.0, 1.0) * n_active[bins]
        votes = weight @ (pseudo.square() / pseudo.square().sum(dim=1, keepdim=True))
        return Votes(votes.double().cpu().numpy(), float(n_active.sum()), n_bins)
