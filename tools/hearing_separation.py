"""How much clearer the beams are than the reference microphone: the gain in scale-invariant signal-to-distortion ratio.

J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR: half-baked or well done?", ICASSP 2019, eq. 5; without taking the mean off.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
SAMPLE_RATE_HZ = 16000
LEAST_S = 1.0
COVERED = 0.9
"""A beam stands for a line when it is there for this share of it."""


def si_sdr_db(estimate: Samples, target: Samples) -> float:
    """The ratio in decibels of two signals of one length, shape (frames,); -inf where the estimate has nothing of the target."""
    wanted, found = target.astype(np.float64), estimate.astype(np.float64)
    energy = float(wanted @ wanted)
    if energy <= 0.0:
        return -math.inf
    part = float(found @ wanted) / energy * wanted
    rest = float(np.sum((found - part) ** 2))
    kept = float(part @ part)
    return -math.inf if kept <= 0.0 else math.inf if rest <= 0.0 else 10.0 * math.log10(kept / rest)


def gains_db(
    beams: Mapping[str, Samples], images: Mapping[str, Samples], microphone: Samples, truth: Sequence[dict[str, Any]]
) -> list[float]:
    """The gain over the reference microphone of each line of a second or more that a beam stands for (the best one of them).

    `images` are the talkers' own sound at that microphone. A beam is zero where its track slept.
    """
    gains = []
    for row in truth:
        if row["end_s"] - row["start_s"] < LEAST_S:
            continue
        first, last = round(row["start_s"] * SAMPLE_RATE_HZ), round(row["end_s"] * SAMPLE_RATE_HZ)
        target = images[row["track"]][first:last]
        heard = [
            beam[first:last]
            for beam in beams.values()
            if len(beam) >= last and np.count_nonzero(beam[first:last]) >= COVERED * (last - first)
        ]
        if heard:
            gains.append(max(si_sdr_db(beam, target) for beam in heard) - si_sdr_db(microphone[first:last], target))
    return [gain for gain in gains if math.isfinite(gain)]
