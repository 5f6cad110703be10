from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from stages.recall.time_phrase import Moments, find_window

ZONE = timezone(timedelta(hours=1))
NOW = datetime(2026, 3, 2, 10, 45, tzinfo=ZONE)
MOMENTS = Moments(NOW, datetime(2026, 3, 2, 10, 40, tzinfo=ZONE), datetime(2026, 3, 2, 10, 0, tzinfo=ZONE))


def _at(hour: int, minute: int = 0, second: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("in the last five minutes", _at(10, 40), NOW),
        ("over the last twenty-five seconds", _at(10, 44, 35), NOW),
        ("in the past minute", _at(10, 44), NOW),
        ("in the last half an hour", _at(10, 15), NOW),
        ("five minutes ago", _at(10, 39), _at(10, 41)),
        ("between ten and half past", _at(10), _at(10, 30)),
        ("from 10:05 to 10:15", _at(10, 5), _at(10, 15)),
        ("between +10 and +40", _at(10, 0, 10), _at(10, 0, 40)),
        ("at +30?", _at(10, 0, 20), _at(10, 0, 40)),
        ("at half past ten", _at(10, 28), _at(10, 32)),
        ("after 10:20", _at(10, 20), None),
        ("before 10:20?", None, _at(10, 20)),
        ("since 9 am", _at(9), None),
        ("yesterday", _at(0, day=1), _at(0)),
        ("yesterday morning", _at(5, day=1), _at(12, day=1)),
        ("today before 10.15", None, _at(10, 15)),
        ("on Sunday", _at(0, day=1), _at(0)),
        ("at 2026-03-02T10:10", _at(10, 8), _at(10, 12)),
        ("between 12 and half past", _at(0), _at(0, 30)),
        ("between one minute past ten and two minutes past ten", _at(10, 1), _at(10, 2)),
        ("between seven past ten and twenty-three past ten", _at(10, 7), _at(10, 23)),
        ("between five past ten and a quarter past", _at(10, 5), _at(10, 15)),
        ("between five and ten past four", _at(4, 5), _at(4, 10)),
        ("between ten and five to four", _at(3, 50), _at(3, 55)),
        ("between four and ten past four", _at(4), _at(4, 10)),
        ("at three minutes to ten?", _at(9, 55), _at(9, 59)),
        ("at 12 minutes past ten?", _at(10, 10), _at(10, 14)),
        ("from two to six", _at(2), _at(6)),
        ("between eleven and one", _at(23, day=1), _at(1)),
        ("in the first minute", _at(10), _at(10, 1)),
        ("in the first half minute of the recording", _at(10), _at(10, 0, 30)),
        ("during the very first ten seconds", _at(10), _at(10, 0, 10)),
        ("in the first few minutes", _at(10), _at(10, 3)),
        ("in the last two minutes of the meeting", _at(10, 38), _at(10, 40)),
        ("in the second minute", _at(10, 1), _at(10, 2)),
        ("during the 12th minute of the meeting", _at(10, 11), _at(10, 12)),
        ("in the second half of the meeting", _at(10, 20), _at(10, 40)),
        ("in the first half", _at(10), _at(10, 20)),
        ("in the last quarter of the recording", _at(10, 30), _at(10, 40)),
        ("in the last ten minutes before half past ten", _at(10, 20), _at(10, 30)),
        ("in the first five minutes after 10:10", _at(10, 10), _at(10, 15)),
    ],
)
def test_times_as_people_say_them(text: str, start: datetime | None, end: datetime | None) -> None:
    window, rest = find_window(f"What was said {text}", MOMENTS)
    assert window is not None
    assert (window.start, window.end) == (start, end)
    assert rest.split()[:3] == ["What", "was", "said"]


@pytest.mark.parametrize(
    "text",
    [
        "What happens in the first minute of the film?",
        "What is due in the first week?",
        "Who scored in the second half?",
        "What did they say about the match in the second half?",
        "What was said in the second minute of the film?",
        "What was said in the last quarter?",
        "What was said in the third half?",
        "in the last ten minutes before the break",
        "What did they say about ten dogs?",
        "at 90 degrees",
        "Did they talk about the one from Lisbon?",
        "walk past the dog",
        "",
    ],
)
def test_what_is_no_time_is_left_alone(text: str) -> None:
    assert find_window(text, MOMENTS) == (None, text)


@pytest.mark.parametrize(("part", "start", "end"), [("last third", 20, 30), ("middle third", 10, 20), ("first third", 0, 10)])
def test_thirds_of_a_session(part: str, start: int, end: int) -> None:
    moments = Moments(NOW, datetime(2026, 3, 2, 10, 30, tzinfo=ZONE), datetime(2026, 3, 2, 10, 0, tzinfo=ZONE))
    window, _ = find_window(f"What happened in the {part}?", moments)
    assert window is not None
    assert (window.start, window.end) == (_at(10, start), _at(10, end))


def test_a_part_of_a_session_needs_its_end() -> None:
    starts = (_at(10, day=1), _at(10))
    window, _ = find_window("What was said yesterday in the second half?", replace(MOMENTS, starts=starts))
    assert window is not None
    assert (window.start, window.end) == (_at(0, day=1), _at(0))
    minute, _ = find_window("What was said yesterday in the second minute?", replace(MOMENTS, starts=starts))
    assert minute is not None
    assert (minute.start, minute.end) == (_at(10, 1, day=1), _at(10, 2, day=1))


def test_a_stretch_up_to_now_rolls() -> None:
    window, _ = find_window("in the last two minutes", MOMENTS)
    assert window is not None
    assert window.rolling_s == 120.0


def test_seconds_need_a_session() -> None:
    assert find_window("between +10 and +40", Moments(NOW))[0] is None


def test_a_time_of_day_may_be_what_was_said_and_a_date_may_not() -> None:
    at_ten, _ = find_window("What happens at ten?", MOMENTS)
    yesterday, _ = find_window("What happened yesterday?", MOMENTS)
    assert at_ten is not None
    assert yesterday is not None
    assert (at_ten.exact, yesterday.exact) == (False, True)


@pytest.mark.parametrize("days_later", range(8))
@pytest.mark.parametrize("day", ["monday", "wednesday", "sunday"])
def test_a_weekday_is_the_last_one_before_today(day: str, days_later: int) -> None:
    now = NOW + timedelta(days=days_later)
    window, _ = find_window(f"What was said on {day} morning?", Moments(now))
    assert window is not None
    assert window.start is not None
    assert f"{window.start:%A %H:%M}" == f"{day.title()} 05:00"
    assert timedelta(0) < now.replace(hour=5, minute=0, second=0, microsecond=0) - window.start <= timedelta(days=7)


def test_midday_is_an_hour_of_the_day() -> None:
    window, _ = find_window("What was said at midday?", MOMENTS)
    noon, _ = find_window("What was said at noon?", MOMENTS)
    assert window is not None
    assert noon is not None
    assert (window.start, window.end) == (noon.start, noon.end)


def test_days_are_read_without_loading_a_library_of_dates() -> None:
    """Loading it takes longer than an answer may."""
    asked = (
        "import sys; from datetime import UTC, datetime; from stages.recall.time_phrase import Moments;"
        " from stages.recall.calendar_phrase import asked_time; now = Moments(datetime(2026, 11, 22, 10, tzinfo=UTC));"
        " found = [asked_time(f'What was said {day}?', now)[0] for day in ('yesterday morning', 'on Monday', 'tonight', 'last week')];"
        " print(all(found), 'dateparser' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["True", "False"]


@pytest.mark.parametrize("text", ["between half past four and four", "between 9:30 and 9:10", "between 16:30 and 16:00"])
def test_of_two_times_the_later_may_stand_first(text: str) -> None:
    window, _ = find_window(f"What was said {text}", MOMENTS)
    assert window is not None
    assert window.start is not None
    assert window.end is not None
    assert window.start - timedelta(hours=2) < window.end < window.start


def test_the_first_minute_of_a_day_is_that_of_its_first_session() -> None:
    starts = (_at(9, day=1), _at(15, day=1), _at(10))
    window, _ = find_window("What was said yesterday in the first minute?", replace(MOMENTS, starts=starts))
    assert window is not None
    assert (window.start, window.end) == (_at(9, day=1), _at(9, 1, day=1))
