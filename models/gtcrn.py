"""GTCRN, a small denoiser of speech, through onnxruntime: spectra of one stream in, cleaner ones out, a hop at a time.

Rong, Sun, Zhang, Hu, Zhu and Lu (2024), GTCRN: a speech enhancement model requiring ultralow computational resources (ICASSP).
Weights: gtcrn.onnx, the authors' streaming export (MIT). Windows of 512 samples at 16 kHz, square root of a Hann window, hop 256.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 16000
WINDOW_FRAMES = 512
HOP_FRAMES = 256
LATENCY_FRAMES = WINDOW_FRAMES - HOP_FRAMES
_CONVOLUTIONS = (2, 1, 16, 16, 33)
_ATTENTION = (2, 3, 1, 1, 16)
_RECURRENT = (2, 1, 33, 16)


class GtcrnError(ValueError):
    """The network was handed something that it cannot clean."""


def _zeros(*shape: int) -> Float32Array:
    return np.zeros(shape, dtype=np.float32)


@dataclass
class GtcrnState:
    """What the network remembers of one stream, and the samples that are between its windows."""

    convolutions: Float32Array = field(default_factory=lambda: _zeros(*_CONVOLUTIONS))
    attention: Float32Array = field(default_factory=lambda: _zeros(*_ATTENTION))
    recurrent: Float32Array = field(default_factory=lambda: _zeros(*_RECURRENT))
    waiting: Float32Array = field(default_factory=lambda: _zeros(LATENCY_FRAMES))
    tail: Float32Array = field(default_factory=lambda: _zeros(LATENCY_FRAMES))


class Gtcrn:
    """The loaded network. It holds no stream: every call takes the state of the stream that it goes on with."""

    def __init__(self, path: Path, n_threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._window = np.sqrt(np.hanning(WINDOW_FRAMES + 1)[:-1]).astype(np.float32)

    def push(self, samples: Float32Array, state: GtcrnState) -> Float32Array:
        """Clean what became complete with these samples; moves the state on.

        Args:
            samples: float32, shape (frames,), at 16 kHz, any number of them.
            state: of the stream that they go on with.

        Returns:
            float32, shape (frames,), a whole number of hops. The first 256 samples of a stream stand for the silence before it.

        Raises:
            GtcrnError: the samples have more than one dimension.
        """
        if samples.ndim != 1:
            raise GtcrnError(f"GTCRN: samples of shape {samples.shape}; there must be one dimension, at {SAMPLE_RATE_HZ} Hz")
        held = np.concatenate([state.waiting, np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)])
        out = []
        first = 0
        while first + WINDOW_FRAMES <= len(held):
            spectrum = np.fft.rfft(held[first : first + WINDOW_FRAMES] * self._window)
            mix = np.stack([spectrum.real, spectrum.imag], axis=-1).astype(np.float32)[None, :, None, :]
            clean, state.convolutions, state.attention, state.recurrent = self._session.run(
                None,
                {"mix": mix, "conv_cache": state.convolutions, "tra_cache": state.attention, "inter_cache": state.recurrent},
            )
            window = np.fft.irfft(clean[0, :, 0, 0] + 1j * clean[0, :, 0, 1], WINDOW_FRAMES).astype(np.float32) * self._window
            out.append(state.tail + window[:HOP_FRAMES])
            state.tail = window[HOP_FRAMES:]
            first += HOP_FRAMES
        state.waiting = held[first:].copy()
        return np.concatenate(out) if out else _zeros(0)
