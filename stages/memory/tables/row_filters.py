"""Which lines a question allows, as row numbers: only where they are few enough to be looked at one by one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

MOST_ROWS = 10_000
"""More lines than these are no narrow question: hits are then filtered after the search."""


def rows_until(connection: sqlite3.Connection, at_ns: int) -> Rows | None:
    """The lines that had ended by a moment, int64, rising; None where there are many."""
    return _few(connection, "ended_at_ns <= ?", at_ns)


def rows_after(connection: sqlite3.Connection, at_ns: int) -> Rows | None:
    """The lines that ended later than a moment, int64, rising; None where there are many."""
    return _few(connection, "ended_at_ns > ?", at_ns)


def all_rows_until(connection: sqlite3.Connection, at_ns: int) -> Rows:
    """The lines that had ended by a moment, however many."""
    return np.sort(np.array([row[0] for row in connection.execute("SELECT n FROM lines WHERE ended_at_ns <= ?", (at_ns,))], dtype=np.int64))


def rows_in_spans(connection: sqlite3.Connection, spans: Mapping[str, tuple[int, int]], at_ns: int | None = None) -> Rows | None:
    """The lines that start in spans of session time (or so little before that they may reach in), by session; None where many.

    With `at_ns` only those that had ended by then count.
    """
    found: list[int] = []
    query = """
        SELECT l.n FROM sessions s CROSS JOIN lines l ON l.session = s.id
        WHERE s.id = :session AND l.start_ns < :end AND l.start_ns > :start - s.longest_line_ns - 1
              AND (:at IS NULL OR (l.ended_at_ns <= :at AND l.end_ns > :start)) LIMIT :most
    """
    for session, (start_ns, end_ns) in spans.items():
        # As of a moment exactly the lines that reach in: how long the longest line of a session is may have come later.
        bound = {"session": session, "start": start_ns, "end": end_ns, "at": at_ns, "most": MOST_ROWS + 1 - len(found)}
        found += [row[0] for row in connection.execute(query, bound)]
        if len(found) > MOST_ROWS:
            return None
    return np.sort(np.array(found, dtype=np.int64))


def rows_of_speaker(connection: sqlite3.Connection, name: str, at_ns: int | None = None) -> Rows | None:
    """The lines of a speaker, by the name that reads show (case aside) or, without one, the track; None where many."""
    wanted = name.lower()
    ids = [row[0] for row in connection.execute("SELECT id, name FROM speakers") if row[1].lower() == wanted]
    tracks = [
        (session, track)
        for session, track, speaker in connection.execute("SELECT session, track, speaker FROM tracks")
        if (speaker or track).lower() == wanted
    ]
    by_voice = "line_speakers w CROSS JOIN lines l ON l.id = w.line WHERE w.speaker = ?"
    by_track = "lines l WHERE l.session = ? AND l.track = ?"
    asked = [*((by_voice, (speaker,)) for speaker in ids), *((by_track, key) for key in tracks)]
    # Counting reads indexes alone: most speakers of a large memory have too many lines, and that is soon known.
    total = 0
    for where, key in asked:
        what = where.replace("w CROSS JOIN lines l ON l.id = w.line", "w")
        total += connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM {what} LIMIT ?)", (*key, MOST_ROWS + 1)).fetchone()[0]
        if total > MOST_ROWS:
            return None
    found: set[int] = set()
    for where, key in asked:
        found.update(row[0] for row in connection.execute(f"SELECT l.n FROM {where}", key))
    rows = np.array(sorted(found), dtype=np.int64)
    return rows if at_ns is None else ended(connection, rows, at_ns)


def ended(connection: sqlite3.Connection, rows: Rows, at_ns: int) -> Rows:
    """Those of some row numbers (int64, rising) whose lines had ended by a moment."""
    moment = "SELECT ended_at_ns FROM lines WHERE n = ?"
    kept = [row for row in rows.tolist() for (ended_ns,) in connection.execute(moment, (row,)) if ended_ns <= at_ns]
    return np.array(kept, dtype=np.int64)


def until(connection: sqlite3.Connection, rows: Iterable[int], at_ns: int | None, most: int) -> dict[int, str]:
    """The ids of those lines among some that had ended by a moment, by row number: of the first `most` of them, and maybe a few more."""
    found: dict[int, str] = {}
    wanted = list(rows)
    size = max(1, min(most, 500))
    for first in range(0, len(wanted), size):
        part = ",".join(str(int(row)) for row in wanted[first : first + size])
        query = f"SELECT n, id FROM lines WHERE n IN ({part}) AND (:at IS NULL OR ended_at_ns <= :at)"
        found.update(connection.execute(query, {"at": at_ns}))
        if len(found) >= most:
            break
    return found


def _few(connection: sqlite3.Connection, where: str, value: int) -> Rows | None:
    counted = f"SELECT count(*) FROM (SELECT 1 FROM lines WHERE {where} LIMIT ?)"
    if connection.execute(counted, (value, MOST_ROWS + 1)).fetchone()[0] > MOST_ROWS:
        return None
    return np.sort(np.array([row[0] for row in connection.execute(f"SELECT n FROM lines WHERE {where}", (value,))], dtype=np.int64))
