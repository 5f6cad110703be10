"""Who talks with whom: tracks grouped into conversations by how they take turns and by what they talk about.

People of one conversation take turns: they talk at the same time far less than people who do not listen to each other would by chance.
With expected overlap E (by chance) and found overlap O, in turns, the log likelihood ratio of two Poisson models (rate r E for one
conversation, E for two) is (1 - r) E + O ln r. Likeness of topic adds to it. Who pauses does not take turns with anybody: only the time
counts in which both were heard lately, and where there is none, what was known of the two before. The grouping is the one in which these
add up to most within groups (correlation clustering, Bansal et al. 2004), found greedily; a new one must win by a margin.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import combinations

import numpy as np
import numpy.typing as npt

from pipeline.packets import NS_PER_S
from stages.events.spoken_line import SpokenLine

Group = frozenset[str]
Spans = npt.NDArray[np.float64]
"""Starts and ends in seconds, float64, shape (n, 2)."""

_WINDOW_NS = 120 * NS_PER_S
_MOST_LINES = 100
_LOOKS = 12
_FORGOTTEN_NS = 600 * NS_PER_S
_TURN_S = 2.0
_PRESENT_S = 10.0
_OVERLAP_RATE = 0.15
_PRIOR_NATS = 0.5
_TOPIC_NATS = 2.0
_TOPIC_LINES = 6
_MARGIN_NATS = 1.0


class Conversations:
    """Feed it lines in the order of their ends; `groups` are the conversations as they stand. A pure state machine."""

    def __init__(self) -> None:
        self._lines: list[SpokenLine] = []
        self._last_ns: dict[str, int] = {}
        self._since = 0
        self._nats: dict[Group, float] = {}
        self.groups: tuple[Group, ...] = ()

    def take(self, line: SpokenLine) -> None:
        """Take in a line and see whether the groups still hold."""
        now_ns = line.end_ns
        self._last_ns[line.track] = now_ns
        self._lines.append(line)
        self._since += 1
        is_new = all(line.track not in group for group in self.groups)
        # Looking again costs more the more there is to look at, and then one line changes less.
        if not is_new and self._since * _LOOKS <= len(self._lines):
            return
        self._since = 0
        self._lines = [entry for entry in self._lines if entry.end_ns > now_ns - _WINDOW_NS][-_MOST_LINES:]
        self._last_ns = {track: last_ns for track, last_ns in self._last_ns.items() if last_ns > now_ns - _FORGOTTEN_NS}
        known = sorted(self._last_ns)
        kept = [here for group in self.groups if (here := group.intersection(known))]
        scores = self._scores(known)
        if is_new:
            # Somebody new joins those they fit best, or stays alone.
            fits = [
                (math.fsum(scores[frozenset((line.track, other))] for other in sorted(group)), -place) for place, group in enumerate(kept)
            ]
            fit, home = max(fits, default=(0.0, 0))
            if fit > 0.0:
                kept[-home] |= {line.track}
            else:
                kept.append(frozenset({line.track}))
        best = _clustered(known, scores)
        if _total(best, scores) > _total(kept, scores) + _MARGIN_NATS:
            kept = best
        self.groups = tuple(sorted((group for group in kept if group), key=sorted))

    def group_of(self, track: str) -> Group:
        """The conversation that a track takes part in."""
        return next(group for group in self.groups if track in group)

    def _scores(self, tracks: list[str]) -> dict[Group, float]:
        """For every pair of tracks: how much speaks for one conversation, in nats (below 0: for two)."""
        spans = {
            track: np.array(sorted((line.start_ns, line.end_ns) for line in self._lines if line.track == track)) / NS_PER_S
            for track in tracks
        }
        topics, nats = self._topics(tracks), {}
        for one, other in combinations(tracks, 2):
            pair = frozenset((one, other))
            turns = _turns(spans[one], spans[other])
            nats[pair] = self._nats.get(pair, topics.get(pair, 0.0)) if turns is None else turns + topics.get(pair, 0.0)
        self._nats = nats
        return {pair: _PRIOR_NATS + known for pair, known in nats.items()}

    def _topics(self, tracks: list[str]) -> dict[Group, float]:
        """What likeness of topic adds, for pairs of tracks that spoke lately."""
        if len(tracks) < 3:
            # With two tracks there is nothing to be more alike than.
            return {}
        vectors = np.array([line.vector for line in self._lines], dtype=np.float32)
        vectors -= vectors.mean(axis=0)
        vectors /= np.maximum(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)), 1e-9)[:, None]
        said = {track: [place for place, line in enumerate(self._lines) if line.track == track] for track in tracks}
        # The mean cosine of all pairs of lines is the product of the mean vectors.
        means = {track: vectors[places].mean(axis=0) for track, places in said.items() if places}
        likeness = {pair: float(means[pair[0]] @ means[pair[1]]) for pair in combinations(sorted(means), 2)}
        if len(likeness) < 2:
            return {}
        usual = math.fsum(likeness.values()) / len(likeness)
        return {
            frozenset(pair): _TOPIC_NATS * min(len(said[pair[0]]), len(said[pair[1]]), _TOPIC_LINES) * (value - usual)
            for pair, value in likeness.items()
        }


def _turns(one: Spans, other: Spans) -> float | None:
    """The log likelihood ratio of one conversation over two, from how much two tracks talk at the same time.

    What one said before the other was there at all, or while the other paused, says nothing. None where they were never both there.
    """
    if not len(one) or not len(other):
        return None
    start = max(float(one[:, 0].min()), float(other[:, 0].min()))
    end = max(float(one[:, 1].max()), float(other[:, 1].max()))
    both = np.clip(_common(_present(one), _present(other)), start, end)
    said, others = (float(np.diff(_common(spans, both)).sum()) for spans in (one, other))
    if not min(said, others) > 0.0:
        return None
    found = float(np.diff(_common(one, other)).sum()) / _TURN_S
    expected = said * others / float(np.diff(both).sum()) / _TURN_S
    return (1.0 - _OVERLAP_RATE) * expected + found * math.log(_OVERLAP_RATE)


def _present(spans: Spans) -> Spans:
    """The times in which a track takes part, shape (n, 2): its lines, by start, and a while before and after each of them."""
    starts, ends = spans[:, 0] - _PRESENT_S, spans[:, 1] + _PRESENT_S
    firsts = np.flatnonzero(np.concatenate([[True], starts[1:] > np.maximum.accumulate(ends)[:-1]]))
    return np.column_stack([starts[firsts], np.maximum.reduceat(ends, firsts)])


def _common(one: Spans, other: Spans) -> Spans:
    """What any of some spans and any of others have in common, shape (n, 2)."""
    starts = np.maximum(one[:, None, 0], other[None, :, 0])
    ends = np.minimum(one[:, None, 1], other[None, :, 1])
    return np.column_stack([starts[ends > starts], ends[ends > starts]])


def _total(groups: Iterable[Group], scores: dict[Group, float]) -> float:
    return math.fsum(scores[frozenset(pair)] for group in groups for pair in combinations(sorted(group), 2))


def _clustered(tracks: list[str], scores: dict[Group, float]) -> list[Group]:
    """Join the two groups that gain most, until nothing is gained."""
    groups = [frozenset({track}) for track in tracks]
    while True:
        gains = [
            (math.fsum(scores[frozenset((one, other))] for one in a for other in b), -i, -j)
            for (i, a), (j, b) in combinations(enumerate(groups), 2)
        ]
        gain, first, second = max(gains, default=(0.0, 0, 0))
        if gain <= 0.0:
            return groups
        joined = groups[-first] | groups[-second]
        groups = [group for place, group in enumerate(groups) if place not in {-first, -second}] + [joined]
        groups.sort(key=sorted)
