"""How far a beam stands above its own background: the level of the noise, followed over time."""

from __future__ import annotations

import math

import numpy as np

from pipeline.packets import Float32Array

_SILENCE_POWER = 1e-12
_SMOOTHING_S = 0.05


class NoiseFloor:
    """Follows the level of one stream and the floor under it, both in dB of full scale.

    The floor falls at once to a lower level and rises by `rise_db_per_s` otherwise, so that it stays under speech, which
    pauses, and reaches a noise that has come to stay.
    """

    def __init__(self, rise_db_per_s: float) -> None:
        self._rise_db_per_s = rise_db_per_s
        self._power: float | None = None
        self._floor_dbfs = 0.0
        self.level_dbfs = 0.0

    def hear(self, samples: Float32Array, duration_s: float) -> None:
        """Go on by these samples, shape (frames,)."""
        power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
        if self._power is None:
            self._power, self._floor_dbfs = power, math.inf
        else:
            keep = math.exp(-duration_s / _SMOOTHING_S)
            self._power = keep * self._power + (1 - keep) * power
        self.level_dbfs = 10 * math.log10(self._power + _SILENCE_POWER)
        self._floor_dbfs = min(self.level_dbfs, self._floor_dbfs + self._rise_db_per_s * duration_s)

    @property
    def rise_db(self) -> float:
        """By how much the level stands above the floor."""
        return self.level_dbfs - self._floor_dbfs
