from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S
from stages.memory.consolidation import Part, days, episodes

EAST = np.array([1.0, 0.0], dtype=np.float32)


def part(number: int, start_s: float, end_s: float, tracks: str = "a b", salience: float = 0.5) -> Part:
    return Part(
        name=f"event-{number}",
        start_ns=round(start_s * NS_PER_S),
        end_ns=round(end_s * NS_PER_S),
        tracks=tuple(tracks.split()),
        surprise=float(number),
        reason=f"reason {number}",
        summary=f"summary {number}",
        vector=EAST,
        salience=salience,
        n_lines=3,
    )


def test_neighbouring_events_of_one_conversation_are_one_episode() -> None:
    parts = [part(0, 0, 30), part(1, 5, 40, "c d"), part(2, 31, 60), part(3, 41, 70, "c d"), part(4, 200, 230)]
    found = episodes(parts, 300 * NS_PER_S)
    assert [event.extra["parts"] for event in found] == [("event-0", "event-2"), ("event-1", "event-3"), ("event-4",)]
    first = found[0]
    assert (first.level, first.name, first.reason, first.surprise) == ("episode", "episode-event-0", "reason 0", 0.0)
    assert (first.pts_ns, first.extra["end_ns"], first.end_ns) == (0, 60 * NS_PER_S, 300 * NS_PER_S)
    assert first.summary == "summary 0 … summary 2"


def test_a_summary_takes_the_events_that_mattered() -> None:
    parts = [part(n, n * 10, n * 10 + 9, salience=value) for n, value in enumerate([0.1, 0.9, 0.2, 0.8, 0.3])]
    (found,) = episodes(parts, 0)
    assert found.summary == "summary 1 … summary 3 … summary 4"


def test_days_follow_the_time_zone_of_the_session() -> None:
    started = datetime(2026, 11, 22, 23, 59, tzinfo=timezone(timedelta(hours=2)))
    found = days([part(0, 0, 30), part(1, 50, 70), part(2, 61, 90)], started, 0)
    assert [(event.name, event.extra["parts"]) for event in found] == [
        ("day-2026-11-22", ("event-0", "event-1")),
        ("day-2026-11-23", ("event-2",)),
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 400), st.sampled_from(["a b", "b c", "c d", "d"])), max_size=25))
def test_every_event_is_in_one_episode(made: list[tuple[int, int, str]]) -> None:
    parts = [part(number, start, start + length, tracks) for number, (start, length, tracks) in enumerate(made)]
    found = episodes(parts, 0)
    names = [name for event in found for name in event.extra["parts"]]
    assert sorted(names) == sorted(entry.name for entry in parts)
    assert [event.pts_ns for event in found] == sorted(event.pts_ns for event in found)
    assert found == [] or all(abs(float(np.linalg.norm(event.embedding)) - 1.0) < 1e-5 for event in found)
