"""How loud a beam was over a time."""

from __future__ import annotations

import math

import numpy as np

from pipeline.packets import Utterance

_SILENCE_POWER = 1e-12


def level_db(utterance: Utterance, start_ns: int, end_ns: int) -> float:
    """The level of an utterance's audio from `start_ns` to `end_ns` of the session, in dB of full scale; -120 for silence or nothing."""
    samples = utterance.between(start_ns, end_ns)
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * math.log10(power + _SILENCE_POWER)
