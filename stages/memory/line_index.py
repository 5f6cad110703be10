"""Search by meaning over a memory's lines: the index of vectors, kept in step with SQLite."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np

from pipeline.packets import Float32Array
from stages.memory import row_filters, row_reader
from stages.memory.database import Database
from stages.memory.rows import Hit
from stages.memory.vector_index import IndexKind, Rows, VectorIndex, make_index

_log = logging.getLogger(__name__)

_LOSSY_LEAST = 200
_LOSSY_MOST = 1000
_LOSSY_FACTOR = 4
_WIDER = (4, 16)


class LineIndex:
    """The lines of a database by meaning. Every search sees every line that is committed by then.

    Rows that were removed from the table of vectors leave the index at the next search, and its file with the next `save`.
    """

    def __init__(self, database: Database, folder: Path | None, kind: IndexKind, dimension: int) -> None:
        self._database = database
        self._vectors: VectorIndex = make_index(folder, kind, dimension)
        self._lock = threading.Lock()
        self._is_open = False

    def search(self, vector: Float32Array, k: int, at_ns: int | None, allowed: Rows | None = None) -> list[Hit]:
        """The `k` lines nearest to a vector that had ended by a moment, among some (row numbers, int64, rising) or all."""
        self.follow()
        with self._database.reading() as connection:
            excluded = None
            if at_ns is not None and allowed is None:
                allowed = row_filters.rows_until(connection, at_ns)
                excluded = row_filters.rows_after(connection, at_ns) if allowed is None else None
            pools = [k] if at_ns is None or allowed is not None or excluded is not None else [factor * k for factor in _WIDER]
            for pool in pools:
                found = self._nearest(vector, pool, excluded, allowed)
                names = row_filters.until(connection, [row for row, _ in found], at_ns)
                if len(names) >= k or len(found) < pool:
                    break
            else:
                if len(names) < k and len(pools) > 1:
                    # Hardly anything like this had been said by then: look at each line that had.
                    found = self._nearest(vector, k, None, row_filters.all_rows_until(connection, at_ns or 0))
                    names = row_filters.until(connection, [row for row, _ in found], at_ns)
        return [Hit(names[row], score) for row, score in found if row in names][:k]

    def follow(self) -> None:
        """Take in what was committed since, and out what was removed; a snapshot where much waits (the writer only)."""
        index = self._vectors
        with self._lock, self._database.reading() as connection:
            index.open(lambda row: row_reader.vector_of(connection, row))
            self._is_open = True
            rows, serial = row_reader.removals(connection, index.removed_to)
            if serial > index.removed_to:
                index.remove(rows)
                index.removed_to = serial
            index.catch_up(row_reader.vector_batches(connection, index.last_row))
        if not self._database.read_only and index.wants_save:
            self.save()

    def check(self) -> None:
        """Compare every row with the database, and build the index anew where one differs."""
        self.follow()
        with self._database.reading() as connection:
            wrong = self._vectors.differences(row_reader.vector_batches(connection, 0))
        if wrong:
            _log.info("vector index of %s: %d rows differ from the database; it is rebuilt", self._database.where, wrong)
            self._vectors.reset()
            self.follow()

    def tend(self) -> None:
        """Take in what is new, train where that is due, and keep a snapshot where much waits. For quiet moments and for imports."""
        self.follow()
        self._vectors.tend()
        if not self._database.read_only and self._vectors.wants_save:
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

    def _nearest(self, vector: Float32Array, k: int, excluded: Rows | None, allowed: Rows | None) -> list[tuple[int, float]]:
        index = self._vectors
        if not index.is_lossy:
            return index.search(vector, k, excluded, allowed)
        found = index.search(vector, max(k, min(max(_LOSSY_FACTOR * k, _LOSSY_LEAST), _LOSSY_MOST)), excluded, allowed)
        with self._database.reading() as connection:
            exact = row_reader.vectors_of(connection, [row for row, _ in found])
        scored = [(row, float(np.dot(vector, exact[row]))) for row, _ in found if row in exact]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:k]
