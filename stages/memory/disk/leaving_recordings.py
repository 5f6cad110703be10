"""Which segments of a memory's recordings may leave: over all sessions in the order of time, those that are still recorded too."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from pipeline import retention
from pipeline.recorded import frames_to_ns
from pipeline.session_info import SessionError, load_info
from stages.memory.disk.disk_use import RECORDINGS
from stages.memory.disk.leaving import Item
from stages.memory.tables.database import Database, translated

_RENAMED = -1
"""The number, in place of a segment's, of audio that an older version was removing."""
_LONG_AGO_NS = -(2**62)
_Waiting = tuple[int, str, deque[Item]]
"""A session's segments that may leave: when the first of them ended, the session, and the segments."""


class LeavingSegments:
    """Segments since their ends: of a session that was heard to its end all, of any other those before what it would hear again.

    The files of a session are listed once, when its time has come. What no session of the memory knows of stays: nobody has heard it.
    Audio that an older version was removing when it was killed counts as older than anything, so it goes where it is met.
    """

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root
        self._found = self._in_order()
        self._next: deque[Item] = deque()

    def oldest(self, n_items: int) -> Sequence[Item]:
        """See `LeavingStore`."""
        self._next.extend(islice(self._found, max(0, n_items - len(self._next))))
        return list(islice(self._next, n_items))

    def drop(self, items: Sequence[Item]) -> None:
        """See `LeavingStore`."""
        leaving: dict[str, list[int]] = {}
        for item in items:
            leaving.setdefault(item.name, []).append(item.number)
        for session, numbers in leaving.items():
            folder = self._root / RECORDINGS / session
            with translated(self._database.where):
                if numbers[0] == _RENAMED:
                    retention.remove_renamed(folder)
                indexes = [number for number in numbers if number != _RENAMED]
                if indexes:
                    retention.let_go(folder, load_info(folder), indexes)
        for _ in items:
            self._next.popleft()

    def _in_order(self) -> Iterator[Item]:
        with self._database.reading() as connection:
            query = "SELECT started_at_ns, id, complete, passed_ns FROM sessions ORDER BY started_at_ns, id"
            sessions = connection.execute(query).fetchall()
        begun: list[_Waiting] = []
        for started_ns, session, complete, passed_ns in sessions:
            # A session that begins later holds nothing older, so it need not be listed yet.
            yield from _before(begun, started_ns)
            segments = self._segments(session, started_ns, None if complete else passed_ns)
            if segments:
                heapq.heappush(begun, (segments[0].since_ns, session, segments))
        yield from _before(begun, None)

    def _segments(self, session: str, started_ns: int, passed_ns: int | None) -> deque[Item]:
        folder = self._root / RECORDINGS / session
        name = f"{RECORDINGS}/{session}"
        renamed_bytes = retention.renamed_bytes(folder)
        items: deque[Item] = deque()
        if renamed_bytes is not None:
            items.append(Item(_LONG_AGO_NS, renamed_bytes, f"{name}/{retention.RENAMED_AUDIO}", session, _RENAMED))
        there = retention.segments(folder)
        if not there:
            return items
        try:
            info = load_info(folder)
        except SessionError:
            # Doctor tells it; how long the segments are cannot be known.
            return items
        length_ns = frames_to_ns(info.segment_frames, info.sample_rate_hz)
        found = retention.may_leave(there, info, passed_ns)
        items.extend(Item(started_ns + (part.index + 1) * length_ns, part.n_bytes, f"{name}/audio", session, part.index) for part in found)
        return items


def _before(begun: list[_Waiting], until_ns: int | None) -> Iterator[Item]:
    """Take from the sessions that have begun what ended before a moment (None: everything), in order."""
    while begun and (until_ns is None or begun[0][2][0].since_ns <= until_ns):
        _, session, segments = heapq.heappop(begun)
        yield segments.popleft()
        if segments:
            heapq.heappush(begun, (segments[0].since_ns, session, segments))
