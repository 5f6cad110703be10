"""Silero VAD, a small recurrent network, through onnxruntime: the probability that a chunk of audio holds speech.

Weights: silero_vad.onnx of the silero-vad project, version 6 (MIT).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 16000
CHUNK_FRAMES = 512
CONTEXT_FRAMES = 64
_STATE_SHAPE = (2, 1, 128)


class SileroError(ValueError):
    """The network was handed something that it cannot judge."""


@dataclass
class SileroState:
    """What the network remembers of one stream: its recurrent state and the end of the chunk before."""

    recurrent: Float32Array = field(default_factory=lambda: np.zeros(_STATE_SHAPE, dtype=np.float32))
    context: Float32Array = field(default_factory=lambda: np.zeros(CONTEXT_FRAMES, dtype=np.float32))


class Silero:
    """The loaded network. It holds no stream: every call takes the state of the stream that it goes on with."""

    def __init__(self, path: Path, n_threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._rate = np.array(SAMPLE_RATE_HZ, dtype=np.int64)

    def probability(self, chunk: Float32Array, state: SileroState) -> float:
        """The probability (0 to 1) that a chunk holds speech; moves the state on.

        Args:
            chunk: float32, shape (512,), at 16 kHz.
            state: of the stream that this chunk goes on with.

        Raises:
            SileroError: the chunk has another length.
        """
        if chunk.shape != (CHUNK_FRAMES,):
            raise SileroError(f"Silero: a chunk has shape {chunk.shape}; it must be ({CHUNK_FRAMES},), at {SAMPLE_RATE_HZ} Hz")
        heard = np.concatenate([state.context, chunk])[None, :]
        probability, recurrent = self._session.run(None, {"input": heard, "state": state.recurrent, "sr": self._rate})
        state.recurrent = recurrent
        state.context = chunk[-CONTEXT_FRAMES:].copy()
        return float(probability[0, 0])
