"""Which parts of a short recording stand out from its background, by level alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

STEP_S = 0.01
_WINDOW_S = 0.03
_SILENCE_POWER = 1e-12
# Soft consonants lie up to 35 dB under the loudest syllables.
_SPEECH_RANGE_DB = 35.0
# Where loud and soft differ by less than this, level says nothing: everything counts as active.
_FLAT_DB = 10.0
_SILENCE_DBFS = -75.0


def active_steps(samples: npt.NDArray[np.float32], sample_rate_hz: int) -> npt.NDArray[np.bool_]:
    """Whether each step of 10 ms is active.

    The threshold lies between the recording's soft (10th percentile) and loud (95th percentile) levels, a third of the way
    up, but no more than 35 dB under the loud one.

    Args:
        samples: float32, shape (frames,), full scale is +-1.
        sample_rate_hz: of the samples.

    Returns:
        bool, shape (ceil(frames / step),).
    """
    level_db = _level_db(samples, sample_rate_hz)
    if not len(level_db):
        return np.zeros(0, dtype=bool)
    soft, loud = np.percentile(level_db, [10, 95])
    if loud < _SILENCE_DBFS:
        return np.zeros(len(level_db), dtype=bool)
    if loud - soft < _FLAT_DB:
        return np.ones(len(level_db), dtype=bool)
    return np.asarray(level_db >= max(soft + (loud - soft) / 3, loud - _SPEECH_RANGE_DB))


def contrast_db(samples: npt.NDArray[np.float32], sample_rate_hz: int) -> float:
    """How far the loud parts (95th percentile) of a recording stand over its soft ones (10th), in dB; 0 where there is nothing."""
    level_db = _level_db(samples, sample_rate_hz)
    if not len(level_db):
        return 0.0
    soft, loud = np.percentile(level_db, [10, 95])
    return float(loud - soft)


def _level_db(samples: npt.NDArray[np.float32], sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """The level of each step, over a window that is a little longer."""
    step = max(1, round(STEP_S * sample_rate_hz))
    n_steps = -(-len(samples) // step)
    if not n_steps:
        return np.zeros(0)
    half = max(0, round(_WINDOW_S * sample_rate_hz) - step) // 2
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    first = np.arange(n_steps) * step
    begin, end = np.maximum(first - half, 0), np.minimum(first + step + half, len(samples))
    return np.asarray(10 * np.log10((total[end] - total[begin]) / (end - begin) + _SILENCE_POWER))
