"""How strong links are: pure functions of what was recalled together and what two events share."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from pipeline.packets import NS_PER_S

RATE = 0.2
"""eta of Hebb's rule with saturation: recalled together once .2, three times .49, ten times .89."""
HALF_LIFE_NS = 30 * 86_400 * NS_PER_S
"""What is not recalled together again has half its weight after thirty days."""
MOST_FOR_PEOPLE = 0.5
"""What the very same people are worth: less than any topic that is shared, since those of one home or team share nearly everything."""
MOST_LINKS = 16
"""An event keeps so many links of a kind: the strongest."""


def decayed(weight: float, for_ns: int) -> float:
    """A weight after a time without being recalled; time that runs backwards changes nothing."""
    return weight * math.exp2(-max(for_ns, 0) / HALF_LIFE_NS)


def strengthened(weight: float, for_ns: int) -> float:
    """A weight, decayed since its last change, after two events were recalled together: w + eta (1 - w), so it stays below 1."""
    held = decayed(weight, for_ns)
    return min(held + RATE * (1.0 - held), 1.0)


def shared(one: Collection[str], other: Collection[str]) -> float:
    """Half of how many of the people of two events are in both (Jaccard), 0 to 0.5."""
    both = set(one) | set(other)
    return MOST_FOR_PEOPLE * len(set(one) & set(other)) / len(both) if both else 0.0


def joined(weights: Iterable[float]) -> float:
    """Several links between two events as one: at least one of them holds (noisy or), 0 to 1."""
    return 1.0 - math.prod(1.0 - weight for weight in weights)
