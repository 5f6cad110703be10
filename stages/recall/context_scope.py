"""What a question that goes on from the last one is about: the lines that were cited, and what lies before or after them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.packets import nanoseconds
from pipeline.stage import END_NS
from stages.memory.rows import LineRow
from stages.recall.ranking import conversations
from stages.recall.scope import Scope
from stages.recall.time_phrase import Window

_NEXT_NS = nanoseconds(120.0)

LinesIn = Callable[[str, tuple[int, int]], Sequence[LineRow]]
"""The lines of a session that were heard in a span of it."""


def beside(scope: Scope, cited: Sequence[LineRow], *, before: bool, open_ended: bool, lines_in: LinesIn) -> Scope | None:
    """The scope of what was said right after some lines (or `before` them), in their session.

    Where nobody else is named, that is what the people of that conversation said, if they said anything more. It reaches two minutes
    from the nearest line that fits the other constraints; with `open_ended` to the end (start) of the session. None where nothing fits.
    """
    session = scope.sessions.get(cited[0].session)
    if session is None:
        return None
    of_session = [line for line in cited if line.session == session.id]
    if before:
        edge = min(line.start_ns for line in of_session)
        whole = (0, edge)
    else:
        edge = max(line.end_ns for line in of_session)
        whole = (edge, END_NS)
    # What began before the cited line had ended, at another table, goes on beside it and not after it.
    window = Window("before that" if before else "after that", None, None)
    wide = replace(scope, spans={session.id: whole}, window=window)
    known = {line.id for line in of_session}
    fitting = [
        line
        for line in lines_in(session.id, whole)
        if wide.allows(line) and line.id not in known and (line.end_ns <= edge if before else line.start_ns >= edge)
    ]
    if not fitting:
        return None
    if scope.speaker is None and scope.azimuth_deg is None and not open_ended:
        own = _conversation(of_session[0], [*of_session, *fitting])
        if any(line.track in own for line in fitting):
            fitting = [line for line in fitting if line.track in own]
            scope = replace(scope, tracks=own)
    if before:
        last = max(line.end_ns for line in fitting)
        span = (0 if open_ended else max(0, last - _NEXT_NS), last)
    else:
        first = min(line.start_ns for line in fitting)
        span = (first, max(line.end_ns for line in fitting) + 1 if open_ended else first + _NEXT_NS)
    window = Window(window.phrase, session.moment(span[0]), session.moment(span[1]))
    return replace(scope, spans={session.id: span}, window=window)


def _conversation(line: LineRow, around: Sequence[LineRow]) -> frozenset[str]:
    """The tracks of those who talk with each other where a line was said."""
    chain = next(chain for chain in conversations(around) if any(other.id == line.id for other in chain))
    return frozenset(other.track for other in chain)
