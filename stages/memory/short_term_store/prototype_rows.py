"""Statements about prototypes. Every one may be repeated: the second time changes nothing."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping

import numpy as np

from stages.memory.granules import granule_keys
from stages.memory.short_term_store.short_term import STATE_BYTES, ShortTermError, ShortTermStore, Trace
from stages.memory.short_term_store.short_term_state import decoded, encoded
from stages.memory.vectors import stored_vectors

LEVEL = "prototype"
_log = logging.getLogger("echoic.memory")


def put(connection: sqlite3.Connection, session: str, trace: Trace, left_ns: int) -> str:
    """Store what a trace stood for when it left (session time); the id of the prototype."""
    name = f"{session}-p-{trace.key}"
    (started,) = connection.execute("SELECT started_at_ns FROM sessions WHERE id = ?", (session,)).fetchone()
    known_at_ns = started + max(left_ns, trace.end_ns)
    connection.execute("DELETE FROM prototypes WHERE id = ?", (name,))
    connection.execute(
        "INSERT INTO prototypes (id, session, start_ns, end_ns, ended_at_ns, usage, n_lines, vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, session, trace.start_ns, trace.end_ns, known_at_ns, trace.usage, trace.n_lines, trace.vector.astype("<f4").tobytes()),
    )
    connection.executemany(
        "INSERT INTO prototype_lines (line, prototype) VALUES (?, ?)", [(f"{session}-{key}", name) for key in trace.lines]
    )
    granule_keys.put(connection, LEVEL, "lines", name, trace.vector, known_at_ns)
    return name


def drop_session(connection: sqlite3.Connection, session: str) -> dict[str, int]:
    """Take all prototypes and the short-term memory of a session away: it is forgotten, or will be gone through anew."""
    counts = {"prototype_lines": _count(connection, session)}
    counts["prototypes"] = connection.execute("DELETE FROM prototypes WHERE session = ?", (session,)).rowcount
    counts["short_terms"] = connection.execute("DELETE FROM short_terms WHERE session = ?", (session,)).rowcount
    return counts


def set_salience(connection: sqlite3.Connection, session: str, salience: Mapping[str, float]) -> None:
    """How much lines (by key) mattered while they were in short-term memory, 0 to 1."""
    connection.executemany("UPDATE lines SET salience = ? WHERE id = ?", [(value, f"{session}-{key}") for key, value in salience.items()])


def short_term(connection: sqlite3.Connection, session: str) -> tuple[int, list[Trace]] | None:
    """The line up to which a session's short-term memory has taken everything, and its traces.

    None where nothing was stored, or what was stored is damaged: that is logged and goes, as it can be gone through anew.
    """
    row = connection.execute("SELECT last_n, state FROM short_terms WHERE session = ?", (session,)).fetchone()
    if row is None:
        return None
    try:
        return row[0], decoded(row[1])
    except ShortTermError as error:
        _log.warning("session %s: %s; it is made anew from the lines", session, error)
        connection.execute("DELETE FROM short_terms WHERE session = ?", (session,))
        return None


def erase(connection: sqlite3.Connection, lines: Iterable[str]) -> dict[str, int]:
    """Take lines (ids) out of prototypes and of short-term memories; how many rows, by table.

    For whoever erases lines, in that transaction and before their vectors go. A prototype is made anew from the vectors of the lines
    that stay; one of which fewer than two stay, or none with a vector, goes. Traces that have a part in an erased line go wholly.
    """
    counts = dict.fromkeys(("prototypes", "prototype_lines", "short_terms"), 0)
    gone = sorted(set(lines))
    touched: dict[str, None] = {}
    for line in gone:
        touched.update((row[0], None) for row in connection.execute("SELECT prototype FROM prototype_lines WHERE line = ?", (line,)))
        counts["prototype_lines"] += connection.execute("DELETE FROM prototype_lines WHERE line = ?", (line,)).rowcount
    for name in touched:
        counts["prototypes"] += 0 if retell(connection, name) else 1
    for session in {row[0] for row in connection.execute("SELECT session FROM short_terms WHERE length(state) > ?", (STATE_BYTES,))}:
        stored = short_term(connection, session)
        if stored is None:
            continue
        keys = {line[len(session) + 1 :] for line in gone if line.startswith(f"{session}-")}
        left = ShortTermStore(2**31, traces=stored[1])
        n_traces = len(left.traces)
        set_salience(connection, session, {leaving.key: leaving.usage for leaving in left.forget(keys)})
        if len(left.traces) != n_traces:
            counts["short_terms"] += 1
            connection.execute("UPDATE short_terms SET state = ? WHERE session = ?", (encoded(left.traces), session))
    return counts


def retell(connection: sqlite3.Connection, name: str) -> bool:
    """Make a prototype anew: the mean of the vectors of its lines and their span.

    False where it has fewer than two lines, or the vectors of all of them have faded, and goes.
    """
    rows = connection.execute(
        "SELECT l.start_ns, l.end_ns, l.n, v.vector FROM prototype_lines m JOIN lines l ON l.id = m.line LEFT JOIN vectors v ON v.n = l.n"
        " WHERE m.prototype = ? ORDER BY l.n",
        (name,),
    ).fetchall()
    vectors = list(stored_vectors.by_key(connection, [(row, blob) for _, _, row, blob in rows]).values())
    if len(rows) < 2 or not vectors:
        connection.execute("DELETE FROM prototypes WHERE id = ?", (name,))
        return False
    mean = np.mean([vector.astype(np.float64) for vector in vectors], axis=0)
    length = float(np.linalg.norm(mean))
    vector = (mean / length).astype(np.float32) if length > 1e-6 else vectors[0]
    connection.execute(
        "UPDATE prototypes SET start_ns = ?, end_ns = ?, n_lines = ?, vector = ? WHERE id = ?",
        (min(row[0] for row in rows), max(row[1] for row in rows), len(rows), vector.astype("<f4").tobytes(), name),
    )
    (known_at_ns,) = connection.execute("SELECT ended_at_ns FROM prototypes WHERE id = ?", (name,)).fetchone()
    granule_keys.put(connection, LEVEL, "lines", name, vector, known_at_ns)
    return True


def retell_all(connection: sqlite3.Connection) -> int:
    """Make every prototype anew, after the vectors of all lines have changed; how many. Short-term memories are gone through anew."""
    connection.execute("DELETE FROM short_terms")
    names = [row[0] for row in connection.execute("SELECT id FROM prototypes ORDER BY id")]
    return sum(retell(connection, name) for name in names)


def _count(connection: sqlite3.Connection, session: str) -> int:
    query = "SELECT count(*) FROM prototypes p JOIN prototype_lines m ON m.prototype = p.id WHERE p.session = ?"
    return int(connection.execute(query, (session,)).fetchone()[0])
