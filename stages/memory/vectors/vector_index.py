"""The index of vectors of a memory: what every kind of it does. It is derived from SQLite and never knows more."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array

IndexKind = Literal["flat", "hnsw", "ivf_sq8", "ivf_pq"]
Rows = npt.NDArray[np.int64]


class Batch(NamedTuple):
    """Row numbers, int64, shape (n,), and their vectors, float32, shape (n, dimension), as they stand in the database.

    Old vectors are rounded there (`vector_codec`): `each` and `whole`, float32, shape (n,), say how far a number, and the vector, may lie
    from what the index was given; None where nothing was rounded.
    """

    rows: Rows
    vectors: Float32Array
    each: Float32Array | None = None
    whole: Float32Array | None = None

    def some(self, places: slice | npt.NDArray[np.bool_]) -> Batch:
        """Some of the rows."""
        each = None if self.each is None else self.each[places]
        whole = None if self.whole is None else self.whole[places]
        return Batch(self.rows[places], self.vectors[places], each, whole)


REMOVED = Batch(np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32))
"""What stands in the database of a row that was removed."""


class VectorIndexError(ValueError):
    """An index cannot be made so, or cannot be asked this."""


class VectorIndex(ABC):
    """Rows and their vectors, searched by cosine.

    Adding and training are single-threaded, so that the same rows in the same pieces give the same index.
    """

    removed_to: int = 0
    """The serial number of the last removal in the database that this index has followed."""

    @property
    @abstractmethod
    def last_row(self) -> int:
        """The greatest row number in the index, 0 when it is empty."""

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """How many rows the index holds."""

    @property
    @abstractmethod
    def ram_bytes(self) -> int:
        """About how many bytes of RAM the rows take."""

    @property
    @abstractmethod
    def n_unsaved(self) -> int:
        """How many rows the snapshot on the disk does not have."""

    @property
    @abstractmethod
    def wants_save(self) -> bool:
        """Whether so much is unsaved that catching up after a crash would take long."""

    @abstractmethod
    def open(self, stored: Callable[[int], Batch | None]) -> None:
        """Load the snapshot, unless it is missing, damaged, of another kind, or not of this memory; then start empty.

        `stored(row)` asks SQLite for one row: REMOVED where it was removed, None where it never was.
        """

    @abstractmethod
    def reset(self) -> None:
        """Forget everything: `catch_up` then builds it anew."""

    @abstractmethod
    def catch_up(self, batches: Iterator[Batch]) -> None:
        """Add rows, in rising order, that came after `last_row`."""

    def tend(self) -> None:
        """Do what makes later searches faster and may take long: most kinds have nothing to do."""
        return

    @abstractmethod
    def remove(self, rows: Rows) -> int:
        """Take rows out, those that are there; how many. The file may keep them until much has gone, or until `purge`."""

    @abstractmethod
    def purge(self) -> None:
        """Let the next `save` leave nothing of rows that were taken out."""

    @abstractmethod
    def search(self, vector: Float32Array, k: int, excluded: Rows | None = None, allowed: Rows | None = None) -> list[tuple[int, float]]:
        """The `k` rows nearest to a vector, float32, shape (dimension,), with their cosines, best first.

        `excluded` are row numbers that may not be found; with `allowed`, only those may, and every one of them is looked at.
        Raises VectorIndexError for a vector that is not finite.
        """

    @abstractmethod
    def n_to_compare(self, k: int, near_ties: bool) -> int | None:
        """How many hits to compare with the vectors themselves so that the best `k` are right; None where they are without that.

        With `near_ties`, the order of those that are almost equally near is to be right too.
        """

    @abstractmethod
    def differences(self, batches: Iterator[Batch]) -> int:
        """How many rows of the index do not stand so in the database (or the other way round).

        A row that is rounded there may lie as far from the index's as rounding can have moved it, and no farther.
        """

    @abstractmethod
    def save(self) -> None:
        """Keep what is unsaved: whole, with its checksum, or not at all. Raises OSError when the disk does not take it."""


def make_index(folder: Path | None, kind: IndexKind, dimension: int) -> VectorIndex:
    """An index of a kind whose snapshot stands in `folder` (None: in RAM only). Raises VectorIndexError."""
    from stages.memory.vectors.ivf_index import IvfIndex
    from stages.memory.vectors.whole_index import WholeIndex

    if kind == "flat" or kind == "hnsw":
        return WholeIndex(folder, kind, dimension)
    if kind == "ivf_sq8" or kind == "ivf_pq":
        return IvfIndex(folder, kind, dimension)
    raise VectorIndexError(f"index {kind!r} is not known; allowed are {', '.join(get_args(IndexKind))}")


def checked_query(vector: Float32Array, dimension: int) -> Float32Array:
    """A query as FAISS takes it, float32, shape (1, dimension). Raises VectorIndexError."""
    query = np.ascontiguousarray(vector, dtype=np.float32).reshape(1, -1)
    if query.shape[1] != dimension or not np.isfinite(query).all():
        raise VectorIndexError(
            f"a question's vector must be {dimension} finite numbers; found {query.shape[1]},"
            f" {int((~np.isfinite(query)).sum())} of them not finite: look at the encoder"
        )
    return query


def mask_of(rows: Rows, keep: bool, last_row: int) -> npt.NDArray[np.bool_]:
    """For each row number up to `last_row` whether it is kept: those of `rows` as `keep` says, all others the other way."""
    mask = np.full(last_row + 1, not keep)
    mask[rows[(rows >= 0) & (rows <= last_row)]] = keep
    return mask


def in_order(rows: Rows, scores: Float32Array) -> list[tuple[int, float]]:
    """Hits best first; equal scores in the order in which they came, whatever FAISS does."""
    found = [(int(row), float(score)) for row, score in zip(rows, scores, strict=True) if row >= 0]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def faiss_module() -> Any:
    """The faiss package: its stubs lack what the Python layer adds, and it is too slow to import at the top."""
    faiss = importlib.import_module("faiss")
    # One thread builds the same graph every time, and does not fight with the recogniser for the cores.
    faiss.omp_set_num_threads(1)
    return faiss
