"""Does each channel's microphone stand where the geometry says? Swapped, misplaced and drifting channels, and wrong geometries.

Only chunks in which all channels agree on their delays count. Their misfits to every reading of the geometry
(`models.geometry_fit`) are averaged over some ten seconds of them; a reading must be far better than what holds, and than all others.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import numpy.typing as npt

from models.channel_delays import Delays
from models.channel_faults import Finding
from models.geometry_fit import Fit, GeometryFit, Reading
from models.steering import SPEED_OF_SOUND_M_PER_S

Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

MARGIN_S = 0.001
AGREED = 0.4
MEMORY_CHUNKS = 40
LEAST_CHUNKS = 12
GEOMETRY_CHUNKS = 24
MISFIT_M = 0.006
MISFIT_SHARE_OF_APERTURE = 0.05
BETTER = 0.15
"""A reading must leave less than this share of the mean squared misfit."""
UNIQUE = 2.0
MISFITTING = 0.5
FITTING = 0.75
"""At most this share of the chunks fits the geometry as given, and at least this share the reading that replaces it."""
GEOMETRY_SHARE = 0.85
FASTEST = 1.2
TREND_CHUNKS = 120
TREND_LEAST_S = 2.0
TREND_LEAST_PPM = 3.0


class ChannelPlaces:
    """Follows how an array's delays fit.

    `place[c]` is the microphone that channel c is taken to be; `out` are the channels that fit nowhere.

    Args:
        positions_m: where the microphones are said to be, float64, shape (channels, 3).
    """

    def __init__(self, positions_m: Float64Array) -> None:
        self._positions = positions_m
        n = len(positions_m)
        self.place: npt.NDArray[np.intp] = np.arange(n)
        self.out: BoolArray = np.zeros(n, dtype=bool)
        self._begin(np.ones(n, dtype=bool))
        self.most_s = self._fit.aperture_m / SPEED_OF_SOUND_M_PER_S + MARGIN_S

    def _begin(self, good: BoolArray) -> None:
        self._good = good.copy()
        self._fit = GeometryFit(self._positions[self.place[good]])
        aperture_m = self._fit.aperture_m
        self._misfit_m = max(MISFIT_M, MISFIT_SHARE_OF_APERTURE * aperture_m)
        self._n_chunks = 0
        self._loss: Float64Array = np.zeros(len(self._fit.readings))
        self._fitting: Float64Array = np.zeros(len(self._fit.readings))
        self._fast_share = 0.0
        self._trend: deque[tuple[float, Float64Array]] = deque(maxlen=TREND_CHUNKS)

    def push(self, delays: Delays, good: BoolArray, now_s: float) -> list[Finding]:
        """Take the delays of a chunk that ends at `now_s`; `good` are the channels to look at, bool, shape (channels,).

        Returns what was found; the same again is only found once the array has changed.
        """
        good = good & ~self.out
        if good.sum() < 2:
            return []
        if (good != self._good).any():
            self._begin(good)
        if delays.agreement[good].min() < AGREED:
            return []
        fit = self._fit.fit(delays.later_s[good])
        self._average(fit)
        self._trend.append((now_s, fit.off_m))
        return self._decide(now_s)

    def _average(self, fit: Fit) -> None:
        self._n_chunks += 1
        share = 1.0 / min(self._n_chunks, MEMORY_CHUNKS)
        most_m = 3.0 * self._misfit_m
        self._loss += share * (np.minimum(fit.residual_m, most_m) ** 2 - self._loss)
        self._fitting += share * ((fit.residual_m < self._misfit_m) - self._fitting)
        self._fast_share += share * (float(fit.speed > FASTEST) - self._fast_share)

    def _decide(self, now_s: float) -> list[Finding]:
        if self._n_chunks < LEAST_CHUNKS:
            return []
        if self._loss[0] > self._misfit_m**2 and self._fitting[0] <= MISFITTING:
            swaps = [index for index, reading in enumerate(self._fit.readings) if reading.swapped]
            asides = [index for index, reading in enumerate(self._fit.readings) if reading.aside is not None]
            for candidates in (swaps, asides):
                found = self._best(candidates)
                if found is not None:
                    return [self._take(self._fit.readings[found], now_s)]
        if self._n_chunks < GEOMETRY_CHUNKS:
            return []
        if 1.0 - self._fitting[0] > GEOMETRY_SHARE:
            return [self._misfit(now_s)]
        if self._fast_share > GEOMETRY_SHARE:
            return [Finding("geometry", (), now_s, "the delays between channels are longer than the geometry allows")]
        return []

    def _best(self, candidates: list[int]) -> int | None:
        if not candidates:
            return None
        ranked = sorted(candidates, key=lambda index: self._loss[index])
        best = ranked[0]
        if self._loss[best] > BETTER * self._loss[0] or self._fitting[best] < FITTING:
            return None
        if len(ranked) > 1 and self._loss[ranked[1]] < UNIQUE * max(float(self._loss[best]), 1e-6):
            return None
        return best

    def _take(self, reading: Reading, now_s: float) -> Finding:
        channels = np.flatnonzero(self._good)
        if reading.swapped is not None:
            i, j = (int(channels[index]) for index in reading.swapped)
            self.place[[i, j]] = self.place[[j, i]]
            about = "have changed places"
            if reading.alike:
                others = ", ".join(f"{channels[a]} and {channels[b]}" for a, b in reading.alike)
                about += f" (or {others} have, which delays cannot tell: then bearings are mirrored or turned)"
            finding = Finding("swapped", (i, j), now_s, about)
        else:
            assert reading.aside is not None
            channel = int(channels[reading.aside])
            self.out[channel] = True
            ppm = self._drift_ppm(reading.aside)
            if ppm:
                finding = Finding("drifting", (channel,), now_s, f"drifts against the others, by {abs(ppm):.0f} ppm or so", ppm)
            else:
                finding = Finding("misplaced", (channel,), now_s, "does not hear from where its microphone is said to be")
        self._begin(self._good & ~self.out)
        return finding

    def _misfit(self, now_s: float) -> Finding:
        ppms = [ppm for index in range(int(self._good.sum())) if (ppm := self._drift_ppm(index))]
        if ppms:
            ppm = max(ppms, key=abs)
            return Finding("drift", (), now_s, f"the channels drift apart, by {abs(ppm):.0f} ppm or so", abs(ppm))
        return Finding("geometry", (), now_s, "the delays between channels do not fit the geometry")

    def _drift_ppm(self, index: int) -> float:
        """How fast a channel's delay grows, in millionths; 0 where it does not, or not clearly."""
        time_s = np.array([row[0] for row in self._trend])
        off_m = np.array([row[1][index] for row in self._trend])
        if not np.isfinite(off_m).all() or np.ptp(time_s) < TREND_LEAST_S:
            return 0.0
        slope, at = np.polyfit(time_s - time_s.mean(), off_m, 1)
        rest_m = float(np.std(off_m - at - slope * (time_s - time_s.mean())))
        ppm = float(slope / SPEED_OF_SOUND_M_PER_S * 1e6)
        error = rest_m / max(math.sqrt(len(time_s)) * float(np.std(time_s)), 1e-9)
        return ppm if abs(slope) > 6.0 * error and abs(ppm) >= TREND_LEAST_PPM else 0.0
