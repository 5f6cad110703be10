"""Episodes and days as rows: the events that they are made of, and how they stood as of a moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipeline.packets import NS_PER_S, Event, Float32Array
from stages.memory.rows import EventRow
from stages.memory.sleeping.consolidation import Part, day_of, day_span, episode_of, told_ns
from stages.memory.tables.moment_tables import REACHES_NS

WORDED_BY = "summaries"
"""Who made the summary of an episode that is told in a model's own words."""
SETTLED_NS = 60 * NS_PER_S
"""An episode is told in a model's words when it has been over for so long, and as of a moment only then."""
_LAST_NS = 2**63 - 1

_PARTS = """
SELECT e.id, e.start_ns, e.end_ns, e.ended_at_ns - s.started_at_ns, e.tracks, e.surprise, e.reason, e.summary, e.vector,
       avg(l.salience), count(l.n)
FROM events e JOIN sessions s ON s.id = e.session LEFT JOIN event_lines m ON m.event = e.id LEFT JOIN lines l ON l.id = m.line
"""
_IN_ORDER = "GROUP BY e.id ORDER BY e.ended_at_ns, e.start_ns, e.end_ns, e.id"
_WHOLE = """
SELECT e.session, e.level, e.start_ns, e.ended_at_ns, coalesce(k.made_by, ''), coalesce(k.version, ''),
       s.started_at, s.started_at_ns, CASE WHEN s.complete THEN s.duration_ns END
FROM events e JOIN sessions s ON s.id = e.session LEFT JOIN makers k ON k.n = e.maker WHERE e.id = ?
"""
_GROWING = """
SELECT e.id FROM growths g JOIN events e ON e.id = g.event
WHERE g.reach = :reach AND g.ended_at_ns > :at AND g.ended_at_ns <= :until AND g.begun_at_ns <= :at AND e.level = :level
"""
_JUST_WORDED = """
SELECT e.id FROM growths g JOIN events e ON e.id = g.event JOIN makers k ON k.n = e.maker
WHERE g.reach = :reach AND g.ended_at_ns > :since AND g.ended_at_ns <= :at AND e.level = :level AND k.made_by = :worded
"""


@dataclass(frozen=True)
class Seen:
    """An episode or a day as it stood at a moment; `vector` is float32, shape (dimension,)."""

    row: EventRow
    vector: Float32Array


def parts_of_session(connection: sqlite3.Connection, session: str) -> list[Part]:
    """The events of a session as consolidation sees them, in the order in which they were known."""
    return parts(connection, session, "WHERE e.session = ? AND e.level = 'event'", (session,))


def parts(connection: sqlite3.Connection, session: str, where: str, bound: Iterable[object]) -> list[Part]:
    """Some events of a session as consolidation sees them, in the order in which they were known."""
    return [
        Part(
            name=row[0].removeprefix(f"{session}-"),
            start_ns=row[1],
            end_ns=row[2],
            known_ns=row[3],
            tracks=tuple(json.loads(row[4])),
            surprise=row[5],
            reason=row[6],
            summary=row[7],
            vector=np.frombuffer(row[8], dtype="<f4"),
            salience=row[9] or 0.0,
            n_lines=row[10],
        )
        for row in connection.execute(f"{_PARTS} {where} {_IN_ORDER}", tuple(bound)).fetchall()
    ]


def stands(ended_at_ns: int, made_by: str, at_ns: int) -> bool:
    """Whether an event, episode or day stood at a moment as it stands now: it has not grown since, and is told in the same words."""
    return ended_at_ns + (SETTLED_NS if made_by == WORDED_BY else 0) <= at_ns


def as_of(connection: sqlite3.Connection, name: str, at_ns: int) -> Seen | None:
    """An episode or a day (by id) as it stood at a moment: its events that were known, in their speakers' own words.

    None where none was known, or the day could not be told yet.
    """
    whole = connection.execute(_WHOLE, (name,)).fetchone()
    if whole is None:
        return None
    session, level, start_ns, _, made_by, version, started_at, started_ns, ended_ns = whole
    told: Event
    if level == "day":
        moment = datetime.fromisoformat(started_at)
        if started_ns + told_ns(moment, start_ns, ended_ns) > at_ns:
            return None
        where = "WHERE e.session = ? AND e.level = 'event' AND e.start_ns >= ? AND e.start_ns < ? AND e.ended_at_ns <= ?"
        group = parts(connection, session, where, (session, *day_span(moment, start_ns), at_ns))
        if not group:
            return None
        told = day_of(group, moment, ended_ns)
    else:
        group = parts(connection, session, "WHERE e.parent = ? AND e.level = 'event' AND e.ended_at_ns <= ?", (name, at_ns))
        if not group:
            return None
        told = episode_of(group)
    row = EventRow(
        id=name,
        session=session,
        level=level,
        start_ns=told.pts_ns,
        end_ns=told.extra["end_ns"],
        surprise=told.surprise,
        reason=told.reason,
        tracks=told.tracks,
        summary=told.summary,
        made_by=told.extra["made_by"] if made_by == WORDED_BY else made_by,
        version=version,
    )
    return Seen(row, told.embedding)


def was_seen(connection: sqlite3.Connection, name: str, at_ns: int) -> bool:
    """Whether an event of any level (by id) was known at a moment, wholly or a part of it."""
    row = connection.execute("SELECT level, ended_at_ns FROM events WHERE id = ?", (name,)).fetchone()
    if row is None or row[1] <= at_ns:
        return row is not None
    return row[0] != "event" and as_of(connection, name, at_ns) is not None


def otherwise(connection: sqlite3.Connection, level: str, at_ns: int) -> dict[str, Seen | None]:
    """The episodes or days that did not stand at a moment as they stand now though they had begun, by id; found by an index."""
    names: list[str] = []
    for reach, reach_ns in enumerate(REACHES_NS):
        # At the ends of what 64 bits hold there is nothing that a window could miss.
        until_ns, since_ns = min(at_ns + reach_ns, _LAST_NS), max(at_ns - SETTLED_NS, -_LAST_NS)
        bound = {"reach": reach, "at": at_ns, "level": level, "until": until_ns, "since": since_ns, "worded": WORDED_BY}
        for query in (_GROWING, _JUST_WORDED):
            names += [row[0] for row in connection.execute(query, bound)]
    return {name: as_of(connection, name, at_ns) for name in sorted(names)}
