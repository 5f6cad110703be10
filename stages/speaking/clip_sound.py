"""Clips as sound to play: read, brought to one rate, with pauses between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from pipeline.packets import Float32Array
from stages.speaking.speaking_errors import SpeakingError

CLIP_RATE_HZ = 48000


def clip_pieces(paths: Iterable[Path], pause_s: float) -> Iterator[Float32Array]:
    """Sound files in their order, each mono at CLIP_RATE_HZ, float32, shape (frames,), with a pause behind it. Raises SpeakingError."""
    import soundfile
    import soxr

    pause = np.zeros(round(pause_s * CLIP_RATE_HZ), dtype=np.float32)
    for path in paths:
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            raise SpeakingError(f"{path}: the clip cannot be read ({error}); ask again, and it is cut anew") from error
        mono = samples.mean(axis=1)
        resampled = mono if rate == CLIP_RATE_HZ else soxr.resample(mono, rate, CLIP_RATE_HZ)
        yield np.concatenate([resampled, pause]).astype(np.float32, copy=False)
