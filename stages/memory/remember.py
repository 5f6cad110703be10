"""Lines into long-term memory, by way of short-term memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.packets import Gap, Line, Tracks, nanoseconds
from pipeline.stage import END_NS, Emit, In, Stage
from stages.memory.long_term_memory import LongTermMemory, MemoryError_
from stages.memory.repeats import Repeats
from stages.memory.short_term import Leaving, ShortTermStore


class Remember(Stage):
    """Stores each line as soon as it is there, and where the tracks are.

    The position up to which everything is stored is written with every line, and every `commit_every_s` of silence. Lines pass
    through a short-term memory of `short_term_capacity` traces; how much they were used there becomes their salience.
    Lines that the memory has from a run that was cut short are left out.
    """

    line = In(Line)
    tracks = In(Tracks)
    lossless = True

    def __init__(self, memory: LongTermMemory, short_term_capacity: int = 64, commit_every_s: float = 1.0) -> None:
        self._memory = memory
        self._short_term = ShortTermStore(short_term_capacity)
        self._commit_every_ns = nanoseconds(commit_every_s)
        self._repeats = Repeats()
        self._session = ""
        self._passed_ns = 0
        self._committed_ns = 0

    def start(self) -> None:
        """Go on where the session stands. Raises MemoryError_ when no session has begun."""
        self._session = self._memory.session
        if not self._session:
            raise MemoryError_("nothing can be remembered yet: begin_session says which session it is")
        self._repeats = Repeats.of(self._memory, self._session)
        self._passed_ns = self._committed_ns = self._memory.passed_ns(self._session)

    def on_line(self, line: Line) -> Iterable[Emit[Any]]:
        """Store a line with its audio; it can be found when this returns."""
        if self._repeats.has(line):
            return ()
        self._passed_ns = max(self._passed_ns, line.end_ns)
        self._memory.add_lines(self._session, [line], self._passed_ns)
        self._committed_ns = self._passed_ns
        if line.transcript.copy_of is None:
            self._consolidate(self._short_term.take(line.transcript.key, line.embedding))
        return ()

    def on_tracks(self, tracks: Tracks) -> Iterable[Emit[Any]]:
        """Note where the tracks are."""
        self._memory.add_tracks(self._session, tracks)
        return ()

    def on_gap(self, gap: Gap) -> Iterable[Emit[Any]]:
        """Note what was lost, so that answers can say so."""
        self._memory.add_gap(self._session, gap)
        return ()

    def on_passed(self, pts_ns: int) -> Iterable[Emit[Any]]:
        """Note how far everything is stored."""
        if pts_ns < END_NS - 1:
            self._passed_ns = max(self._passed_ns, pts_ns)
            if self._passed_ns - self._committed_ns >= self._commit_every_ns:
                self._commit()
        return ()

    def flush(self) -> Iterable[Emit[Any]]:
        """Store what short-term memory still holds, and how far the session went."""
        self._consolidate(self._short_term.clear())
        self._commit()
        return ()

    def _commit(self) -> None:
        self._memory.set_passed(self._session, self._passed_ns)
        self._committed_ns = self._passed_ns

    def _consolidate(self, leaving: list[Leaving]) -> None:
        if leaving:
            self._memory.set_salience(self._session, {trace.key: trace.usage for trace in leaving})
