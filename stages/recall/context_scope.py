"""What a question that goes on from the last one is about: the lines that were cited, their talkers, and what lies around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.packets import nanoseconds
from pipeline.stage import END_NS
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, SessionRow
from stages.recall.english import is_question
from stages.recall.scope import Scope
from stages.recall.talks import talks
from stages.recall.time_phrase import Window
from stages.recall.untranscribed import is_untranscribed

_NEXT_NS = nanoseconds(120.0)
_SOON_NS = nanoseconds(600.0)
_NEAR_NS = nanoseconds(3600.0)
_MOST_NEXT = 3
_MOST_MORE = 5
_MOST_REPLIES = 2
_PAUSE_NS = nanoseconds(2.0)

LinesIn = Callable[[str, tuple[int, int]], Sequence[LineRow]]
"""The lines of a session that were heard in a span of it."""


def last_cited(memory: LongTermMemory, at: datetime | None, now_ns: int) -> list[LineRow]:
    """The lines that the last answer cited, best first, as far as they were known by `at`; none where nothing was answered lately."""
    contexts = memory.contexts.recent(now_ns)
    if not contexts:
        return []
    known = {line.id: line for line in memory.lines(ids=list(contexts[-1].lines), at=at)}
    return [known[name] for name in contexts[-1].lines if name in known]


def talking(cited: Sequence[LineRow]) -> LineRow:
    """The line whose talker "she" or "he" is: the first cited one, or where that is a question, the reply that was cited with it."""
    first = cited[0]
    if not is_question(first.text) or len(cited) == 1:
        return first
    replied = cited[1].session == first.session and cited[1].event == first.event and cited[1].track != first.track
    return cited[1] if replied else first


def around(scope: Scope, cited: LineRow, lines_in: LinesIn) -> Scope:
    """The scope of the conversation in which a line was said, two minutes to both sides of it."""
    span = (max(0, cited.start_ns - _NEXT_NS), cited.end_ns + _NEXT_NS)
    session = scope.sessions[cited.session]
    window = Window("near that", session.moment(span[0]), session.moment(span[1]))
    lines = [cited, *lines_in(cited.session, span)]
    # Over minutes, one stray line of another table would join the two: those who share the event of the line itself talk with each other.
    own = frozenset(line.track for line in lines if line.event is not None and line.event == cited.event)
    return replace(scope, spans={cited.session: span}, window=window, tracks=own if len(own) > 1 else _conversation(cited, lines))


def more_of(scope: Scope, cited: LineRow, lines_in: LinesIn) -> list[LineRow]:
    """What else was said where a line was, by whom the scope allows: in its event, or else near it; by start."""
    near = around(scope, cited, lines_in)
    lines = [line for line in lines_in(cited.session, near.spans[cited.session]) if near.allows(line)]
    lines = [line for line in lines if not is_untranscribed(line)]
    inside = [line for line in lines if line.event is not None and line.event == cited.event]
    nearest = sorted(inside or lines, key=lambda line: (abs(line.start_ns - cited.start_ns), line.id))
    return sorted(nearest[:_MOST_MORE], key=lambda line: (line.start_ns, line.id))


def replies_to(scope: Scope, cited: LineRow, lines_in: LinesIn) -> list[LineRow]:
    """What others said next in the conversation of a line: the first turn that the scope allows, two lines of it at most."""
    near = around(scope, cited, lines_in)
    after = [
        line
        for line in lines_in(cited.session, near.spans[cited.session])
        if near.allows(line) and line.start_ns > cited.start_ns and line.track != cited.track and not is_untranscribed(line)
    ]
    turn = [line for line in after if line.track == after[0].track]
    return turn[: 1 if len(turn) < 2 or turn[1].start_ns - turn[0].end_ns > _PAUSE_NS else _MOST_REPLIES]


def beside(scope: Scope, cited: Sequence[LineRow], *, before: bool, open_ended: bool, lines_in: LinesIn) -> Scope | None:
    """The scope of what was said right after some lines (or `before` them), in the session and the conversation of the first of them.

    Where nobody else is named, that is what the people of that conversation said, if they said anything more. It reaches two minutes
    from the nearest line that fits the other constraints; with `open_ended` to the end (start) of the session, of which an hour is read
    at most. None where nothing fits.
    """
    session = scope.sessions.get(cited[0].session)
    if session is None:
        return None
    cited = [line for line in cited if line.session == session.id]
    # Of a long session only so many lines are read, the earliest ones: the hour beside the cited lines is looked at first.
    for reach_ns in (_SOON_NS, _NEAR_NS) if open_ended else (_NEAR_NS, END_NS):
        near = _beside(scope, cited, reach_ns, before=before, open_ended=open_ended, lines_in=lines_in)
        if near is not None:
            return near
    return None


def until(scope: Scope, line: LineRow) -> Scope:
    """The scope of what was said in the session of a line, up to its end."""
    return _within(scope, scope.sessions[line.session], (0, line.end_ns), Window("before that", None, None))


def _beside(scope: Scope, cited: Sequence[LineRow], reach_ns: int, *, before: bool, open_ended: bool, lines_in: LinesIn) -> Scope | None:
    """What `beside` gives, of the lines that are not further from the cited ones than `reach_ns`."""
    session = scope.sessions[cited[0].session]
    first, last = min(line.start_ns for line in cited), max(line.end_ns for line in cited)
    around = lines_in(session.id, (max(0, last - reach_ns), last) if before else (first, min(first + reach_ns, END_NS)))
    own = _conversation(cited[0], around)
    # A claim may have proof from another table.
    cited = [line for line in cited if line.track in own]
    edge = min(line.start_ns for line in cited) if before else max(line.end_ns for line in cited)
    # What began before the cited line had ended, at another table, goes on beside it and not after it.
    window = Window("before that" if before else "after that", None, None)
    wide = replace(scope, spans={session.id: (0, edge) if before else (edge, END_NS)}, window=window)
    known = {line.id for line in cited}
    fitting = [
        line for line in around if wide.allows(line) and line.id not in known and (line.end_ns <= edge if before else line.start_ns >= edge)
    ]
    end = max(scope.spans.get(session.id, (0, END_NS))[1], edge)
    if not fitting:
        # What lies further off is searched, not read.
        is_all = last <= reach_ns if before else first + reach_ns >= end
        if not open_ended or reach_ns < _NEAR_NS or is_all:
            return None
        return _within(scope, session, (0, edge) if before else (edge, end), window)
    is_free = scope.speaker is None and scope.azimuth_deg is None and not scope.talkers
    if is_free and not open_ended and any(line.track in own for line in fitting):
        fitting = [line for line in fitting if line.track in own]
        scope = replace(scope, tracks=own)
    if before:
        last = max(line.end_ns for line in fitting)
        span = (0 if open_ended else max(0, last - _NEXT_NS), last)
    else:
        first = min(line.start_ns for line in fitting)
        span = (first, end if open_ended else first + _NEXT_NS)
    return _within(scope, session, span, window)


def _within(scope: Scope, session: SessionRow, span: tuple[int, int], window: Window) -> Scope:
    """A scope within a span of a session, as a window says it."""
    window = Window(window.phrase, session.moment(span[0]), session.moment(span[1]))
    return replace(scope, spans={session.id: span}, window=window)


def _conversation(line: LineRow, around: Sequence[LineRow]) -> frozenset[str]:
    """The tracks of those who talk with each other where a line was said."""
    found = (talk for talk in talks(around) if any(other.id == line.id for other in talk))
    return frozenset(other.track for other in next(found, [line]))


def nearest_lines(near: Scope, *, before: bool, lines_in: LinesIn) -> list[LineRow]:
    """The first lines of the scope that `beside` gave (the last ones of what lies `before`), by start; at most three."""
    ((session, span),) = near.spans.items()
    fitting = [
        line for line in lines_in(session, span) if near.allows(line) and (line.end_ns <= span[1] if before else line.start_ns >= span[0])
    ]
    fitting.sort(key=lambda line: (line.start_ns, line.id))
    return fitting[-_MOST_NEXT:] if before else fitting[:_MOST_NEXT]
