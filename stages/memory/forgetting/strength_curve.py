"""How strong a line is: a pure function of its age, of how much it mattered, and of how often it was recalled.

R = exp(-t / S), Ebbinghaus's curve as MemoryBank uses it (arXiv 2305.10250, section 3.2): t is the time since a line was said or last
recalled, S its stability, which each recall raises by as much as it began with, while t begins anew.
"""

from __future__ import annotations

import math

from pipeline.packets import NS_PER_S

STABILITY_NS = 30 * 86_400 * NS_PER_S
"""S of a line that mattered to nothing else and was never recalled: after thirty days its strength is 1/e."""
N_CLASSES = 4
_CLASS_GAIN = 0.5


def salience_class(salience: float) -> int:
    """0 to 3, from a salience of 0 to 1; lines of one class fade alike, so that those that are due can be found by an index."""
    return min(N_CLASSES - 1, max(0, int(N_CLASSES * salience)))


def stability_ns(salience_class_: int, n_recalls: int = 0) -> int:
    """S of a line: 1, 1.5, 2 or 2.5 times `STABILITY_NS` by its class, and as much again for each recall."""
    return round(STABILITY_NS * (1.0 + _CLASS_GAIN * salience_class_) * (1 + n_recalls))


def strength(age_ns: int, stability: int) -> float:
    """R, 0 to 1; a clock that was set back makes nothing stronger than 1."""
    return math.exp(-max(age_ns, 0) / stability)


def age_at_ns(strength_: float, stability: int) -> int:
    """The age at which a line's strength has fallen to `strength_` (over 0, at most 1)."""
    return round(-math.log(strength_) * stability)
