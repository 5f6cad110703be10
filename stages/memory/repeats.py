"""Which lines of a stream a memory has already: after a crash, a part of the recording is heard twice."""

from __future__ import annotations

from pipeline.packets import Line
from stages.memory.long_term_memory import LongTermMemory


class Repeats:
    """Knows how far a session was stored when it was cut short.

    A line is a repeat when it ended before the stored position, or lies mostly before the end of what its track had said: heard
    again from another starting point, its times may differ a little.
    """

    def __init__(self, passed_ns: int = 0, last_end_ns: dict[str, int] | None = None) -> None:
        self._passed_ns = passed_ns
        self._last_end_ns = last_end_ns or {}

    @classmethod
    def of(cls, memory: LongTermMemory, session: str) -> Repeats:
        """As the session stands now."""
        ends: dict[str, int] = {}
        for row in memory.lines(session, copies=True):
            ends[row.track] = max(ends.get(row.track, 0), row.end_ns)
        return cls(memory.passed_ns(session), ends)

    def has(self, line: Line) -> bool:
        """Whether the memory had this line when the session was taken up again."""
        middle_ns = (line.pts_ns + line.transcript.spoken_end_ns) // 2
        return line.end_ns < self._passed_ns or middle_ns < self._last_end_ns.get(line.transcript.utterance.track.name, 0)
