"""When the lines of a session reached the memory, on the session's clock, and in which order: what a run that goes on has to know."""

from __future__ import annotations

import sqlite3

COLUMN = """
ALTER TABLE lines ADD COLUMN heard_ns INTEGER;
"""
"""When a line had been heard, where that was later than the end of its last word; NULL elsewhere, and in lines of older versions."""


def arrivals(connection: sqlite3.Connection, session: str) -> dict[str, int]:
    """When each line of a session that is no copy had been heard, in session time, by its id; in the order in which they came."""
    query = "SELECT id, coalesce(heard_ns, end_ns) FROM lines WHERE session = ? AND copy_of IS NULL ORDER BY n"
    return dict(connection.execute(query, (session,)).fetchall())
