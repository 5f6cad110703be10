from datetime import UTC, datetime

import pytest

from pipeline.app.failures import CallerError
from pipeline.app.times import clock, duration, parse_moment

START = datetime(2026, 11, 22, 19, 45, tzinfo=UTC)


def test_iso_8601_keeps_its_offset() -> None:
    moment = parse_moment("2026-11-22T20:45:00+01:00", "--at")
    assert moment == START
    assert moment.isoformat() == "2026-11-22T20:45:00+01:00"


def test_a_time_without_offset_is_this_machines_own() -> None:
    assert parse_moment("2026-11-22T19:45:00", "--at") == datetime(2026, 11, 22, 19, 45).astimezone()


def test_plus_seconds_counts_from_the_session() -> None:
    assert parse_moment("+12.5", "--at", lambda: START) == datetime(2026, 11, 22, 19, 45, 12, 500000, tzinfo=UTC)


@pytest.mark.parametrize("text", ["noon", "", "+", "+x", "+nan", "+inf", "2026-13-01"])
def test_other_times_say_what_to_write(text: str) -> None:
    with pytest.raises(CallerError, match=r"--at: found .*(2026-11-22T19:45:00|\+12\.5)"):
        parse_moment(text, "--at", lambda: START)


def test_plus_seconds_where_there_is_no_session() -> None:
    with pytest.raises(CallerError) as caught:
        parse_moment("+5", "--started-at")
    assert str(caught.value) == "--started-at: found '+5'; give a time as ISO 8601, such as 2026-11-22T19:45:00+01:00"


def test_the_sessions_own_error_is_kept() -> None:
    def no_session() -> datetime:
        raise CallerError("this memory has no session yet")

    with pytest.raises(CallerError, match=r"^this memory has no session yet$"):
        parse_moment("+5", "--at", no_session)


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0.0 s"), (59.94, "59.9 s"), (60.0, "1:00"), (185.2, "3:05"), (3723.0, "1:02:03")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_clock() -> None:
    assert clock(START) == "19:45:00"
