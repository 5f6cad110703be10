"""How surprising it is that the recogniser found a line's words so unlikely, given the lines of its track before: a pure state machine."""

from __future__ import annotations

import math
from collections import OrderedDict

from stages.events.spoken_line import SpokenLine

_LEAST_NATS = 0.01
"""A line with less is as sure as can be."""
_KEPT = 0.95
_MOST_TRACKS = 64
_MOST_NATS = 6.0


class SurprisalLane:
    """Feed it lines; tracks that have not spoken for longest are forgotten when there are many.

    The surprisal of a track's lines is taken to be exponential (over lines read aloud its deviation is about its mean), with a rate
    that is only known from the lines before: voices, microphones and rooms differ tenfold. So the next is a Lomax distribution, and
    after n lines that sum up to s, P(at least x) = (1 + x / s) ** -n.
    """

    def __init__(self) -> None:
        # Of each track: the sum of its surprisals and how many, older ones counting less.
        self._tracks: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, line: SpokenLine) -> float:
        """-ln P(words at least as unlikely), in nats: 1 for a usual line of a track that is known well, 0 where nothing can be told."""
        if line.surprisal_nats is None:
            return 0.0
        nats = max(_LEAST_NATS, line.surprisal_nats)
        total, count = self._tracks.pop(line.track, (0.0, 0.0))
        self._tracks[line.track] = (total * _KEPT + nats, count * _KEPT + 1.0)
        if len(self._tracks) > _MOST_TRACKS:
            self._tracks.popitem(last=False)
        return min(_MOST_NATS, count * math.log1p(nats / total)) if count else 0.0
