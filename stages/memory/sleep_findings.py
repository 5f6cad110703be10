"""What sleep has found out about events: the names of topics, and which events say the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from stages.memory.database import Database

TASKS = ("duplicate", "topic", "summary")


class SleepFindings:
    """The part of a long-term memory that keeps what sleep found out; `LongTermMemory.findings` is one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def topic(self, event_id: str) -> str | None:
        """What an episode is about, as its most distinctive words; None where sleep has not named it yet."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT name FROM topics WHERE event = ?", (event_id,)).fetchone()
        return str(row[0]) if row else None

    def topics(self, event_ids: Iterable[str]) -> dict[str, str]:
        """The topics of those episodes that have one, by id."""
        found = {event: self.topic(event) for event in event_ids}
        return {event: name for event, name in found.items() if name is not None}

    def same_as(self, event_id: str) -> str | None:
        """The earlier event that says the same as one; None where there is none. Its own lines are kept all the same."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT same_as FROM duplicates WHERE event = ?", (event_id,)).fetchone()
        return str(row[0]) if row else None

    def copies_of(self, event_id: str) -> list[str]:
        """The later events that say the same as one, by id."""
        with self.database.reading() as connection:
            query = "SELECT event FROM duplicates WHERE same_as = ? ORDER BY event"
            return [row[0] for row in connection.execute(query, (event_id,))]

    def n_due(self, task: str) -> int:
        """How many events wait for a task of `TASKS`."""
        with self.database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM sleep_due WHERE task = ?", (task,)).fetchone()[0])


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
    counts = dict.fromkeys(("sleep_due", "topics", "topic_terms", "duplicates", "summary_people"), 0)
    terms = _n_terms(connection)
    for event in sorted(set(events)):
        for table in ("sleep_due", "topics", "summary_people"):
            counts[table] += connection.execute(f"DELETE FROM {table} WHERE event = ?", (event,)).rowcount
        copies = [row[0] for row in connection.execute("SELECT event FROM duplicates WHERE same_as = ? ORDER BY event", (event,))]
        gone = connection.execute("DELETE FROM duplicates WHERE event = :event OR same_as = :event", {"event": event})
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
