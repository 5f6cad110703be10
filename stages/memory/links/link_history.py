"""The weights of a link of recall over time: what lets it be read as of a moment."""

from __future__ import annotations

import numpy as np

from stages.memory.links.link_weights import RATE, decayed

MOST_CHANGES = 64
"""So many of the latest changes of a link are kept; as of an earlier moment it is as if it had begun with the oldest of them."""

_CHANGE = np.dtype([("at_ns", "<i8"), ("weight", "<f8")])

Change = tuple[int, float]
"""A moment (UTC, nanoseconds) and the weight from then on, before it fades; 0 where the link gave way to stronger ones."""


def changes(made_at_ns: int, updated_at_ns: int, weight: float, history: bytes | None) -> list[Change]:
    """Every change of a link that is known, in order. One that was recalled once needs no history."""
    if history is None:
        began = (made_at_ns, RATE)
        return [began] if updated_at_ns == made_at_ns else [began, (updated_at_ns, weight)]
    return [(int(at_ns), float(held)) for at_ns, held in np.frombuffer(history, dtype=_CHANGE)]


def appended(known: list[Change], at_ns: int, weight: float) -> bytes:
    """The history with one more change; at 16 bytes a change, it has at most 1 KiB."""
    return np.array([*known, (at_ns, weight)][-MOST_CHANGES:], dtype=_CHANGE).tobytes()


def weight_at(known: list[Change], at_ns: int) -> float:
    """How strong a link was at a moment; 0 where it had not begun, or had given way."""
    past = [change for change in known if change[0] <= at_ns]
    return decayed(past[-1][1], at_ns - past[-1][0]) if past else 0.0
