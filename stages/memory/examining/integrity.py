"""Whether the tables of a memory are whole: every invariant is checked, and what is derived is made anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from itertools import islice

import numpy as np

from stages.memory.examining.integrity_checks import CHECKS, Check
from stages.memory.tables.database import Database
from stages.memory.tables.row_writer import utc_ns
from stages.memory.vectors import stored_vectors, vector_codebook, vector_codec

_SAMPLES = 3
_AT_ONCE = 4096
_MOST_MESSAGES = 20
_MOST_LINES_OF_EVENT = 2000


class Integrity:
    """Checks the tables of one database, and mends them where `may_repair`.

    Works in bounded RAM, however large the memory is: rows are counted as they come and only the first few are named. `faults` are
    what is broken, `repairs` what was broken and has been made anew.
    """

    def __init__(self, database: Database, dimension: int, *, may_repair: bool) -> None:
        self.faults: list[str] = []
        self.repairs: list[str] = []
        self._database = database
        self._dimension = dimension
        self._may_repair = may_repair

    def check(self) -> None:
        """Go through all tables. Raises MemoryDamaged where the database itself cannot be read."""
        with self._database.reading() as connection:
            whole = connection.execute(f"PRAGMA integrity_check({_MOST_MESSAGES})")
            self.faults += [f"the database: {row[0]}" for row in whole if row[0] != "ok"]
            missing = islice(connection.execute("PRAGMA foreign_key_check"), _MOST_MESSAGES)
            self.faults += [f"{row[0]}: row {row[1]} refers to a missing row of {row[2]}" for row in missing]
        self._sessions()
        for check in CHECKS:
            self._check(check)
        self._vectors()
        self._event_vectors()
        if self._may_repair:
            self._word_index()

    def _check(self, check: Check) -> None:
        told = self._told(check)
        if told and check.repair is not None:
            self._mend(told, check)
        elif told:
            self.faults.append(told)

    def _mend(self, told: str, check: Check) -> None:
        if not self._may_repair or check.repair is None:
            self.faults.append(f"{told} (can be made anew)")
            return
        with self._database.writing() as connection:
            connection.execute(check.repair)
        left = self._told(check)
        self.repairs.append(told)
        self.faults += [left] if left else []

    def _told(self, check: Check) -> str:
        with self._database.reading() as connection:
            return told(check.what, (row[0] for row in connection.execute(check.query)))

    def _sessions(self) -> None:
        """The moment of a session stands in it twice: as people wrote it, and in nanoseconds."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, started_at, started_at_ns FROM sessions ORDER BY id").fetchall()
        wrong = {name: moment for name, text, moment_ns in rows if (moment := _moment_ns(text)) != moment_ns}
        unreadable = [name for name, moment in wrong.items() if moment is None]
        self.faults += _some("sessions whose start is no moment", unreadable)
        fixed = [(moment, name) for name, moment in wrong.items() if moment is not None]
        said = _some("sessions whose start is told in two ways", [name for _, name in fixed])
        if fixed and self._may_repair:
            with self._database.writing() as connection:
                connection.executemany("UPDATE sessions SET started_at_ns = ? WHERE id = ?", fixed)
            self.repairs += said
        elif fixed:
            self.faults += [f"{line} (can be made anew)" for line in said]

    def _vectors(self) -> None:
        """Vectors of lines: of the memory's length in any format, finite, and of unit length or (a line without words) nothing."""
        odd: list[int] = []
        other: list[int] = []
        n_odd = n_other = last = 0
        with self._database.reading() as connection:
            if vector_codebook.is_damaged(connection):
                self.faults.append("the codebook of the oldest vectors is no longer as it was stored: these lines are found by words alone")
        while True:
            with self._database.reading() as connection:
                part = connection.execute("SELECT n, vector FROM vectors WHERE n > ? ORDER BY n LIMIT ?", (last, _AT_ONCE)).fetchall()
                if not part:
                    break
                places, read = stored_vectors.rounded(connection, [blob for _, blob in part], self._dimension)
            last = part[-1][0]
            sizes = [row for row, blob in part if vector_codec.n_numbers(blob) != self._dimension]
            wrong = [part[place][0] for place in places[~np.isfinite(read.vectors).all(axis=1)].tolist()]
            n_other, n_odd = n_other + len(sizes), n_odd + len(wrong)
            other, odd = (other + sizes)[:_SAMPLES], (odd + wrong)[:_SAMPLES]
        with self._database.reading() as connection:
            self.faults += _some(f"vectors that are not {self._dimension} numbers", _lines_of(connection, other), n_other)
            self.faults += _some("vectors with numbers that are not finite", _lines_of(connection, odd), n_odd)

    def _event_vectors(self) -> None:
        """Vectors of events are derived: the mean of those of their lines, or of their parts."""
        broken: list[tuple[str, str]] = []
        with self._database.reading() as connection:
            for name, level, blob in connection.execute("SELECT id, level, vector FROM events ORDER BY id"):
                if len(blob) != 4 * self._dimension or not np.isfinite(np.frombuffer(blob, dtype="<f4")).all():
                    broken.append((name, level))
        said = _some("events whose vector is none", [name for name, _ in broken])
        if broken and not self._may_repair:
            self.faults += [f"{line} (can be made anew)" for line in said]
            return
        # Parts come before what is made of them.
        for name, level in sorted(broken, key=lambda entry: ("event", "episode", "day").index(entry[1])):
            with self._database.writing() as connection:
                connection.execute("UPDATE events SET vector = ? WHERE id = ?", (self._mean(connection, name, level), name))
        self.repairs += said

    def _mean(self, connection: sqlite3.Connection, name: str, level: str) -> bytes:
        of_lines = """
            SELECT v.vector FROM event_lines m JOIN lines l ON l.id = m.line JOIN vectors v ON v.n = l.n
            WHERE m.event = ? ORDER BY l.n LIMIT ?
        """
        of_parts = "SELECT vector FROM events WHERE parent = ? ORDER BY id LIMIT ?"
        blobs = [row[0] for row in connection.execute(of_lines if level == "event" else of_parts, (name, _MOST_LINES_OF_EVENT))]
        mean = np.zeros(self._dimension, dtype=np.float64)
        for vector in stored_vectors.by_key(connection, enumerate(blobs), self._dimension).values():
            mean += vector.astype(np.float64) if np.isfinite(vector).all() else 0.0
        return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype("<f4").tobytes()

    def _word_index(self) -> None:
        """The word index must fit the lines; a broken one is rebuilt from them."""
        with self._database.writing() as connection:
            if not _word_index_fits(connection):
                connection.execute("INSERT INTO lines_fts (lines_fts) VALUES ('rebuild')")
                if _word_index_fits(connection):
                    self.repairs.append("the index of words did not fit the lines")
                else:
                    self.faults.append("the index of words cannot be rebuilt")


def told(what: str, names: Iterable[object]) -> str:
    """How many there are of something that is broken, and the first few by name; "" where there is none. Holds no more than these."""
    first, n_names = [], 0
    for name in names:
        n_names += 1
        if n_names <= _SAMPLES:
            first.append(str(name))
    return "".join(_some(what, first, n_names))


def _some(what: str, names: list[str], n_names: int | None = None) -> list[str]:
    n_all = len(names) if n_names is None else n_names
    if not n_all:
        return []
    more = f" and {n_all - _SAMPLES} more" if n_all > _SAMPLES else ""
    return [f"{n_all} {what}: {', '.join(names[:_SAMPLES])}{more}"]


def _word_index_fits(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("INSERT INTO lines_fts (lines_fts, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError:
        return False
    return True


def _lines_of(connection: sqlite3.Connection, rows: list[int]) -> list[str]:
    return [str(row[0]) for n in rows for row in connection.execute("SELECT coalesce((SELECT id FROM lines WHERE n = ?), ?)", (n, n))]


def _moment_ns(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return utc_ns(moment) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
