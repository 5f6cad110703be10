from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S
from stages.memory.sleeping.consolidation import Part, days, episodes

EAST = np.array([1.0, 0.0], dtype=np.float32)


def part(number: int, start_s: float, end_s: float, tracks: str = "a b", salience: float = 0.5, known_s: float | None = None) -> Part:
    return Part(
        name=f"event-{number}",
        start_ns=round(start_s * NS_PER_S),
        end_ns=round(end_s * NS_PER_S),
        known_ns=round((end_s if known_s is None else known_s) * NS_PER_S),
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
    found = episodes(parts)
    assert [event.extra["parts"] for event in found] == [("event-0", "event-2"), ("event-1", "event-3"), ("event-4",)]
    first = found[0]
    assert (first.level, first.name, first.reason, first.surprise) == ("episode", "episode-event-0", "reason 0", 0.0)
    assert (first.pts_ns, first.extra["end_ns"], first.end_ns) == (0, 60 * NS_PER_S, 60 * NS_PER_S)
    assert first.summary == "summary 0 … summary 2"


def test_a_summary_takes_the_events_that_mattered() -> None:
    parts = [part(n, n * 10, n * 10 + 9, salience=value) for n, value in enumerate([0.1, 0.9, 0.2, 0.8, 0.3])]
    (found,) = episodes(parts)
    assert found.summary == "summary 1 … summary 3 … summary 4"


def test_days_follow_the_time_zone_of_the_session() -> None:
    started = datetime(2026, 11, 22, 23, 59, tzinfo=timezone(timedelta(hours=2)))
    found = days([part(0, 0, 30), part(1, 50, 70), part(2, 61, 90)], started, 100 * NS_PER_S)
    assert [(event.name, event.extra["parts"]) for event in found] == [
        ("day-2026-11-22", ("event-0", "event-1")),
        ("day-2026-11-23", ("event-2",)),
    ]
    # The session ended before either day could be told by its own half hour.
    assert {event.end_ns for event in found} == {100 * NS_PER_S}


def test_a_day_is_known_half_an_hour_after_it_is_over_and_when_its_events_were() -> None:
    started = datetime(2026, 11, 22, 23, 59, tzinfo=timezone(timedelta(hours=2)))
    early, late = part(0, 0, 30), part(1, 50, 70, known_s=4000)
    (day,) = days([early], started)
    assert (day.extra["end_ns"], day.end_ns) == (30 * NS_PER_S, 1860 * NS_PER_S)
    (day,) = days([early, late], started)
    assert day.end_ns == 4000 * NS_PER_S
    assert [event.end_ns for event in days([early], started, 900 * NS_PER_S)] == [900 * NS_PER_S]


def test_an_event_that_is_known_later_joins_those_that_were_known_and_moves_none() -> None:
    parts = [part(0, 100, 130), part(1, 140, 170), part(2, 60, 95, known_s=180), part(3, 10, 30, known_s=400)]
    (found,) = episodes(parts)
    assert (found.name, found.pts_ns, found.end_ns) == ("episode-event-0", 10 * NS_PER_S, 400 * NS_PER_S)
    assert (found.reason, found.extra["parts"]) == ("reason 3", ("event-3", "event-2", "event-0", "event-1"))
    more = episodes([*parts, part(5, 200, 1840), part(4, 1850, 2050)])
    assert [event.name for event in more] == ["episode-event-0", "episode-event-5", "episode-event-4"], "half an hour at most"


KNOWN = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(0, 400), st.sampled_from(["a b", "b c", "c d", "d"]), st.sampled_from([0, 0, 7, 300])),
    max_size=25,
)


@settings(max_examples=100, deadline=None)
@given(KNOWN, st.integers(0, 4500))
def test_what_was_known_by_a_moment_had_the_same_episodes_then(made: list[tuple[int, int, str, int]], moment_s: int) -> None:
    parts = [
        part(number, start, start + length, tracks, known_s=start + length + lag)
        for number, (start, length, tracks, lag) in enumerate(made)
    ]
    known = {entry.name for entry in parts if entry.known_ns <= moment_s * NS_PER_S}
    later = {event.name: [name for name in event.extra["parts"] if name in known] for event in episodes(parts)}
    then = {event.name: list(event.extra["parts"]) for event in episodes([entry for entry in parts if entry.name in known])}
    assert then == {name: names for name, names in later.items() if names}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 400), st.sampled_from(["a b", "b c", "c d", "d"])), max_size=25))
def test_every_event_is_in_one_episode(made: list[tuple[int, int, str]]) -> None:
    parts = [part(number, start, start + length, tracks) for number, (start, length, tracks) in enumerate(made)]
    found = episodes(parts)
    names = [name for event in found for name in event.extra["parts"]]
    assert sorted(names) == sorted(entry.name for entry in parts)
    assert [event.pts_ns for event in found] == sorted(event.pts_ns for event in found)
    assert found == [] or all(abs(float(np.linalg.norm(event.embedding)) - 1.0) < 1e-5 for event in found)
