"""Keys of granules: vectors that are searched, each pointing to what is given back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.vectors.vector_checks import check_vectors
from stages.memory.vectors.vector_index import REMOVED, Batch, Rows

T = TypeVar("T")
_AT_ONCE = 500
_BATCH = 8192

_KEY_VECTORS = "SELECT k.n, coalesce(k.vector, e.vector) AS v FROM keys k LEFT JOIN events e ON k.vector IS NULL AND e.id = k.value"


class KeyRows:
    """The keys of one level, as an index follows them. Keys of another dimension (or demoted to none) are left out."""

    def __init__(self, level: str, dimension: int) -> None:
        self._level = level
        self._bytes = 4 * dimension

    def batches(self, connection: sqlite3.Connection, after: int) -> Iterator[Batch]:
        """Numbers above `after` and vectors of the level's keys, in rising order, in bounded pieces."""
        cursor = connection.execute(
            f"{_KEY_VECTORS} WHERE k.level = ? AND k.n > ? AND length(v) = ? ORDER BY k.n", (self._level, after, self._bytes)
        )
        while part := list(islice(cursor, _BATCH)):
            stack = np.frombuffer(b"".join(blob for _, blob in part), dtype="<f4").astype(np.float32).reshape(len(part), -1)
            yield Batch(np.array([row for row, _ in part], dtype=np.int64), stack)

    def stored(self, connection: sqlite3.Connection, row: int) -> Batch | None:
        """One key; REMOVED where it was removed, None where it never was."""
        found = connection.execute(f"{_KEY_VECTORS} WHERE k.n = ? AND k.level = ?", (row, self._level)).fetchone()
        if found is None:
            return REMOVED if connection.execute("SELECT 1 FROM key_removals WHERE n = ?", (row,)).fetchone() else None
        if found[1] is None or len(found[1]) != self._bytes:
            return None
        return Batch(np.array([row], dtype=np.int64), np.frombuffer(found[1], dtype="<f4").astype(np.float32)[None, :])

    def vectors_of(self, connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, Float32Array]:
        """The vectors of some keys, float32, shape (dimension,), by number."""
        found: dict[int, Float32Array] = {}
        for part in _parts(sorted(set(rows))):
            query = f"{_KEY_VECTORS} WHERE k.n IN ({','.join(str(int(row)) for row in part)})"
            found.update((row, np.frombuffer(blob, dtype="<f4")) for row, blob in connection.execute(query))
        return found

    def removals(self, connection: sqlite3.Connection, after: int) -> tuple[Rows, int]:
        """The level's keys that were removed after a removal, and the number of the last one."""
        query = "SELECT serial, n FROM key_removals WHERE level = ? AND serial > ? ORDER BY serial"
        found = connection.execute(query, (self._level, after)).fetchall()
        return np.array([row for _, row in found], dtype=np.int64), found[-1][0] if found else after


def put(connection: sqlite3.Connection, level: str, kind: str, value: str, vector: Float32Array, known_at_ns: int) -> None:
    """Let a vector (float32, shape (dimension,), of unit length) find a value of a level from a moment on.

    A value has one key of a kind; another vector takes the place of the old one. Raises MemoryError_ for numbers that are not finite.
    """
    check_vectors(level, f"the key {kind} of {value}", vector, (len(vector),))
    blob = vector.astype("<f4").tobytes()
    this = "value = ? AND level = ? AND kind = ?"
    had = connection.execute(f"SELECT vector, known_at_ns FROM keys WHERE {this}", (value, level, kind)).fetchone()
    if had == (blob, known_at_ns):
        return
    connection.execute(f"DELETE FROM keys WHERE {this}", (value, level, kind))
    connection.execute(
        "INSERT INTO keys (level, kind, value, known_at_ns, vector) VALUES (?, ?, ?, ?, ?)", (level, kind, value, known_at_ns, blob)
    )


def erase(connection: sqlite3.Connection, level: str, values: Iterable[str]) -> dict[str, int]:
    """Take every key of some values away; how many, by table. Keys of events go by themselves with their event."""
    cursor = connection.executemany("DELETE FROM keys WHERE value = ? AND level = ?", [(value, level) for value in sorted(set(values))])
    return {"keys": max(cursor.rowcount, 0)}


def rows_among(connection: sqlite3.Connection, level: str, values: Iterable[str]) -> Rows:
    """The keys of some values of a level, int64, rising."""
    rows: list[int] = []
    for part in _parts(sorted(set(values))):
        query = f"SELECT n FROM keys WHERE level = ? AND value IN ({','.join('?' * len(part))})"
        rows += [row[0] for row in connection.execute(query, (level, *part))]
    return np.array(sorted(rows), dtype=np.int64)


def rows_known(connection: sqlite3.Connection, level: str, at_ns: int, most: int) -> Rows | None:
    """The keys of a level that were known by a moment, int64, rising; None where they are more than `most`."""
    return _some(connection, "known_at_ns <= ?", level, at_ns, most)


def rows_unknown(connection: sqlite3.Connection, level: str, at_ns: int, most: int) -> Rows | None:
    """The keys of a level that became known later, int64, rising; None where they are more than `most`."""
    return _some(connection, "known_at_ns > ?", level, at_ns, most)


def named(connection: sqlite3.Connection, rows: Iterable[int], at_ns: int | None) -> dict[int, tuple[str, str]]:
    """Kind and value of those keys among some that were known by a moment, by number."""
    found: dict[int, tuple[str, str]] = {}
    for part in _parts(list(rows)):
        query = (
            f"SELECT n, kind, value FROM keys WHERE n IN ({','.join(str(int(row)) for row in part)})"
            " AND (:at IS NULL OR known_at_ns <= :at)"
        )
        found.update((row, (kind, value)) for row, kind, value in connection.execute(query, {"at": at_ns}))
    return found


def of_lines(connection: sqlite3.Connection, rows: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Those keys among some that are made of lines, by number: when they were known (UTC, nanoseconds), and their value."""
    found: dict[int, tuple[int, str]] = {}
    for part in _parts(list(rows)):
        query = f"SELECT n, known_at_ns, value FROM keys WHERE n IN ({','.join(str(int(row)) for row in part)}) AND kind = 'lines'"
        found.update((row, (known_at_ns, value)) for row, known_at_ns, value in connection.execute(query))
    return found


def _some(connection: sqlite3.Connection, where: str, level: str, at_ns: int, most: int) -> Rows | None:
    query = f"SELECT n FROM keys WHERE level = ? AND {where} LIMIT ?"
    found = [row[0] for row in connection.execute(query, (level, at_ns, most + 1))]
    return None if len(found) > most else np.array(sorted(found), dtype=np.int64)


def _parts(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[first : first + _AT_ONCE] for first in range(0, len(values), _AT_ONCE)]
