"""Sessions, lines and events on their way into a memory: what breaks an invariant is refused before anything of it is stored."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime

from pipeline.packets import Event
from stages.memory.memory_errors import MemoryError_
from stages.memory.rows import LineRow
from stages.memory.vectors.vector_checks import check_vectors

_FIRST_YEAR, _LAST_YEAR = 1900, 2200
"""Years in which nanoseconds since 1970 fit 64 bits, with room for a session that is as long as a life."""
_LONGEST_NS = 60 * 366 * 86400 * 10**9
_FIRST_NS, _AFTER_NS = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 10**9 for year in (_FIRST_YEAR, _LAST_YEAR))


def check_start(session: str, started_at: datetime) -> None:
    """Raises MemoryError_ where a session begins at a moment without UTC offset, or at one that the memory cannot hold."""
    if started_at.tzinfo is None:
        raise MemoryError_(f"session {session}: started_at {started_at.isoformat()} must carry its UTC offset, like 2026-11-22T10:00+01:00")
    first, last = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(_LAST_YEAR, 1, 1, tzinfo=UTC)
    if not first <= started_at < last:
        raise MemoryError_(
            f"session {session}: started_at {started_at.isoformat()} must lie in the years {_FIRST_YEAR} to {_LAST_YEAR - 1};"
            " look at the clock of the machine, or give another --started-at"
        )


def check_lines(session: str, rows: Iterable[LineRow]) -> None:
    """Raises MemoryError_ where a line belongs to another session, has a span that cannot be, or text that is none."""
    for row in rows:
        if row.session != session or not row.id.startswith(f"{session}-"):
            raise MemoryError_(f"line {row.id}: it is of session {row.session!r}, but lines of session {session!r} are stored here")
        if not 0 <= row.start_ns <= row.end_ns <= _LONGEST_NS:
            raise MemoryError_(
                f"line {row.id}: it must begin at 0 ns or later and end no earlier, within 60 years;"
                f" found {row.start_ns} to {row.end_ns} ns"
            )
        numbers = (row.confidence, row.azimuth_deg, row.elevation_deg)
        if not all(number is None or math.isfinite(number) for number in numbers):
            raise MemoryError_(f"line {row.id}: confidence, azimuth_deg and elevation_deg must be finite; found {numbers}")
        texts = [row.text, row.track, row.speaker or "", *(word.text for word in row.words)]
        # All at once: an import checks thousands of words a second, and nearly always all of them are text.
        if is_text(" ".join(texts)):
            continue
        for text in texts:
            if not is_text(text):
                raise MemoryError_(f"line {row.id}: {text!r} has half a surrogate pair, which is no character in any encoding")


def check_event(session: str, event: Event, dimension: int) -> None:
    """Raises MemoryError_ where an event's vector cannot be compared, its surprise is no number, or it ends before it begins."""
    check_vectors(session, f"the vector of event {event.name}", event.embedding, (dimension,))
    end_ns = event.extra.get("end_ns", event.end_ns)
    if not math.isfinite(event.surprise) or not 0 <= event.pts_ns <= end_ns <= event.end_ns <= _LONGEST_NS:
        raise MemoryError_(
            f"session {session}: event {event.name} must have a finite surprise, begin at 0 ns or later, and end no earlier;"
            f" found surprise {event.surprise}, {event.pts_ns} to {end_ns} ns, known at {event.end_ns} ns"
        )


def is_moment(at_ns: int) -> bool:
    """Whether nanoseconds since 1970 lie in the years that a memory can hold, 1900 to 2199."""
    return _FIRST_NS <= at_ns < _AFTER_NS


def is_text(text: str) -> bool:
    """Whether a string can be written down: half a surrogate pair, as broken JSON may hold, cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
