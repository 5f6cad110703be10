"""How loud a beam was over a time."""

from __future__ import annotations

import math

import numpy as np

from pipeline.packets import NS_PER_S, Utterance

_SILENCE_POWER = 1e-12


def level_db(utterance: Utterance, start_ns: int, end_ns: int) -> float:
    """The level of an utterance's audio from `start_ns` to `end_ns` of the session, in dB of full scale; -120 for silence or nothing."""
    first, last = (max(0, (time_ns - utterance.audio_pts_ns) * utterance.sample_rate_hz // NS_PER_S) for time_ns in (start_ns, end_ns))
    samples = utterance.samples[first:last]
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * math.log10(power + _SILENCE_POWER)
