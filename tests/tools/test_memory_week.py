from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stages.memory.bounds import Bounds
from tools.memory_week import live, table
from tools.memory_week_talk import said_in


def test_days_stay_inside_their_bounds_and_nothing_that_was_said_is_lost(tmp_path: Path) -> None:
    bounds = Bounds(disk_bytes="40 MB", recordings_bytes="2500 kB", line_audio_bytes="50 kB", index_ram_bytes="40 MB")
    week = live(tmp_path, 2, 2, 60, bounds)
    assert week.holds
    assert (week.n_lines, week.n_lost, week.n_sampled, week.n_not_found) == (240, 0, 200, 0)
    assert [day.n_lines for day in week.days] == [120, 240]
    # Eight hours of sound have been recorded, half of them in a session that never ended; of the latest two each a little more fits.
    segments = sorted(path.relative_to(tmp_path / "sessions").as_posix() for path in tmp_path.glob("sessions/*/audio/*"))
    in_hours = [name for name in segments if name.startswith("day-")]
    assert in_hours == [f"day-2-hour-{hour:02d}/audio/{place:06d}.flac" for hour in range(2) for place in range(4)][-len(in_hours) :]
    assert 4 <= len(in_hours) <= 5
    assert 2_000_000 < week.days[-1].recordings_bytes <= 2_500_000
    assert week.recorded_h == 48
    assert 22 < week.kept_h < 24
    assert 0 < week.days[-1].line_audio_bytes <= 50_000
    assert all(day.slept and day.question_p95_ms > 0 for day in week.days)
    printed = table(week)
    rows = [line for line in printed.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1
    assert "Of 240 lines 0 were not there" in printed


def test_what_did_not_hold_is_told(tmp_path: Path) -> None:
    week = live(tmp_path, 1, 1, 30, Bounds(database_bytes=1000))
    assert week.days[0].over == ("database",)
    assert not week.holds
    lost = replace(week, days=(replace(week.days[0], over=()),), n_lost=1)
    assert not lost.holds
    assert replace(lost, n_lost=0).holds


def test_no_line_of_a_week_is_said_twice() -> None:
    said = [text for day in range(2) for hour in range(3) for _, text in said_in(day, hour, 50)]
    assert len(set(said)) == 300
    assert said_in(1, 2, 50) == said_in(1, 2, 50)
