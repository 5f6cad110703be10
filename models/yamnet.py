"""YAMNet: which of the 521 sounds of AudioSet are in a second of audio, and an embedding of it.

MobileNet v1 (Howard et al. 2017, arXiv 1704.04861) on log-mel patches, trained on AudioSet (Gemmeke et al. 2017); the features are those of
VGGish (Hershey et al. 2017, arXiv 1609.09430) with windows of 0.975 s. The weights come as a quantised export; its rounding is taken out
(`models/float_onnx.py`), which also gives the 1024 numbers before the last layer.
"""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.float_onnx import OnnxFileError, float_network

Float32Array = npt.NDArray[np.float32]

RATE_HZ = 16000
STEP_FRAMES = 160
FRAME_FRAMES = 400
N_STEPS = 96
WINDOW_FRAMES = (N_STEPS - 1) * STEP_FRAMES + FRAME_FRAMES
"""Samples that one judgement is made of: 0.975 s."""
HOP_FRAMES = WINDOW_FRAMES // 2 // STEP_FRAMES * STEP_FRAMES
"""Samples between two judgements: 0.48 s."""
N_CLASSES = 521
DIMENSION = 1024

_N_FFT = 512
_N_BANDS = 64
_LOWEST_HZ, _HIGHEST_HZ = 125.0, 7500.0
_LOG_OFFSET = 0.001
_STEEPEST = 60.0  # beyond it a score is 0 or 1 in float32, and exp overflows


class YamnetError(ValueError):
    """A file of the network is not what it should be, or audio has the wrong shape."""


@dataclass(frozen=True)
class Judgement:
    """What one window holds: scores (0 to 1, each class by itself), float32, shape (521,), and the embedding, float32, shape (1024,)."""

    scores: Float32Array
    embedding: Float32Array


class Yamnet:
    """The network on one CPU.

    Args:
        archive: the zip file with `model.onnx` and `model.data`.
        n_threads: for onnxruntime.

    Raises YamnetError where the archive is not that of the network.
    """

    def __init__(self, archive: Path, n_threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # a word on each constant that it folds
        outputs = {"class_scores": (1, N_CLASSES), "/model/Reshape_output_0": (1, DIMENSION)}
        try:
            model, data = _members(archive)
            network = float_network(model, data, outputs)
            self._session: Any = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        except (OnnxFileError, zipfile.BadZipFile, KeyError) as error:
            raise YamnetError(f"{archive}: not YAMNet's archive: {error}; `echoic models fetch yamnet` brings it anew") from error
        self._bands = mel_bands()
        self._window = np.hanning(FRAME_FRAMES + 1)[:-1].astype(np.float32)

    def judge(self, samples: Float32Array) -> Judgement:
        """What a window holds. `samples` is float32, shape (15600,), 16 kHz, full scale +-1. Raises YamnetError for another shape."""
        if samples.shape != (WINDOW_FRAMES,):
            raise YamnetError(f"a window has shape ({WINDOW_FRAMES},), found {samples.shape}")
        frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_FRAMES)[::STEP_FRAMES]
        magnitudes = np.abs(np.fft.rfft(frames * self._window, _N_FFT)).astype(np.float32)
        patch = np.log(magnitudes @ self._bands + np.float32(_LOG_OFFSET))
        logits, embedding = self._session.run(None, {"audio": patch[None, None]})
        scores: Float32Array = (1.0 / (1.0 + np.exp(-np.clip(logits[0], -_STEEPEST, _STEEPEST)))).astype(np.float32)
        return Judgement(scores, embedding[0])


def mel_bands() -> Float32Array:
    """Triangles of equal width on the mel scale (1127 ln(1 + f / 700)) over the bins of an FFT, float32, shape (257, 64)."""
    mel = 1127.0 * np.log1p(np.linspace(0.0, RATE_HZ / 2, _N_FFT // 2 + 1) / 700.0)
    lowest, highest = (1127.0 * float(np.log1p(edge_hz / 700.0)) for edge_hz in (_LOWEST_HZ, _HIGHEST_HZ))
    edges = np.linspace(lowest, highest, _N_BANDS + 2)
    up = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
    bands: Float32Array = np.maximum(0.0, np.minimum(up, down)).astype(np.float32)
    return bands


def class_names(path: Path) -> tuple[str, ...]:
    """The 521 names from the class map (columns index, mid, display_name). Raises YamnetError where the file is another one."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            names = tuple(row["display_name"] for row in csv.DictReader(stream))
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise YamnetError(f"{path}: not the class map: {error!r}; `echoic models fetch yamnet` brings it anew") from error
    if len(names) != N_CLASSES:
        raise YamnetError(f"{path}: {len(names)} classes, expected {N_CLASSES}; `echoic models fetch yamnet` brings it anew")
    return names


def _members(archive: Path) -> tuple[bytes, bytes]:
    """The graph and its weights; the folder they lie in is named after a job of whoever exported them."""
    with zipfile.ZipFile(archive) as opened:
        names = {Path(name).name: name for name in opened.namelist()}
        return opened.read(names["model.onnx"]), opened.read(names["model.data"])
