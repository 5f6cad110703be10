"""Search by meaning over a memory's lines: the index of vectors, kept in step with SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.packets import Float32Array
from stages.memory.rows import Hit
from stages.memory.tables import row_filters, row_reader
from stages.memory.tables.database import Database
from stages.memory.vectors.followed_index import FollowedIndex, VectorRows
from stages.memory.vectors.vector_index import Batch, IndexKind, Rows

_WIDER = (4, 16)


class LineIndex(FollowedIndex):
    """The lines of a database by meaning. Every search sees every line that is committed by then.

    Indexes of other vectors of the memory may stand beside it (`beside`): they are tended, checked, saved and closed with it.
    """

    def __init__(self, database: Database, folder: Path | None, kind: IndexKind, dimension: int) -> None:
        super().__init__(database, folder, kind, dimension, _LineVectors(dimension), near_ties=True)
        self._beside: dict[str, FollowedIndex] = {}

    def beside(self, name: str, rows: VectorRows) -> FollowedIndex:
        """The index of other vectors, of the same kind and dimension, in a folder of its own; made when it is first asked for."""
        with self._lock:
            if name not in self._beside:
                folder = self.folder / name if self.folder else None
                self._beside[name] = FollowedIndex(self._database, folder, self.kind, self.dimension, rows)
            return self._beside[name]

    def has_beside(self, name: str) -> bool:
        """Whether the index of that name was asked for."""
        return name in self._beside

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
                found = self.nearest(vector, pool, excluded, allowed)
                names = row_filters.until(connection, [row for row, _ in found], at_ns, k)
                if len(names) >= k or len(found) < pool:
                    break
            else:
                if len(names) < k and len(pools) > 1:
                    # Hardly anything like this had been said by then: look at each line that had.
                    found = self.nearest(vector, k, None, row_filters.all_rows_until(connection, at_ns or 0))
                    names = row_filters.until(connection, [row for row, _ in found], at_ns, k)
        return [Hit(names[row], score) for row, score in found if row in names][:k]

    @property
    def ram_bytes(self) -> int:
        """What the indexes take in RAM, 0 before they are first used."""
        return super().ram_bytes + sum(index.ram_bytes for index in list(self._beside.values()))

    def check(self) -> int:
        """Compare every row with the database, and build an index anew where one differs; how many rows did."""
        return super().check() + sum(index.check() for index in list(self._beside.values()))

    def tend(self) -> None:
        """Take in what is new, train where that is due, and keep snapshots where much waits."""
        super().tend()
        for index in list(self._beside.values()):
            index.tend()

    def save(self) -> None:
        """Keep snapshots. Without room for them the memory is still whole."""
        super().save()
        for index in list(self._beside.values()):
            index.save()

    def close(self) -> None:
        """Leave snapshots behind of what was used (the writer only)."""
        super().close()
        for index in list(self._beside.values()):
            index.close()


class _LineVectors:
    """The table of the lines' vectors."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension

    def batches(self, connection: sqlite3.Connection, after: int) -> Iterator[Batch]:
        """Lines that are not copies."""
        return row_reader.vector_batches(connection, after, dimension=self._dimension)

    def stored(self, connection: sqlite3.Connection, row: int) -> Batch | None:
        """The vector of a line as it is stored."""
        return row_reader.stored_vector(connection, row, self._dimension)

    def vectors_of(self, connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, Float32Array]:
        """The vectors of lines by row number."""
        return row_reader.vectors_of(connection, rows, self._dimension)

    def removals(self, connection: sqlite3.Connection, after: int) -> tuple[Rows, int]:
        """Lines whose vectors were removed."""
        return row_reader.removals(connection, after)
