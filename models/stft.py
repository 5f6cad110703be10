"""A short-time Fourier transform for streams: any cut into blocks gives the same frames, and the inverse gives the samples back.

Analysis and synthesis use the same window, the square root of a periodic Hann window, and the hop is the window divided by a
whole number, so that overlap-add reconstructs exactly (Griffin and Lim 1984). The stream is taken as preceded by silence:
spectrum `i` ends with sample `(i + 1) * hop - 1`.
"""

from __future__ import annotations

import torch

LOUDEST = 10.0
"""A sample beyond this (full scale is 1) is a fault; without a bound one would rule every running average for minutes."""


class StftError(ValueError):
    """A window and hop that cannot reconstruct a signal."""


def sqrt_hann(window_frames: int, hop_frames: int, device: str = "cpu") -> torch.Tensor:
    """The analysis and synthesis window, float32, shape (window,), scaled so that its squares add up to one over the hops.

    Raises StftError where the hop is not the window divided by a whole number of at least 2.
    """
    if hop_frames < 1 or window_frames % hop_frames or window_frames // hop_frames < 2:
        raise StftError(
            f"a window of {window_frames} samples cannot be cut in hops of {hop_frames}: the hop must be the window divided by 2, 3, 4, ..."
        )
    window: torch.Tensor = torch.hann_window(window_frames, periodic=True, dtype=torch.float64).sqrt()
    window = window * (2.0 * hop_frames / window_frames) ** 0.5
    return window.to(dtype=torch.float32, device=device)


def power(spectra: torch.Tensor) -> torch.Tensor:
    """The squared magnitude of complex numbers, of the same shape; faster than by way of their magnitude."""
    squared: torch.Tensor = spectra.real.square() + spectra.imag.square()
    return squared


class Stft:
    """Samples in, spectra out, hop by hop.

    Args:
        n_channels: how many channels come in.
        window_frames: length of a window, in samples.
        hop_frames: samples between windows; the window divided by 2, 3, 4, ...
        device: where the work is done.
    """

    def __init__(self, n_channels: int, window_frames: int = 1024, hop_frames: int = 256, device: str = "cpu") -> None:
        self.window = sqrt_hann(window_frames, hop_frames, device)
        self.window_frames = window_frames
        self.hop_frames = hop_frames
        self._n_channels = n_channels
        self._device = device
        self.reset()

    @property
    def n_bins(self) -> int:
        """How many frequencies a spectrum has."""
        return self.window_frames // 2 + 1

    def reset(self) -> None:
        """Start again, as if silence had gone before."""
        self._held = torch.zeros(self._n_channels, self.window_frames - self.hop_frames, device=self._device)

    def push(self, samples: torch.Tensor) -> torch.Tensor:
        """The spectra that become complete with these samples.

        Args:
            samples: float32, shape (channels, frames); any number of frames. NaN counts as 0, infinity as full scale.

        Returns:
            complex64, shape (channels, spectra, bins); spectra may be 0.
        """
        # One NaN would stay for ever in every running average behind this.
        sound = torch.nan_to_num(samples.to(self._device), nan=0.0, posinf=1.0, neginf=-1.0).clamp(-LOUDEST, LOUDEST)
        held = torch.cat([self._held, sound], dim=1)
        n_spectra = max(0, (held.shape[1] - self.window_frames) // self.hop_frames + 1)
        if n_spectra == 0:
            self._held = held
            return torch.zeros(self._n_channels, 0, self.n_bins, dtype=torch.complex64, device=self._device)
        windows = held.unfold(1, self.window_frames, self.hop_frames)[:, :n_spectra]
        self._held = held[:, n_spectra * self.hop_frames :].clone()
        spectra: torch.Tensor = torch.fft.rfft(windows * self.window, dim=2)
        return spectra


class Istft:
    """Spectra in, samples out: the inverse of `Stft`, a window less a hop later.

    The first samples to come out stand for the silence before the stream: `latency_frames` of them.
    """

    def __init__(self, n_channels: int, window_frames: int = 1024, hop_frames: int = 256, device: str = "cpu") -> None:
        self.window = sqrt_hann(window_frames, hop_frames, device)
        self.window_frames = window_frames
        self.hop_frames = hop_frames
        self._tail = torch.zeros(n_channels, window_frames - hop_frames, device=device)

    @property
    def latency_frames(self) -> int:
        """How many samples the output lags behind the input of `Stft`."""
        return self.window_frames - self.hop_frames

    def push(self, spectra: torch.Tensor) -> torch.Tensor:
        """The samples that become complete with these spectra.

        Args:
            spectra: complex64, shape (channels, spectra, bins).

        Returns:
            float32, shape (channels, spectra * hop).
        """
        n_channels, n_spectra, _ = spectra.shape
        if n_spectra == 0:
            return torch.zeros(n_channels, 0, device=self._tail.device)
        windows = torch.fft.irfft(spectra, n=self.window_frames, dim=2) * self.window
        length = self._tail.shape[1] + n_spectra * self.hop_frames
        total = torch.zeros(n_channels, length, device=self._tail.device)
        total[:, : self._tail.shape[1]] = self._tail
        # Windows that start a whole window apart do not overlap, so each such set is added in one stroke.
        per_window = self.window_frames // self.hop_frames
        for first in range(min(per_window, n_spectra)):
            some = windows[:, first::per_window].reshape(n_channels, -1)
            start = first * self.hop_frames
            total[:, start : start + some.shape[1]] += some
        ready = n_spectra * self.hop_frames
        self._tail = total[:, ready:].clone()
        return total[:, :ready]
