from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from stages.memory.rows import SessionRow
from stages.recall.question import parse
from stages.recall.scope import is_near, scope_of
from stages.recall.time_phrase import Moments
from tests.stages.recall.line_rows import line_row

ZONE = timezone(timedelta(hours=1))
START = datetime(2026, 3, 2, 10, 0, tzinfo=ZONE)
SESSIONS = [
    SessionRow("old", "x", START - timedelta(days=1), 60 * 10**9, "mono", True),
    SessionRow("s", "y", START, 600 * 10**9, "mono", True),
]
ENDS = {"old": 60 * 10**9, "s": 600 * 10**9}
MOMENTS = Moments(START + timedelta(minutes=10), START + timedelta(minutes=10), START)


def test_without_constraints_everything_is_allowed() -> None:
    scope = scope_of(parse("What about dogs?", MOMENTS), SESSIONS, ENDS)
    assert list(scope.spans) == ["old", "s"]
    assert not scope.is_narrow
    assert scope.allows(line_row("x", 599.0))


def test_speaker_bearing_and_time_restrict() -> None:
    scope = scope_of(parse("What did speaker-1 say about dogs at 350 degrees between +10 and +40?", MOMENTS), SESSIONS, ENDS)
    assert scope.spans == {"s": (10 * 10**9, 40 * 10**9)}
    assert scope.allows(line_row("yes", 12.0, azimuth_deg=5.0))
    assert not scope.allows(line_row("another bearing", 12.0, azimuth_deg=30.0))
    assert not scope.allows(line_row("no bearing", 12.0, azimuth_deg=None))
    assert not scope.allows(line_row("another one", 12.0, track="t2", azimuth_deg=5.0))
    assert not scope.allows(line_row("later", 41.0, azimuth_deg=5.0))
    assert not scope.allows(line_row("other session", 12.0, azimuth_deg=5.0, session="old"))


def test_the_last_minutes_of_silence_are_the_last_that_were_heard() -> None:
    later = Moments(START + timedelta(days=2), START + timedelta(minutes=10), START)
    scope = scope_of(parse("What did I miss in the last five minutes?", later), SESSIONS, ENDS)
    assert scope.spans == {"s": (300 * 10**9, 600 * 10**9)}
    assert scope.notes == ("Nothing has been heard since 10:10:00 on 02 March 2026; this is about the time before that.",)


def test_bearings_wrap_around() -> None:
    assert is_near(355.0, 10.0)
    assert not is_near(180.0, 10.0)
    assert not is_near(None, 10.0)


def test_where_somebody_sits_at_the_bearing_those_beside_them_are_not_meant() -> None:
    scope = scope_of(parse("What was said about dogs at 210 degrees?", MOMENTS), SESSIONS, ENDS)
    beside = line_row("beside", 12.0, azimuth_deg=230.0)
    assert scope.allows(beside)
    near = replace(scope, near=frozenset({"s"}))
    assert not near.allows(beside)
    assert near.allows(line_row("there", 12.0, azimuth_deg=222.0))
    assert near.allows(line_row("another session", 12.0, azimuth_deg=230.0, session="old"))
