"""What keys point to: the lines of a granule, word for word, and where it stands in time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stages.memory.sleeping import episode_rows
from stages.memory.sleeping.consolidation import day_span

_AT_ONCE = 500

# CROSS JOIN keeps the order: else SQLite goes through all lines by their numbers, to be spared the sorting of a few.
_OF_EVENT = """
    WITH part (id) AS (
        SELECT :name
        UNION ALL SELECT e.id FROM events e WHERE e.parent = :name AND (:at IS NULL OR e.ended_at_ns <= :at)
    )
    SELECT l.n, l.id FROM part p CROSS JOIN event_lines m ON m.event = p.id CROSS JOIN lines l ON l.id = m.line
    WHERE l.copy_of IS NULL AND (:at IS NULL OR l.ended_at_ns <= :at) ORDER BY l.n LIMIT :most
"""

# Not those of its episodes: one may turn out to have begun before midnight, and what began after it stays of the next day.
_OF_DAY = """
    SELECT l.n, l.id FROM events e CROSS JOIN event_lines m ON m.event = e.id CROSS JOIN lines l ON l.id = m.line
    WHERE e.session = :session AND e.level = 'event' AND e.start_ns >= :begin AND e.start_ns < :end
    AND l.copy_of IS NULL AND (:at IS NULL OR (e.ended_at_ns <= :at AND l.ended_at_ns <= :at)) ORDER BY l.n LIMIT :most
"""

_OF_PROTOTYPE = """
    SELECT l.n, l.id FROM prototypes p CROSS JOIN prototype_lines m ON m.prototype = p.id CROSS JOIN lines l ON l.id = m.line
    WHERE p.id = :name AND (:at IS NULL OR (p.ended_at_ns <= :at AND l.ended_at_ns <= :at)) ORDER BY l.n LIMIT :most
"""


def lines_of(connection: sqlite3.Connection, level: str, name: str, at_ns: int | None, most: int) -> tuple[list[int], list[str]]:
    """Row numbers and ids of at most `most` lines of a granule that had ended by a moment, in the order in which they came.

    An episode has the lines of its events, a day those of the events that began on it; as of a moment, of those that were known by then.
    """
    bound: dict[str, Any] = {"name": name, "at": at_ns, "most": most}
    if level in ("span", "line"):
        query = "SELECT n, id FROM lines WHERE id = :name AND copy_of IS NULL AND (:at IS NULL OR ended_at_ns <= :at) LIMIT :most"
    elif level == "prototype":
        query = _OF_PROTOTYPE
    else:
        if at_ns is not None and not episode_rows.was_seen(connection, name, at_ns):
            return [], []
        query = _OF_EVENT
        if level == "day":
            query = _OF_DAY
            bound |= _day_of(connection, name)
    found = connection.execute(query, bound).fetchall()
    return [row for row, _ in found], [line for _, line in found]


def _day_of(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    query = "SELECT e.session, s.started_at, e.start_ns FROM events e JOIN sessions s ON s.id = e.session WHERE e.id = ?"
    found = connection.execute(query, (name,)).fetchone()
    begin_ns, end_ns = (0, 0) if found is None else day_span(datetime.fromisoformat(found[1]), found[2])
    return {"session": None if found is None else found[0], "begin": begin_ns, "end": end_ns}


def places_of(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> dict[str, tuple[str, int, int]]:
    """Session, start and end of lines or events, by id."""
    places: dict[str, tuple[str, int, int]] = {}
    for first in range(0, len(names), _AT_ONCE):
        part = names[first : first + _AT_ONCE]
        query = f"SELECT id, session, start_ns, end_ns FROM {table} WHERE id IN ({','.join('?' * len(part))})"
        places.update((name, (session, start, end)) for name, session, start, end in connection.execute(query, part))
    return places


def ranks_of(connection: sqlite3.Connection, names: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Where events stand in the order in which they were known: the moment (UTC, nanoseconds) and the id, by id."""
    ranks: dict[str, tuple[int, str]] = {}
    for first in range(0, len(names), _AT_ONCE):
        part = names[first : first + _AT_ONCE]
        query = f"SELECT id, ended_at_ns FROM events WHERE id IN ({','.join('?' * len(part))})"
        ranks.update((name, (moment, name)) for name, moment in connection.execute(query, part))
    return ranks
