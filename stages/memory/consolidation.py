"""Consolidation: events become episodes, and episodes days. A pure function of the events of a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from pipeline.packets import NS_PER_S, Event, Float32Array

LONGEST_PAUSE_NS = 60 * NS_PER_S
LONGEST_EPISODE_NS = 1800 * NS_PER_S
_SAME_PEOPLE = 0.5
_SUMMARY_PARTS = 3


@dataclass(frozen=True)
class Part:
    """An event as consolidation sees it. `vector` is float32, shape (dimension,); `salience` is how much its lines mattered."""

    name: str
    start_ns: int
    end_ns: int
    tracks: tuple[str, ...]
    surprise: float
    reason: str
    summary: str
    vector: Float32Array
    salience: float
    n_lines: int


def episodes(parts: Sequence[Part], known_ns: int) -> list[Event]:
    """Neighbouring events of one conversation as one episode each, by start.

    Events are of one conversation when at least half of their people are the same, and neighbours when no more than a minute
    lies between them; an episode lasts half an hour at most. `known_ns` is when this was found out.
    """
    growing: list[list[Part]] = []
    done: list[list[Part]] = []
    for part in sorted(parts, key=lambda entry: (entry.start_ns, entry.end_ns, entry.name)):
        still = [group for group in growing if part.start_ns - max(entry.end_ns for entry in group) <= LONGEST_PAUSE_NS]
        done += [group for group in growing if group not in still]
        growing = still
        home = home_of(growing, part)
        if home is not None:
            home.append(part)
        else:
            growing.append([part])
    found = sorted(done + growing, key=lambda group: (group[0].start_ns, group[0].name))
    return [joined(group, "episode", f"episode-{group[0].name}", group[0].reason, known_ns) for group in found]


def home_of(groups: Sequence[list[Part]], part: Part) -> list[Part] | None:
    """The growing episode that an event belongs to, the one whose last event has most of its people; None where it begins a new one."""
    home = max(
        (group for group in groups if part.end_ns - group[0].start_ns <= LONGEST_EPISODE_NS),
        key=lambda group: (_shared(group[-1], part), -group[0].start_ns),
        default=None,
    )
    return home if home is not None and _shared(home[-1], part) >= _SAME_PEOPLE else None


def days(parts: Sequence[Part], started_at: datetime, known_ns: int) -> list[Event]:
    """What was heard on each calendar day of the session's own time zone."""
    by_day: dict[str, list[Part]] = {}
    for part in sorted(parts, key=lambda entry: (entry.start_ns, entry.end_ns, entry.name)):
        day = (started_at + timedelta(microseconds=part.start_ns // 1000)).date().isoformat()
        by_day.setdefault(day, []).append(part)
    return [joined(group, "day", f"day-{day}", f"the day {day}", known_ns) for day, group in by_day.items()]


def _shared(one: Part, other: Part) -> float:
    both = set(one.tracks) | set(other.tracks)
    return len(set(one.tracks) & set(other.tracks)) / max(len(both), 1)


def joined(group: Sequence[Part], level: str, name: str, reason: str, known_ns: int) -> Event:
    """Events as one of a coarser level, known from `known_ns` (session time) on; its summary is that of the three that mattered most."""
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
