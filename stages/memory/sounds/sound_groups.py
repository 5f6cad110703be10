"""Which unknown sounds are the same: online grouping by embedding, with a bounded number of prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.packets import Float32Array

LIKENESS = 0.78
"""Cosine from which two sounds are the same. On 70 short sounds, heard at other levels and moments, 93 % of pairs of the same sound reach
0.75 and 82 % reach 0.80; of pairs of different ones 5 % and 3 %, most of these bass drums."""
MOST_GROUPS = 256
_MOST_WEIGHT = 20
"""After so many sounds a prototype moves as if it had been made of that many, so that it can follow a slow change."""


@dataclass(frozen=True)
class SoundGroup:
    """A prototype: float32, shape (1024,), of unit length, how often it was heard, and whether it must be kept.

    `last_heard_ns` is a wall-clock time in nanoseconds. A group of one sound waits for it to recur.
    """

    number: int
    prototype: Float32Array
    n_heard: int
    last_heard_ns: int


@dataclass(frozen=True)
class Assignment:
    """What becomes of a sound: the group that it joins as it is then, or the prototype of a new one; and which group makes room.

    All of it is None where the memory has no room: every group that there is has recurred.
    """

    joined: SoundGroup | None = None
    begun: Float32Array | None = None
    forgotten: int | None = None


def assigned(
    groups: Sequence[SoundGroup], embedding: Float32Array, heard_ns: int, likeness: float = LIKENESS, most: int = MOST_GROUPS
) -> Assignment:
    """Where a sound belongs.

    Args:
        groups: all that there are.
        embedding: of the sound, float32, shape (1024,), of unit length.
        heard_ns: when it ended, on the wall clock.
        likeness: the cosine from which it joins the group that it is most like.
        most: how many groups there may be. For one more, the one that waited longest for its second sound is forgotten.
    """
    if groups:
        cosines = np.array([float(group.prototype @ embedding) for group in groups])
        best = int(np.argmax(cosines))
        if cosines[best] >= likeness:
            group = groups[best]
            moved = _unit(group.prototype * np.float32(min(group.n_heard, _MOST_WEIGHT)) + embedding)
            return Assignment(joined=SoundGroup(group.number, moved, group.n_heard + 1, max(heard_ns, group.last_heard_ns)))
    if len(groups) < most:
        return Assignment(begun=embedding)
    waiting = [group for group in groups if group.n_heard < 2]
    if not waiting:
        return Assignment()
    oldest = min(waiting, key=lambda group: (group.last_heard_ns, group.number))
    return Assignment(begun=embedding, forgotten=oldest.number)


def _unit(vector: Float32Array) -> Float32Array:
    unit: Float32Array = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
    return unit
