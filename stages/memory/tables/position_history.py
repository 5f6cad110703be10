"""Where tracks were: a thinned history, kept in RAM until the next transaction takes it along."""

from __future__ import annotations

import sqlite3
import threading

from pipeline.packets import NS_PER_S, Tracks
from stages.memory.tables import row_writer

Place = tuple[str, int, float, float | None]
"""Track, session time in nanoseconds, azimuth and elevation in degrees."""
_MOVED_DEG = 4.0
_SOONEST_NS = NS_PER_S // 10


class PositionHistory:
    """Keeps the first place of each track and every move of at least four degrees, ten a second at most.

    So a walker of up to 30 degrees a second is within five degrees of its last row at any time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, tuple[int, float]] = {}
        self._waiting: list[Place] = []

    def add(self, tracks: Tracks) -> None:
        """Take in where the tracks are at the end of a block."""
        time_ns = tracks.end_ns
        with self._lock:
            for track in tracks.tracks:
                if track.azimuth_deg is None or not track.active:
                    continue
                last = self._last.get(track.name)
                if last is not None:
                    moved = abs((track.azimuth_deg - last[1] + 180.0) % 360.0 - 180.0)
                    if moved < _MOVED_DEG or time_ns - last[0] < _SOONEST_NS:
                        continue
                self._last[track.name] = (time_ns, track.azimuth_deg)
                self._waiting.append((track.name, time_ns, track.azimuth_deg, track.elevation_deg))

    def store(self, connection: sqlite3.Connection, session: str) -> frozenset[Place]:
        """Write what waits within a transaction; gives it, for `stored` to let go of once it stands."""
        with self._lock:
            if self._waiting:
                row_writer.add_positions(connection, session, self._waiting)
            return frozenset(self._waiting)

    def stored(self, places: frozenset[Place]) -> None:
        """The transaction stands: these places are on the disk. Another writer may have let go of some of them already."""
        with self._lock:
            self._waiting = [place for place in self._waiting if place not in places]
