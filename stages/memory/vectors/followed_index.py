"""An index of vectors that follows a table of SQLite: nothing that is committed is missing from it, and it never knows more."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.tables.database import Database
from stages.memory.vectors.vector_index import Batch, IndexKind, Rows, VectorIndex, make_index

_log = logging.getLogger(__name__)


class VectorRows(Protocol):
    """Rows with vectors as an index follows them. A row number is never given twice; a vector that changes gets a new one."""

    def batches(self, connection: sqlite3.Connection, after: int) -> Iterator[Batch]:
        """Row numbers above `after` and their vectors, in rising order, in bounded pieces."""

    def stored(self, connection: sqlite3.Connection, row: int) -> Batch | None:
        """One row; REMOVED where it was removed, None where it never was."""

    def vectors_of(self, connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, Float32Array]:
        """The vectors of some rows, float32, shape (dimension,), by row number."""

    def removals(self, connection: sqlite3.Connection, after: int) -> tuple[Rows, int]:
        """The rows that were removed after a removal, int64, and the number of the last removal."""


class FollowedIndex:
    """An index kept in step with its rows. Rows that were removed leave it at the next search, and its file in time, or with `purge`."""

    def __init__(
        self, database: Database, folder: Path | None, kind: IndexKind, dimension: int, rows: VectorRows, near_ties: bool = False
    ) -> None:
        self.folder = folder
        self.kind: IndexKind = kind
        self.dimension = dimension
        self._database = database
        self.rows = rows
        self._near_ties = near_ties
        self._vectors: VectorIndex = make_index(folder, kind, dimension)
        self._lock = threading.Lock()
        self._is_open = False

    def follow(self) -> None:
        """Take in what was committed since, and out what was removed; a snapshot where much waits (the writer only)."""
        index = self._vectors
        with self._lock, self._database.reading() as connection:
            index.open(lambda row: self.rows.stored(connection, row))
            self._is_open = True
            rows, serial = self.rows.removals(connection, index.removed_to)
            if serial > index.removed_to:
                index.remove(rows)
                index.removed_to = serial
            index.catch_up(self.rows.batches(connection, index.last_row))
        if not self._database.read_only and index.wants_save:
            self.save()

    @property
    def state(self) -> tuple[int, int]:
        """The last row and the last removal that it has followed: as long as these stay, it finds the same."""
        return self._vectors.last_row, self._vectors.removed_to

    @property
    def ram_bytes(self) -> int:
        """What the index takes in RAM, 0 before it is first used."""
        return self._vectors.ram_bytes

    def check(self) -> int:
        """Compare every row with the database, and build the index anew where one differs; how many did."""
        self.follow()
        with self._database.reading() as connection:
            wrong = self._vectors.differences(self.rows.batches(connection, 0))
        if wrong:
            _log.info("vector index of %s: %d rows differ from the database; it is rebuilt", self._database.where, wrong)
            self._vectors.reset()
            self.follow()
        return wrong

    def tend(self) -> None:
        """Take in what is new, train where that is due, and keep a snapshot where much waits. For quiet moments and for imports."""
        self.follow()
        self._vectors.tend()
        if not self._database.read_only and self._vectors.wants_save:
            self.save()

    def purge(self) -> None:
        """Let nothing of what was removed be left in the file either: for erasing, which must not wait."""
        self.follow()
        self._vectors.purge()
        if not self._database.read_only:
            self.save()

    def save(self) -> None:
        """Keep a snapshot. Without room for it the memory is still whole: the index is rebuilt when it is opened next."""
        try:
            self._vectors.save()
        except OSError as error:
            _log.warning("vector index of %s: no snapshot (%s); it will be rebuilt from the database", self._database.where, error)

    def close(self) -> None:
        """Leave a snapshot behind, if the index was used at all (the writer only)."""
        if self._is_open and not self._database.read_only:
            self.tend()
            self.save()

    def nearest(self, vector: Float32Array, k: int, excluded: Rows | None = None, allowed: Rows | None = None) -> list[tuple[int, float]]:
        """The `k` rows nearest to a vector with their exact cosines, best first, as `VectorIndex.search` finds them."""
        index = self._vectors
        n_compared = index.n_to_compare(k, self._near_ties)
        if n_compared is None:
            return index.search(vector, k, excluded, allowed)
        found = index.search(vector, n_compared, excluded, allowed)
        with self._database.reading() as connection:
            exact = self.rows.vectors_of(connection, [row for row, _ in found])
        scored = [(row, float(np.dot(vector, exact[row]))) for row, _ in found if row in exact]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:k]
