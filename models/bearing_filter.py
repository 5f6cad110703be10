"""A Kalman filter for one bearing that may move: where it is, how fast it turns, and how sure both are. Plain numbers: cheap to import.

The state is azimuth and rate with white-noise acceleration, the "nearly constant velocity" model (Bar-Shalom, Li and Kirubarajan 2001,
sec. 6.2.2). Between words the rate fades, since whoever is not heard is more likely to have stopped than to walk on for ever.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WIDEST_DEG2 = 100.0
FASTEST_DEG_PER_S = 60.0
WIDEST_RATE_DEG2_PER_S2 = 900.0


@dataclass
class BearingFilter:
    """A bearing that is followed.

    `azimuth_deg` is in [0, 360) where `circular`, else in [0, 180]; `rate_deg_per_s` is how fast it turns. `variance_deg2`, `cross`
    and `rate_variance` are the covariance of the two (deg2, deg2/s, deg2/s2).
    """

    azimuth_deg: float
    circular: bool
    variance_deg2: float = WIDEST_DEG2
    rate_deg_per_s: float = 0.0
    cross: float = 0.0
    rate_variance: float = WIDEST_RATE_DEG2_PER_S2

    def predict(self, duration_s: float, acceleration_deg2_per_s3: float, fade_s: float) -> None:
        """Move on by `duration_s`: eq. 6.2.2-12, with the rate fading with the time constant `fade_s` (math.inf: not at all)."""
        keep = math.exp(-duration_s / fade_s)
        reach_s = duration_s if keep == 1.0 else fade_s * (1.0 - keep)
        self.azimuth_deg = turned(self.azimuth_deg, reach_s * self.rate_deg_per_s, self.circular)
        self.rate_deg_per_s *= keep
        q = acceleration_deg2_per_s3
        self.variance_deg2 += 2.0 * reach_s * self.cross + reach_s**2 * self.rate_variance + q * duration_s**3 / 3.0
        self.cross = keep * (self.cross + reach_s * self.rate_variance) + q * duration_s**2 / 2.0
        self.rate_variance = keep**2 * self.rate_variance + q * duration_s
        self._bound()

    def update(self, azimuth_deg: float, noise_deg2: float) -> float:
        """Take in a bearing whose error has the variance `noise_deg2`; the gain (0 to 1) that it got."""
        innovation = difference_deg(azimuth_deg, self.azimuth_deg, self.circular)
        total = self.variance_deg2 + noise_deg2
        gain, rate_gain = self.variance_deg2 / total, self.cross / total
        self.azimuth_deg = turned(self.azimuth_deg, gain * innovation, self.circular)
        rate = self.rate_deg_per_s + rate_gain * innovation
        self.rate_deg_per_s = max(-FASTEST_DEG_PER_S, min(FASTEST_DEG_PER_S, rate))
        self.rate_variance -= rate_gain * self.cross
        self.cross *= 1.0 - gain
        self.variance_deg2 *= 1.0 - gain
        return gain

    def loosen(self) -> None:
        """Whoever was here may have shifted meanwhile: stand still, and believe the next bearings."""
        self.variance_deg2, self.cross = WIDEST_DEG2, 0.0
        self.rate_deg_per_s, self.rate_variance = 0.0, WIDEST_RATE_DEG2_PER_S2

    def _bound(self) -> None:
        """Keep the covariance finite and positive: unsure beyond a bound is just unsure."""
        if self.variance_deg2 > WIDEST_DEG2:
            self.cross *= math.sqrt(WIDEST_DEG2 / self.variance_deg2)
            self.variance_deg2 = WIDEST_DEG2
        if self.rate_variance > WIDEST_RATE_DEG2_PER_S2:
            self.cross *= math.sqrt(WIDEST_RATE_DEG2_PER_S2 / self.rate_variance)
            self.rate_variance = WIDEST_RATE_DEG2_PER_S2


def difference_deg(to_deg: float, from_deg: float, circular: bool) -> float:
    """How far it is from one azimuth to another, the short way round, in [-180, 180)."""
    return (to_deg - from_deg + 180.0) % 360.0 - 180.0 if circular else to_deg - from_deg


def turned(azimuth_deg: float, by_deg: float, circular: bool) -> float:
    """An azimuth turned by an angle; on a line of microphones it stops at 0 and 180."""
    if not circular:
        return max(0.0, min(180.0, azimuth_deg + by_deg))
    # The outer modulo: a tiny negative sum rounds to exactly 360.
    return (azimuth_deg + by_deg) % 360.0 % 360.0
