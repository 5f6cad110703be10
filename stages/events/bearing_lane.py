"""How surprising it is where a track speaks from, given where it did before: a pure state machine."""

from __future__ import annotations

from collections import OrderedDict

from stages.events.spoken_line import SpokenLine

_DEVIATION_DEG = 15.0
_PRIOR_MOVES = 8.0
_KEPT = 0.9
_MOST_TRACKS = 64
_MOST_NATS = 6.0


class BearingLane:
    """Feed it lines; tracks that have not spoken for longest are forgotten when there are many."""

    def __init__(self) -> None:
        # Where each track was, the sum of its squared moves and how many, older ones counting less.
        self._tracks: OrderedDict[str, tuple[float, float, float]] = OrderedDict()

    def take(self, line: SpokenLine) -> tuple[float, float]:
        """The surprise in nats, at least 0, and how far the track went, in degrees. Both 0 where bearings are not known."""
        if line.azimuth_deg is None:
            return 0.0, 0.0
        last = self._tracks.pop(line.track, None)
        if last is None:
            self._tracks[line.track] = (line.azimuth_deg, 0.0, 0.0)
            if len(self._tracks) > _MOST_TRACKS:
                self._tracks.popitem(last=False)
            return 0.0, 0.0
        azimuth_deg, squares, count = last
        moved_deg = abs((line.azimuth_deg - azimuth_deg + 180.0) % 360.0 - 180.0)
        variance = (_PRIOR_MOVES * _DEVIATION_DEG**2 + squares) / (_PRIOR_MOVES + count)
        self._tracks[line.track] = (line.azimuth_deg, squares * _KEPT + moved_deg**2, count * _KEPT + 1.0)
        return min(_MOST_NATS, moved_deg**2 / (2.0 * variance)), moved_deg
