"""Dereverberation by weighted prediction error (WPE), online: late reverberation is foretold from the past and taken away.

Yoshioka and Nakatani (2012), Generalization of multi-channel linear prediction methods for blind MIMO impulse response shortening; the
recursive form as in Caroselli, Shafran, Narayanan and Rose (2017) and Drude et al. (2018, NARA-WPE). In each bin, with the past
p = (y[t - delay], ..., y[t - delay - taps + 1]) of some channels:

    x = y - G^H p                  what is left, with the filter so far
    k = P p / (alpha w + p^H P p)  w: power of x, the mean over the channels
    P = (P - k p^H P) / alpha,     G = G + k x^H
"""

from __future__ import annotations

import torch

from models.stft import Istft, Stft

WINDOW_FRAMES = 512
HOP_FRAMES = 256
LEAST_POWER = 1e-9
"""Of a bin in units of full scale: what is quieter teaches nothing."""
MOST_GAIN = 100.0
"""A bin that ends up so many times over what went in has a filter that rounding broke; it begins anew."""
STEPS_TO_EVEN = 8
"""After so many steps P is made Hermitian again: what rounding makes uneven grows as the past is forgotten."""
START = 0.1
"""P at first. With 1 the filter fits its first frames so well that it takes the first words away with the reverberation."""
LARGEST_INVERSE = 1e4
"""Of the mean of P's diagonal: what silence or equal channels leave unknown is not forgotten any further."""


class WpeError(ValueError):
    """A setting that WPE cannot work with."""


class WpeFilter:
    """The recursion, for all bins at once.

    Args:
        n_channels: channels of the spectra.
        n_bins: bins of the spectra.
        taps: how many past frames of each predictor are used.
        delay: how many frames back the past begins; 2 at least, so that speech itself stays.
        alpha: how slowly the past is forgotten, per frame, over 0 and at most 1.
        predictors: the channels whose past is used; None for all.
        device: where the work is done.

    Raises WpeError where a setting is out of its range.
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        taps: int = 10,
        delay: int = 3,
        alpha: float = 0.9995,
        predictors: list[int] | None = None,
        device: str = "cpu",
        dtype: torch.dtype = torch.complex64,
    ) -> None:
        if taps < 1 or delay < 2 or not 0.0 < alpha <= 1.0:
            raise WpeError(
                f"WPE: taps {taps}, delay {delay}, alpha {alpha:g}; taps must be 1 or more, delay 2 or more, alpha over 0, at most 1"
            )
        self._predictors = torch.tensor(list(range(n_channels)) if predictors is None else predictors, device=device)
        n_past = taps * len(self._predictors)
        self._taps, self._delay, self._alpha = taps, delay, alpha
        self._inverse = START * torch.eye(n_past, dtype=dtype, device=device).repeat(n_bins, 1, 1)
        self._filter = torch.zeros(n_bins, n_past, n_channels, dtype=dtype, device=device)
        self._n_steps = 0
        self._history = torch.zeros(n_bins, taps + delay, len(self._predictors), dtype=dtype, device=device)

    def forget_sound(self) -> None:
        """What comes next does not go on with what came before; the filters stay."""
        self._history.zero_()

    def _begin_anew(self, bins: torch.Tensor) -> None:
        """Unlearn some bins, bool, shape (bins,): rounding has made them useless."""
        self._inverse[bins] = START * torch.eye(self._inverse.shape[1], dtype=self._inverse.dtype, device=self._inverse.device)
        self._filter[bins] = 0.0

    def step(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Take the reverberation out of one frame.

        Args:
            spectrum: complex, shape (bins, channels).

        Returns:
            complex, shape (bins, channels).
        """
        past = self._history[:, self._delay - 1 : self._delay - 1 + self._taps].reshape(len(spectrum), -1, 1)
        self._history = torch.cat([spectrum[:, None, self._predictors], self._history[:, :-1]], dim=1)
        left = spectrum - (self._filter.conj().transpose(1, 2) @ past)[:, :, 0]
        turned = self._inverse @ past
        fit = (past.conj() * turned).real.sum(dim=(1, 2))
        power = left.abs().square().mean(dim=1)
        before = past.abs().square().mean(dim=(1, 2))
        heard = spectrum.abs().square().mean(dim=1) + before
        broken = ~((fit >= 0.0) & (power <= MOST_GAIN * heard.clamp(min=LEAST_POWER)))
        if broken.any():
            self._begin_anew(broken)
            left = torch.where(broken[:, None], spectrum, left)
        teaches = ~broken & (power > LEAST_POWER) & (before > LEAST_POWER)
        weight = torch.where(teaches, 1.0 / (self._alpha * power + fit), torch.zeros_like(power))
        turned = torch.where(broken[:, None, None], torch.zeros_like(turned), turned)
        gain = turned * weight[:, None, None]
        self._inverse.baddbmm_(gain, turned.conj().transpose(1, 2), alpha=-1.0)
        known = self._inverse.diagonal(dim1=1, dim2=2).real.mean(dim=1) < LARGEST_INVERSE
        self._inverse *= torch.where(teaches & known, torch.full_like(power, 1.0 / self._alpha), torch.ones_like(power))[:, None, None]
        self._filter.baddbmm_(gain, left.conj()[:, None, :])
        self._n_steps += 1
        if self._n_steps % STEPS_TO_EVEN == 0:
            self._inverse = 0.5 * (self._inverse + self._inverse.conj().transpose(1, 2))
        return left


class Wpe:
    """WPE for streams of samples at 16 kHz or so: 32 ms windows in 16 ms hops there.

    Args:
        n_channels: how many channels there are.
        highest_bins: only so many bins from below are worked on; the others pass.
        taps: see `WpeFilter`; delay, alpha, predictors and device too.
    """

    def __init__(
        self,
        n_channels: int,
        highest_bins: int = WINDOW_FRAMES // 2 + 1,
        taps: int = 10,
        delay: int = 3,
        alpha: float = 0.9995,
        predictors: list[int] | None = None,
        device: str = "cpu",
    ) -> None:
        self._n_channels = n_channels
        self._device = device
        self._n_bins = min(highest_bins, WINDOW_FRAMES // 2 + 1)
        self._filter = WpeFilter(n_channels, self._n_bins, taps, delay, alpha, predictors, device)
        self.reset()

    def reset(self) -> None:
        """What comes next is a new stretch of sound; what was learnt about the room stays."""
        self._stft = Stft(self._n_channels, WINDOW_FRAMES, HOP_FRAMES, self._device)
        self._istft = Istft(self._n_channels, WINDOW_FRAMES, HOP_FRAMES, self._device)
        self._filter.forget_sound()

    @property
    def latency_frames(self) -> int:
        """How many samples, standing for the silence before, come out before the first."""
        return self._istft.latency_frames

    def push(self, samples: torch.Tensor) -> torch.Tensor:
        """What becomes complete with these samples.

        Args:
            samples: float32, shape (channels, frames).

        Returns:
            float32, shape (channels, frames), a whole number of hops.
        """
        spectra = self._stft.push(samples)
        done = spectra.clone()
        for index in range(spectra.shape[1]):
            done[:, index, : self._n_bins] = self._filter.step(spectra[:, index, : self._n_bins].T).T
        return self._istft.push(done)
