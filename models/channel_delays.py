"""How much later each channel of an array hears a sound than another channel does, a chunk at a time.

The chunk's cross spectra are divided by their auto spectra (SCOT, Carter, Nuttall and Cable 1973): bins that the channels agree on
weigh more. The delay is the place of the peak of the correlation (Knapp and Carter 1976), finer than a sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from models.step_sizes import localiser_window

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
Complex128Array = npt.NDArray[np.complex128]

HOPS_PER_CHUNK = 16
LOWEST_HZ = 100.0
HIGHEST_HZ = 4000.0
N_FINE = 8
"""How much finer than the samples the correlation is worked out, before its peak is interpolated."""
TINY = 1e-30


@dataclass(frozen=True)
class Delays:
    """What one chunk says: `later_s` and `agreement` (0 to 1, the height of the peak) of each channel, float64, shape (channels,)."""

    later_s: Float64Array
    agreement: Float64Array


class ChunkSpectra:
    """Spectra of chunks of a fixed length.

    Args:
        sample_rate_hz: of the samples.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._window_frames, self._hop_frames = localiser_window(sample_rate_hz)
        self._window = np.hanning(self._window_frames + 1)[:-1].astype(np.float32)
        self.sample_rate_hz = sample_rate_hz
        self.chunk_frames = HOPS_PER_CHUNK * self._hop_frames
        frequency_hz = np.fft.rfftfreq(self._window_frames, 1.0 / sample_rate_hz)
        self.bins = np.flatnonzero((frequency_hz >= LOWEST_HZ) & (frequency_hz <= HIGHEST_HZ))
        self.frequency_hz: Float64Array = np.asarray(frequency_hz[self.bins], dtype=np.float64)

    def cross(self, chunk: Float32Array) -> Complex128Array:
        """The cross spectra of a chunk, float32, shape (channels, chunk_frames): complex128, shape (bins, channels, channels)."""
        windows = np.lib.stride_tricks.sliding_window_view(chunk, self._window_frames, axis=1)[:, :: self._hop_frames]
        spectra = scipy.fft.rfft(windows * self._window, axis=2)[:, :, self.bins].transpose(2, 0, 1)
        return np.asarray(spectra @ spectra.conj().transpose(0, 2, 1), dtype=np.complex128)

    def delays(self, cross: Complex128Array, reference: int, most_s: float) -> Delays:
        """How much later than channel `reference` the others hear the chunk, looked for up to `most_s` either way.

        Args:
            cross: what `cross` gave, complex128, shape (bins, channels, channels).
            reference: the channel that the delays are told against.
            most_s: the longest delay that is looked for, in seconds.
        """
        power = np.einsum("fcc->fc", cross).real
        weighted = cross[:, reference, :].T / np.sqrt(power * power[:, [reference]] + TINY).T
        n_fft = self._window_frames * N_FINE
        spectrum = np.zeros((len(weighted), n_fft // 2 + 1), dtype=np.complex64)
        # cross[reference, c] is X_ref conj(X_c): a channel that is later turns it forwards.
        spectrum[:, self.bins] = weighted.conj()
        n_most = min(n_fft // 2 - 2, int(np.ceil(most_s * self.sample_rate_hz * N_FINE)))
        correlation = scipy.fft.irfft(spectrum, n_fft, axis=1) * (n_fft / 2 / len(self.bins))
        lags = np.concatenate([correlation[:, -n_most - 1 :], correlation[:, : n_most + 2]], axis=1)
        best = np.argmax(lags[:, 1:-1], axis=1) + 1
        rows = np.arange(len(lags))
        before, at, after = lags[rows, best - 1], lags[rows, best], lags[rows, best + 1]
        bend = before - 2.0 * at + after
        shift = np.where(bend < -1e-12, 0.5 * (before - after) / np.where(bend < -1e-12, bend, 1.0), 0.0)
        later = (best + np.clip(shift, -0.5, 0.5) - n_most - 1) / (self.sample_rate_hz * N_FINE)
        return Delays(later, np.clip(at, 0.0, 1.0))
