"""The invariants of a memory, each checked and said in words when it is broken."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_SAMPLES = 3

_CHECKS: tuple[tuple[str, str], ...] = (
    ("lines without a vector", "SELECT l.id FROM lines l LEFT JOIN vectors v ON v.n = l.n WHERE v.n IS NULL"),
    ("vectors without a line", "SELECT v.n FROM vectors v LEFT JOIN lines l ON l.n = v.n WHERE l.n IS NULL"),
    ("lines that end before they start", "SELECT id FROM lines WHERE end_ns < start_ns OR start_ns < 0"),
    (
        "lines whose moment does not fit their session",
        "SELECT l.id FROM lines l JOIN sessions s ON s.id = l.session WHERE l.ended_at_ns != s.started_at_ns + l.end_ns",
    ),
    (
        "lines longer than their session knows",
        "SELECT l.id FROM lines l JOIN sessions s ON s.id = l.session WHERE l.end_ns - l.start_ns > s.longest_line_ns",
    ),
    (
        "lines of a track that is not listed",
        "SELECT l.id FROM lines l LEFT JOIN tracks t ON t.session = l.session AND t.track = l.track WHERE t.track IS NULL",
    ),
    ("lines whose words are not JSON", "SELECT id FROM lines WHERE NOT json_valid(words)"),
    ("events that end before they start", "SELECT id FROM events WHERE end_ns < start_ns"),
    (
        "events with lines that are not there",
        "SELECT m.event || ' (' || m.line || ')' FROM event_lines m JOIN events e ON e.id = m.event JOIN sessions s ON s.id = e.session"
        " LEFT JOIN lines l ON l.id = m.line WHERE l.id IS NULL AND s.complete = 1",
    ),
    (
        "lines outside the span of their event",
        "SELECT l.id FROM lines l JOIN event_lines m ON m.line = l.id JOIN events e ON e.id = m.event"
        " WHERE l.start_ns < e.start_ns OR l.end_ns > e.end_ns OR l.session != e.session",
    ),
    (
        "events whose parent is not there",
        "SELECT e.id FROM events e LEFT JOIN events p ON p.id = e.parent WHERE e.parent IS NOT NULL AND p.id IS NULL",
    ),
    ("sounds that end before they start", "SELECT id FROM sounds WHERE end_ns < start_ns"),
    (
        "sounds whose moment does not fit their session",
        "SELECT x.id FROM sounds x JOIN sessions s ON s.id = x.session WHERE x.ended_at_ns != s.started_at_ns + x.end_ns",
    ),
    ("sounds without a label or a group", "SELECT id FROM sounds WHERE label IS NULL AND sound_group IS NULL"),
    ("gaps that end before they start", "SELECT session || ' ' || start_ns FROM gaps WHERE end_ns < start_ns"),
)


def faults(connection: sqlite3.Connection, root: Path | None, dimension: int) -> list[str]:
    """Every broken invariant of the tables and of the audio beside them."""
    found = [f"the database: {row[0]}" for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    found += [f"{row[0]}: row {row[1]} refers to a missing row of {row[2]}" for row in connection.execute("PRAGMA foreign_key_check")]
    for what, query in _CHECKS:
        found += _told(what, [str(row[0]) for row in connection.execute(query)])
    sizes = "SELECT l.id FROM vectors v JOIN lines l ON l.n = v.n WHERE length(v.vector) != ?"
    found += _told(f"vectors that are not {dimension} numbers", [str(row[0]) for row in connection.execute(sizes, (4 * dimension,))])
    if root is not None:
        clips = connection.execute("SELECT id, clip FROM lines WHERE clip IS NOT NULL ORDER BY n")
        found += _told("lines whose audio is gone", [name for name, clip in clips if not (root / clip).is_file()])
    return found


def word_index_faults(connection: sqlite3.Connection) -> list[str]:
    """Check the word index against the lines; a broken one is rebuilt from them. Needs a connection that may write."""
    try:
        connection.execute("INSERT INTO lines_fts (lines_fts, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError:
        connection.execute("INSERT INTO lines_fts (lines_fts) VALUES ('rebuild')")
        try:
            connection.execute("INSERT INTO lines_fts (lines_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            return [f"the word index cannot be rebuilt: {error}"]
    return []


def _told(what: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _SAMPLES} more" if len(names) > _SAMPLES else ""
    return [f"{len(names)} {what}: {', '.join(names[:_SAMPLES])}{more}"]
