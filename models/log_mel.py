"""Logarithms of the energy in mel bands, as the speech toolkit Kaldi computes them: what encoders of voices are trained on.

Frames of 25 ms every 10 ms, whole ones only. Each is freed of its mean, pre-emphasised by 0.97 and windowed by a Hann window to the
power of 0.85 (Povey's window), and its power spectrum over 512 points is summed in triangles that are equally wide on the mel scale
m(f) = 1127 ln(1 + f / 700) between 20 Hz and half the sample rate. The triangles are straight in mel, not in hertz, and the bin at
half the sample rate belongs to none. Defaults of Kaldi's compute-fbank-feats, without dither (Povey et al., "The Kaldi speech
recognition toolkit", 2011).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

SAMPLE_RATE_HZ = 16000
FRAME_SAMPLES = 400
FRAME_STEP = 160
BANDS = 80
_FFT = 512
_LOWEST_HZ = 20.0
_PRE_EMPHASIS = 0.97
_LEAST_ENERGY = float(np.finfo(np.float32).eps)


def log_mel(samples: Float32Array) -> Float32Array:
    """The natural logarithm of the energy in 80 bands, every 10 ms.

    Args:
        samples: float32, shape (frames,), at 16 kHz, at least 400 of them.

    Returns:
        Float32, shape (1 + (frames - 400) // 160, 80).
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), FRAME_SAMPLES)[::FRAME_STEP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    emphasised = frames.copy()
    emphasised[:, 1:] -= _PRE_EMPHASIS * frames[:, :-1]
    emphasised[:, 0] *= 1.0 - _PRE_EMPHASIS
    spectrum = np.fft.rfft(emphasised * _WINDOW, _FFT, axis=1)
    energies = (np.square(spectrum.real) + np.square(spectrum.imag)) @ _TRIANGLES
    return np.log(np.maximum(energies, _LEAST_ENERGY)).astype(np.float32)


def _mel(frequency_hz: npt.ArrayLike) -> Float64Array:
    return np.asarray(1127.0 * np.log1p(np.asarray(frequency_hz, dtype=np.float64) / 700.0))


def _triangles() -> Float64Array:
    """How much of each bin belongs to each band, shape (257, 80)."""
    edges = np.linspace(_mel(_LOWEST_HZ), _mel(SAMPLE_RATE_HZ / 2), BANDS + 2)
    bins = _mel(np.arange(_FFT // 2 + 1) * (SAMPLE_RATE_HZ / _FFT))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    shares = np.maximum(0.0, np.minimum(rising, falling))
    shares[-1] = 0.0
    return shares


_WINDOW: Float64Array = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FRAME_SAMPLES) / (FRAME_SAMPLES - 1))) ** 0.85
_TRIANGLES = _triangles()
