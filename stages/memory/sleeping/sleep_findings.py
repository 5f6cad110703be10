"""What sleep has found out about events: the names of topics, and which events say the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from stages.memory.memory_errors import MemoryError_
from stages.memory.tables.database import Database
from stages.memory.tables.row_writer import utc_ns

TASKS = ("duplicate", "topic", "summary")
_WAS_KNOWN = "(:at IS NULL OR (SELECT ended_at_ns FROM events WHERE id = coalesce(d.since, d.event)) <= :at)"
_COPIES = f"""
WITH RECURSIVE copies (event) AS (
    SELECT d.event FROM duplicates d WHERE d.same_as = :event AND {_WAS_KNOWN}
    UNION SELECT d.event FROM copies c JOIN duplicates d ON d.same_as = c.event WHERE {_WAS_KNOWN}
)
SELECT event FROM copies ORDER BY event
"""


class FindingError(MemoryError_):
    """A moment without its offset."""

    exit_code = 2


class SleepFindings:
    """The part of a long-term memory that keeps what sleep found out; `LongTermMemory.findings` is one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def topic(self, event_id: str, *, at: datetime | None = None) -> str | None:
        """What an episode is about, as its most distinctive words; None where sleep has not named it yet.

        As of `at` it is the name that was made of those of its events that were known by then. Raises FindingError where `at` has no
        UTC offset.
        """
        at_ns = _at_ns(at)
        with self.database.reading() as connection:
            if at_ns is not None:
                return topic_name(connection, event_id, at_ns)
            row = connection.execute("SELECT name FROM topics WHERE event = ?", (event_id,)).fetchone()
        return str(row[0]) if row else None

    def topics(self, event_ids: Iterable[str], *, at: datetime | None = None) -> dict[str, str]:
        """The topics of those episodes that have one, by id."""
        found = {event: self.topic(event, at=at) for event in event_ids}
        return {event: name for event, name in found.items() if name is not None}

    def same_as(self, event_id: str, *, at: datetime | None = None) -> str | None:
        """The earliest event that says the same as one; None where there is none. Its own lines are kept all the same.

        As of `at` it is the earliest that was known by then to say the same.
        """
        at_ns = _at_ns(at)
        with self.database.reading() as connection:
            original = original_of(connection, event_id, at_ns)
        return None if original == event_id else original

    def copies_of(self, event_id: str, *, at: datetime | None = None) -> list[str]:
        """The later events that say the same as one, by id; none of an event that is a copy itself."""
        at_ns = _at_ns(at)
        with self.database.reading() as connection:
            if original_of(connection, event_id, at_ns) != event_id:
                return []
            return [row[0] for row in connection.execute(_COPIES, {"event": event_id, "at": at_ns})]

    def n_due(self, task: str) -> int:
        """How many events wait for a task of `TASKS`."""
        with self.database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM sleep_due WHERE task = ?", (task,)).fetchone()[0])


def topic_name(connection: sqlite3.Connection, event: str, at_ns: int) -> str | None:
    """What the topic of an episode was called at a moment; None where it had no name."""
    query = "SELECT name FROM topic_names WHERE event = ? AND known_at_ns <= ? ORDER BY known_at_ns DESC LIMIT 1"
    row = connection.execute(query, (event, at_ns)).fetchone()
    return str(row[0]) if row else None


def original_of(connection: sqlite3.Connection, event: str, at_ns: int | None = None) -> str:
    """The earliest event that says the same as one, as far as was known by a moment: itself, where there is none."""
    query = f"SELECT d.same_as FROM duplicates d WHERE d.event = :event AND {_WAS_KNOWN}"
    original = event
    while (row := connection.execute(query, {"event": original, "at": at_ns}).fetchone()) is not None:
        original = row[0]
    return original


def due(connection: sqlite3.Connection, task: str, limit: int) -> list[tuple[int, str]]:
    """Number and event of what waits longest for a task."""
    return connection.execute("SELECT n, event FROM sleep_due WHERE task = ? ORDER BY n LIMIT ?", (task, limit)).fetchall()


def settled(connection: sqlite3.Connection, number: int) -> bool:
    """Take something off the list; False where somebody else has done so."""
    return connection.execute("DELETE FROM sleep_due WHERE n = ?", (number,)).rowcount > 0


def erase(connection: sqlite3.Connection, events: Iterable[str], speakers: Iterable[str] = ()) -> dict[str, int]:
    """Forget what sleep found out about events, and which summaries name speakers; how many rows, by table.

    The counts of words (`topic_terms`, `topic_totals`) are lessened by a trigger; words that fell nowhere else are gone from them. A
    summary that names an erased speaker is the caller's to erase. Episodes that stay are named and told anew in the next sleep.
    """
    counts = dict.fromkeys(("sleep_due", "topics", "topic_names", "topic_terms", "duplicates", "summary_people"), 0)
    terms = _n_terms(connection)
    for event in sorted(set(events)):
        for table in ("sleep_due", "topics", "topic_names", "summary_people"):
            counts[table] += connection.execute(f"DELETE FROM {table} WHERE event = ?", (event,)).rowcount
        relations = "(same_as = :event OR since = :event)"
        found = connection.execute(f"SELECT event FROM duplicates WHERE {relations} ORDER BY event", {"event": event}).fetchall()
        copies = [row[0] for row in found]
        gone = connection.execute(f"DELETE FROM duplicates WHERE event = :event OR {relations}", {"event": event})
        counts["duplicates"] += gone.rowcount
        for copy in copies:
            connection.execute("INSERT INTO sleep_due (task, event) VALUES ('duplicate', ?) ON CONFLICT DO NOTHING", (copy,))
        again = "INSERT INTO sleep_due (task, event) SELECT ?, id FROM events WHERE id = ? AND level = ? ON CONFLICT DO NOTHING"
        for task, level in (("duplicate", "event"), ("topic", "episode"), ("summary", "episode")):
            connection.execute(again, (task, event, level))
    for speaker in sorted(set(speakers)):
        counts["summary_people"] += connection.execute("DELETE FROM summary_people WHERE speaker = ?", (speaker,)).rowcount
    counts["topic_terms"] = terms - _n_terms(connection)
    return counts


def _n_terms(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM topic_terms").fetchone()[0])


def _at_ns(at: datetime | None) -> int | None:
    if at is not None and at.tzinfo is None:
        raise FindingError(f"at {at.isoformat()} must carry its UTC offset, like 2026-11-22T10:00+01:00")
    return None if at is None else utc_ns(at)
