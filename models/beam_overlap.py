"""The audio of one beam, put together from its spectra, and how much of it came from the beam's own direction."""

from __future__ import annotations

import torch

from models.stft import Istft


class BeamOverlap:
    """Overlap-add for one beam that may begin in the middle of a stream.

    The audio lags the spectra by a window less a hop; a spectrum's energy counts for the hop in its middle, so the energies
    lag by a little over half of that.
    """

    def __init__(self, window_frames: int, hop_frames: int, device: str = "cpu") -> None:
        self._istft = Istft(1, window_frames, hop_frames, device)
        self.n_before = window_frames // hop_frames - 1
        self._lag = self.n_before // 2
        self._own = torch.zeros(self._lag + 1, device=device)
        self._all = torch.zeros(self._lag + 1, device=device)

    def push(self, spectra: torch.Tensor, own: torch.Tensor, whole: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Take spectra and their energies and give what is complete.

        Args:
            spectra: complex64, shape (spectra, bins).
            own: energy from the own direction, float32, shape (spectra,).
            whole: energy in all, float32, shape (spectra,).

        Returns:
            samples, float32, shape (spectra * hop,), and the two energies of each hop of them, shape (spectra,).
        """
        samples = self._istft.push(spectra[None])[0]
        self._own, own = self._shift(self._own, own)
        self._all, whole = self._shift(self._all, whole)
        return samples, own, whole

    def _shift(self, held: torch.Tensor, new: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        line = torch.cat([held, new])
        n_new = len(new)
        return line[n_new:], (line[:n_new] + line[1 : n_new + 1]) / 2.0
