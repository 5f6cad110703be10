"""Consolidation: events become episodes, and episodes days. A pure function of the events of a session."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import numpy as np

from pipeline.packets import NS_PER_S, Event, Float32Array

LONGEST_PAUSE_NS = 60 * NS_PER_S
LONGEST_EPISODE_NS = 1800 * NS_PER_S
_DAY_NS = 86_400 * NS_PER_S
_SAME_PEOPLE = 0.5
_SUMMARY_PARTS = 3


@dataclass(frozen=True)
class Part:
    """An event as consolidation sees it, with times on its session's clock; `known_ns` is from when on it is known.

    `vector` is float32, shape (dimension,); `salience` is how much its lines mattered.
    """

    name: str
    start_ns: int
    end_ns: int
    known_ns: int
    tracks: tuple[str, ...]
    surprise: float
    reason: str
    summary: str
    vector: Float32Array
    salience: float
    n_lines: int


def episodes(parts: Sequence[Part]) -> list[Event]:
    """Neighbouring events of one conversation as one episode each, by start.

    Events are of one conversation when at least half of their people are the same, and neighbours when no more than a minute lies
    between them; an episode lasts half an hour at most. Events find their episodes one after another, in the order in which they were
    known, so no event that comes later moves one that came before: what was known by a moment had the same episodes then.
    """
    groups: list[list[Part]] = []
    starts: list[tuple[int, int]] = []
    for part in sorted(parts, key=_as_known):
        first = bisect_left(starts, (part.end_ns - LONGEST_EPISODE_NS, 0))
        last = bisect_right(starts, (part.end_ns + LONGEST_PAUSE_NS, len(groups)))
        places = [place for _, place in starts[first:last]]
        home = home_of([groups[place] for place in places], part)
        if home is None:
            groups.append([part])
            insort(starts, (part.start_ns, len(groups) - 1))
        else:
            place = next(place for place in places if groups[place] is home)
            starts.remove((min(held.start_ns for held in home), place))
            home.append(part)
            insort(starts, (min(held.start_ns for held in home), place))
    found = [episode_of(group) for group in groups]
    return sorted(found, key=lambda event: (event.pts_ns, event.name))


def home_of(groups: Sequence[list[Part]], part: Part) -> list[Part] | None:
    """The episode that an event belongs to, the one whose latest event has most of its people; None where it begins a new one.

    Events of each group are in the order in which they were known.
    """
    home = min(
        (group for group in groups if _fits(group, part)),
        key=lambda group: (-_shared(group[-1], part), min(held.start_ns for held in group), group[0].name),
        default=None,
    )
    return home if home is not None and _shared(home[-1], part) >= _SAME_PEOPLE else None


def episode_of(group: Sequence[Part]) -> Event:
    """Events of one conversation, in the order in which they were known, as an episode: named after the first, known since the last."""
    earliest = min(group, key=_in_time)
    return joined(group, "episode", f"episode-{group[0].name}", earliest.reason, max(part.known_ns for part in group))


def days(parts: Sequence[Part], started_at: datetime, ended_ns: int | None = None) -> list[Event]:
    """What was heard on each calendar day of the session's own time zone; `ended_ns` is when the session did, None while it runs.

    A day is known from when it was told (`told_ns`), and from when the last of its events was.
    """
    by_day: dict[int, list[Part]] = {}
    for part in sorted(parts, key=_in_time):
        by_day.setdefault(day_span(started_at, part.start_ns)[0], []).append(part)
    return [day_of(group, started_at, ended_ns) for group in by_day.values()]


def day_of(group: Sequence[Part], started_at: datetime, ended_ns: int | None) -> Event:
    """Events that began on one day as that day."""
    first_ns = min(part.start_ns for part in group)
    date = (started_at + timedelta(microseconds=first_ns // 1000)).date().isoformat()
    known_ns = max(told_ns(started_at, first_ns, ended_ns), *(part.known_ns for part in group))
    return joined(group, "day", f"day-{date}", f"the day {date}", known_ns)


def day_span(started_at: datetime, time_ns: int) -> tuple[int, int]:
    """When the calendar day of a session time begins and ends, in session time."""
    moment = started_at + timedelta(microseconds=time_ns // 1000)
    midnight = datetime.combine(moment.date(), time(), started_at.tzinfo)
    begin_ns = (midnight - started_at) // timedelta(microseconds=1) * 1000
    return begin_ns, begin_ns + _DAY_NS


def told_ns(started_at: datetime, time_ns: int, ended_ns: int | None) -> int:
    """From when on the day of a session time can be told: half an hour after it is over, or when the session ended before that."""
    over_ns = day_span(started_at, time_ns)[1] + LONGEST_EPISODE_NS
    return over_ns if ended_ns is None else min(over_ns, ended_ns)


def joined(group: Sequence[Part], level: str, name: str, reason: str, known_ns: int) -> Event:
    """Events as one of a coarser level, known from `known_ns` (session time) on; its summary is that of the three that mattered most."""
    group = sorted(group, key=_in_time)
    start_ns, end_ns = group[0].start_ns, max(part.end_ns for part in group)
    telling = sorted(group, key=lambda part: (-round(part.salience * part.n_lines, 6), part.start_ns, part.name))[:_SUMMARY_PARTS]
    mean = np.sum([part.vector.astype(np.float64) * part.n_lines for part in group], axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-9)
    return Event(
        pts_ns=start_ns,
        duration_ns=max(known_ns, end_ns) - start_ns,
        name=name,
        lines=(),
        tracks=tuple(sorted({track for part in group for track in part.tracks})),
        reason=reason,
        surprise=group[0].surprise,
        summary=" … ".join(part.summary for part in sorted(telling, key=lambda part: (part.start_ns, part.name))),
        embedding=mean.astype(np.float32),
        level=level,
        extra={"end_ns": end_ns, "made_by": "consolidation", "parts": tuple(part.name for part in group)},
    )


def _fits(group: Sequence[Part], part: Part) -> bool:
    start_ns, end_ns = min(held.start_ns for held in group), max(held.end_ns for held in group)
    return (
        max(end_ns, part.end_ns) - min(start_ns, part.start_ns) <= LONGEST_EPISODE_NS
        and part.start_ns - end_ns <= LONGEST_PAUSE_NS
        and start_ns - part.end_ns <= LONGEST_PAUSE_NS
    )


def _shared(one: Part, other: Part) -> float:
    both = set(one.tracks) | set(other.tracks)
    return len(set(one.tracks) & set(other.tracks)) / max(len(both), 1)


def _as_known(part: Part) -> tuple[int, int, int, str]:
    return part.known_ns, part.start_ns, part.end_ns, part.name


def _in_time(part: Part) -> tuple[int, int, str]:
    return part.start_ns, part.end_ns, part.name
