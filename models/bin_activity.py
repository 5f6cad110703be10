"""Which time-frequency bins hold new sound: well over the noise floor, and no reverberant tail of something earlier.

The floor follows minima of the smoothed energy: down at once, up slowly (Martin 2001, without its bias correction). A bin
whose energy is under what earlier sound would have decayed to is taken as reverberation, which comes from everywhere
(the precedence effect; Huang, Ohnishi and Sugie 1997).
"""

from __future__ import annotations

import math

import torch

SMOOTHING_S = 0.1


class BinActivity:
    """Follows the noise floor and the reverberant envelope of each bin.

    Args:
        n_bins: how many frequencies there are.
        hop_s: time between spectra, in seconds.
        energy_scale: what the energy of a bin is for white noise of 0 dBFS power (the sum of the squared window).
        snr_db: how far over the floor a bin must be.
        decay_db_per_s: how fast reverberation is taken to decay: 60 dB over RT60. 120 fits RT60 up to 0.5 s.
        rise_db_per_s: how fast the floor may rise.
        quietest_dbfs: the floor never falls under this level, so digital silence is silence.
    """

    def __init__(
        self,
        n_bins: int,
        hop_s: float,
        energy_scale: float,
        snr_db: float = 9.0,
        decay_db_per_s: float = 120.0,
        rise_db_per_s: float = 3.0,
        quietest_dbfs: float = -100.0,
        device: str = "cpu",
    ) -> None:
        self._n_bins = n_bins
        self._over = 10.0 ** (snr_db / 10.0)
        self._decay = 10.0 ** (-decay_db_per_s * hop_s / 10.0)
        self._rise = 10.0 ** (rise_db_per_s * hop_s / 10.0)
        self._keep = math.exp(-hop_s / SMOOTHING_S)
        self._quietest = energy_scale * 10.0 ** (quietest_dbfs / 10.0)
        self._device = device
        self.reset()

    def reset(self) -> None:
        """Forget the floor and what sounded before."""
        self._smoothed: torch.Tensor | None = None
        self._floor = torch.full((self._n_bins,), self._quietest, device=self._device)
        self._envelope = torch.zeros(self._n_bins, device=self._device)

    def push(self, energy: torch.Tensor) -> torch.Tensor:
        """Say for each spectrum which bins are new sound.

        Args:
            energy: float32, shape (spectra, bins).

        Returns:
            bool, shape (spectra, bins).
        """
        active = torch.zeros(energy.shape, dtype=torch.bool, device=self._device)
        for index, now in enumerate(energy):
            if self._smoothed is None:
                self._smoothed = now
                self._floor = now.clamp(min=self._quietest)
            self._smoothed = self._keep * self._smoothed + (1.0 - self._keep) * now
            self._floor = torch.minimum(self._floor * self._rise, self._smoothed).clamp(min=self._quietest)
            self._envelope = self._envelope * self._decay
            active[index] = (now > self._over * self._floor) & (now >= self._envelope)
            self._envelope = torch.maximum(self._envelope, now)
        return active
