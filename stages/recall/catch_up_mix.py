"""A catch-up for the ears: the quotes of an answer one after the other in stereo, each from where it was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.stereo_place import levelled, limited, placed
from pipeline.packets import Float32Array
from stages.recall.clips import faded

SAMPLE_RATE_HZ = 48000
PAUSE_S = 0.6


class MixError(RuntimeError):
    """A clip cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Quote:
    """A clip to be heard: its file, cut at words and faded, and where it was said (None: nobody knows, so the middle)."""

    clip: Path
    azimuth_deg: float | None


def mix(quotes: Sequence[Quote], facing_deg: float = 0.0, pause_s: float = PAUSE_S) -> Float32Array:
    """The quotes in the order given, float32, shape (2, frames), left first, at 48 kHz, for a listener who faces `facing_deg`.

    Each is brought to one loudness and placed by level and time between the ears; nothing is cut, and nothing clips. Raises MixError
    where a clip cannot be read.
    """
    pause = np.zeros((2, round(pause_s * SAMPLE_RATE_HZ)), dtype=np.float32)
    pieces: list[Float32Array] = []
    for quote in quotes:
        mono = faded(levelled(_read(quote.clip), SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
        pieces += [pause] if pieces else []
        pieces.append(placed(mono, SAMPLE_RATE_HZ, quote.azimuth_deg, facing_deg))
    if not pieces:
        return np.zeros((2, 0), dtype=np.float32)
    return limited(np.concatenate(pieces, axis=1), SAMPLE_RATE_HZ)


def _read(path: Path) -> Float32Array:
    """A clip as mono at 48 kHz, float32, shape (frames,)."""
    import soundfile
    import soxr

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise MixError(f"{path}: the clip cannot be read ({error}); ask again, and it is cut anew") from error
    mono = samples.mean(axis=1)
    resampled = mono if rate == SAMPLE_RATE_HZ else soxr.resample(mono, rate, SAMPLE_RATE_HZ)
    return np.ascontiguousarray(resampled, dtype=np.float32)
