"""Which talkers of one microphone are the same person, from their voices: pure functions.

Agglomerative clustering with centroid linkage under cannot-link constraints: who speaks at the same time as somebody is somebody
else (constrained clustering after Wagstaff, Cardie, Rogers and Schroedl, 2001).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.packets import Float32Array

# CAM++ on pieces of 2 s from ten AMI talkers: one person 0.41 and over (nineteen pairs in twenty), two people 0.19 and less.
LIKENESS = 0.4
# Who was heard alone for less founds no group: their voice is that of others, too.
_FOUNDING_S = 0.6
# More would be compared with each other for too long; the others join the likest group, or are one.
_MOST_FOUNDING = 1500


@dataclass(frozen=True)
class HeardTalker:
    """How a talker sounded: `voice` float32, shape (numbers,), of unit length, or None; `seconds` is how long they spoke alone."""

    voice: Float32Array | None
    seconds: float


def grouped(talkers: Sequence[HeardTalker], apart: Collection[tuple[int, int]], likeness: float = LIKENESS) -> list[int | None]:
    """The group of each talker, numbered from 0 by who founds it first; None for one without a voice.

    Two of `apart` (pairs of places in `talkers`) are never in one group. Who was hardly heard alone joins the likest group
    that may take them, and is a group of their own where there is none.
    """
    others: dict[int, set[int]] = defaultdict(set)
    for one, other in apart:
        if one != other:
            others[one].add(other)
            others[other].add(one)
    founding = [place for place, talker in enumerate(talkers) if talker.voice is not None and talker.seconds >= _FOUNDING_S]
    founding = sorted(sorted(founding, key=lambda place: (-talkers[place].seconds, place))[:_MOST_FOUNDING])
    members = _merged(talkers, founding, others, likeness)
    sums = [np.sum([_weighed(talkers[place]) for place in group], axis=0) for group in members]
    group_of = {place: number for number, group in enumerate(members) for place in group}
    rest = [place for place, talker in enumerate(talkers) if talker.voice is not None and place not in group_of]
    for place in sorted(rest, key=lambda entry: (-talkers[entry].seconds, entry)):
        closed = {group_of[other] for other in others[place] if other in group_of}
        likest = [(float(_unit(total) @ _voice(talkers[place])), -number) for number, total in enumerate(sums) if number not in closed]
        surely = talkers[place].seconds >= _FOUNDING_S
        if likest and (not surely or max(likest)[0] >= likeness):
            group_of[place] = -max(likest)[1]
            members[group_of[place]].append(place)
        else:
            group_of[place] = len(members)
            members.append([place])
            sums.append(_voice(talkers[place]))
    labels: list[int | None] = [None] * len(talkers)
    for number, group in enumerate(sorted(members, key=min)):
        for place in group:
            labels[place] = number
    return labels


def _merged(talkers: Sequence[HeardTalker], founding: list[int], others: dict[int, set[int]], likeness: float) -> list[list[int]]:
    """Groups of founding talkers, the two likest merged until none are like enough."""
    members = [[place] for place in founding]
    if not members:
        return []
    sums = np.stack([_weighed(talkers[place]) for place in founding])
    units = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    likenesses = units @ units.T
    np.fill_diagonal(likenesses, -np.inf)
    order = {place: number for number, place in enumerate(founding)}
    for one in founding:
        for other in others[one] & order.keys():
            likenesses[order[one], order[other]] = -np.inf
    while len(members) > 1:
        best = int(np.argmax(likenesses))
        one, other = sorted(divmod(best, len(likenesses)))
        if likenesses[one, other] < likeness:
            break
        # What either may not join, both together may not join.
        closed = np.isneginf(likenesses[one]) | np.isneginf(likenesses[other])
        members[one] += members[other]
        members[other] = []
        sums[one] += sums[other]
        units[one] = _unit(sums[one])
        likenesses[one] = np.where(closed, -np.inf, units @ units[one])
        likenesses[:, one] = likenesses[one]
        likenesses[other] = likenesses[:, other] = -np.inf
        likenesses[one, one] = -np.inf
        if not np.isfinite(likenesses).any():
            break
    return [group for group in members if group]


def _voice(talker: HeardTalker) -> Float32Array:
    if talker.voice is None:
        raise ValueError("a talker without a voice is in no group")
    return talker.voice.astype(np.float64)


def _weighed(talker: HeardTalker) -> Float32Array:
    return _voice(talker) * max(talker.seconds, 1e-3)


def _unit(vector: Float32Array) -> Float32Array:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
