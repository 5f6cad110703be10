"""The prototypes of a memory, and the short-term memory of the session that they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.memory_errors import MemoryError_
from stages.memory.people.talker_store import Writing
from stages.memory.short_term_store import prototype_rows
from stages.memory.short_term_store.short_term import Leaving, ShortTermStore, Trace
from stages.memory.short_term_store.short_term_state import encoded
from stages.memory.tables.database import Database
from stages.memory.tables.row_writer import utc_ns
from stages.memory.vectors import stored_vectors


class PrototypeError(MemoryError_):
    """A moment without its offset."""

    exit_code = 2


@dataclass(frozen=True)
class PrototypeRow:
    """What several lines had in common, as short-term memory left it: the span of its lines (session time), their ids and its usage.

    `vector` is float32, shape (dimension,), of unit length.
    """

    id: str
    session: str
    start_ns: int
    end_ns: int
    usage: float
    lines: tuple[str, ...]
    vector: Float32Array


@dataclass(frozen=True)
class Taken:
    """A stored line that short-term memory has still to take: what `Remember` needs of it. Times are on the session's clock."""

    key: str
    text: str
    start_ns: int
    end_ns: int
    vector: Float32Array


class PrototypeStore:
    """The part of a long-term memory that holds prototypes; `LongTermMemory.prototypes` is one.

    What leaves short-term memory with two or more lines is a prototype (XMem, arXiv 2207.07115, section 3.3): found by its vector at
    level "prototype" of `LongTermMemory.granules`, and given back as its lines, word for word.
    """

    def __init__(self, database: Database, writing_to: Writing) -> None:
        self._database = database
        self._writing_to = writing_to
        self._seen_removals = -1

    def of(self, session: str | None = None, at: datetime | None = None) -> list[PrototypeRow]:
        """Prototypes by session and start; as of `at`, those known by then. Raises PrototypeError where `at` has no UTC offset."""
        if at is not None and at.tzinfo is None:
            raise PrototypeError(f"at {at.isoformat()} must carry its UTC offset, like 2026-11-22T10:00+01:00")
        query = (
            "SELECT id, session, start_ns, end_ns, usage, vector FROM prototypes WHERE (:session IS NULL OR session = :session)"
            " AND (:at IS NULL OR ended_at_ns <= :at) ORDER BY session, start_ns, id"
        )
        of_one = "SELECT m.line FROM prototype_lines m JOIN lines l ON l.id = m.line WHERE m.prototype = ? ORDER BY l.n"
        with self._database.reading() as connection:
            found = connection.execute(query, {"session": session, "at": None if at is None else utc_ns(at)}).fetchall()
            lines = [tuple(line for (line,) in connection.execute(of_one, (row[0],))) for row in found]
        return [
            PrototypeRow(name, of_session, start_ns, end_ns, usage, theirs, np.frombuffer(blob, dtype="<f4").astype(np.float32))
            for (name, of_session, start_ns, end_ns, usage, blob), theirs in zip(found, lines, strict=True)
        ]

    def take_up(self, session: str) -> tuple[list[Trace], list[Taken]]:
        """Where the short-term memory of a session stands: what was stored of it, and the lines that came after.

        Where nothing was stored of it, the session is gone through anew, and its prototypes with it. Lines whose vectors have faded
        are left out.
        """
        with self._writing_to(session) as connection:
            stored = prototype_rows.short_term(connection, session)
            if stored is None:
                prototype_rows.drop_session(connection, session)
            last_n, traces = stored or (0, [])
            found = connection.execute(
                "SELECT l.id, l.text, l.start_ns, l.end_ns, v.vector FROM lines l JOIN vectors v ON v.n = l.n"
                " WHERE l.session = ? AND l.n > ? AND l.copy_of IS NULL ORDER BY l.n",
                (session, last_n),
            ).fetchall()
            vectors = stored_vectors.by_key(connection, [(row[0], row[4]) for row in found])
        lines = [Taken(name[len(session) + 1 :], text, start, end, vectors[name]) for name, text, start, end, _ in found if name in vectors]
        return traces, lines

    def keep(self, session: str, short_term: ShortTermStore, leaving: Sequence[tuple[Leaving, int]]) -> None:
        """Store the short-term memory of a session, which has taken all of its lines, and what has left it, each with when it did.

        One transaction. Lines that have been erased since take their traces with them. Raises MemoryFull when the disk is full;
        nothing of it is stored then.
        """
        with self._writing_to(session) as connection:
            (removals,) = connection.execute("SELECT coalesce(max(serial), 0) FROM vector_removals").fetchone()
            gone: set[str] = set()
            if removals != self._seen_removals:
                traces = [*short_term.traces, *(left.trace for left, _ in leaving if left.trace is not None)]
                gone = {
                    key
                    for trace in traces
                    for key in trace.lines
                    if connection.execute("SELECT 1 FROM lines WHERE id = ?", (f"{session}-{key}",)).fetchone() is None
                }
            salience = {left.key: left.usage for left in (*(entry for entry, _ in leaving), *short_term.forget(gone))}
            prototype_rows.set_salience(connection, session, salience)
            for left, left_ns in leaving:
                if left.trace is not None and left.trace.n_lines > 1 and not gone.intersection(left.trace.lines):
                    prototype_rows.put(connection, session, left.trace, left_ns)
            connection.execute(
                "INSERT INTO short_terms (session, last_n, state) VALUES (?, (SELECT coalesce(max(n), 0) FROM lines), ?)"
                " ON CONFLICT (session) DO UPDATE SET last_n = max(last_n, excluded.last_n), state = excluded.state",
                (session, encoded(short_term.traces)),
            )
        self._seen_removals = removals
