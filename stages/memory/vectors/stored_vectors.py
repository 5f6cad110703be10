"""Vectors of lines in their table, whatever their format: read, stored in another, and taken away."""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.tables import line_checksums
from stages.memory.vectors import vector_codebook, vector_codec
from stages.memory.vectors.vector_codec import GONE, PQ, Rounded

K = TypeVar("K", bound=Hashable)


def rounded(connection: sqlite3.Connection, blobs: list[bytes], dimension: int | None = None) -> tuple[npt.NDArray[np.int64], Rounded]:
    """The places of the blobs that can be read, and their vectors, as `vector_codec.decoded` gives them."""
    needs_codebook = any(vector_codec.format_of(blob) == PQ for blob in blobs)
    codebook = vector_codebook.stored(connection) if needs_codebook else None
    return vector_codec.decoded(blobs, dimension, codebook)


def by_key(connection: sqlite3.Connection, pairs: Iterable[tuple[K, bytes | None]], dimension: int | None = None) -> dict[K, Float32Array]:
    """The vectors of blobs, float32, shape (dimension,), by what comes with them.

    Left out are lines whose vector has faded (None), and what cannot be read, which an examination tells.
    """
    found = [(key, blob) for key, blob in pairs if blob is not None]
    places, read = rounded(connection, [blob for _, blob in found], dimension)
    return {found[place][0]: vector for place, vector in zip(places.tolist(), read.vectors, strict=True)}


def replace(connection: sqlite3.Connection, blobs: Mapping[int, bytes], kind: int) -> None:
    """Store vectors of rows in another format (`vector_codec`), with their checksums; the row numbers stay, and the indexes need not know.

    For one transaction that whoever calls has begun.
    """
    (last,) = connection.execute("SELECT coalesce(max(serial), 0) FROM vector_removals").fetchone()
    # An update in place leaves its page as empty as it makes it; only where rows are taken out does SQLite join pages and free others.
    connection.executemany("DELETE FROM vectors WHERE n = ?", [(row,) for row in blobs])
    connection.executemany("INSERT INTO vectors (n, vector) VALUES (?, ?)", list(blobs.items()))
    connection.execute("DELETE FROM vector_removals WHERE serial > ?", (last,))
    line_checksums.renew(connection, blobs)
    mark(connection, blobs, kind)


def drop(connection: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Take the vectors of rows away: their lines have faded. Indexes follow what this leaves in `vector_removals`."""
    numbers = list(rows)
    connection.executemany("DELETE FROM vectors WHERE n = ?", [(row,) for row in numbers])
    connection.executemany("UPDATE line_checksums SET vector = NULL WHERE n = ?", [(row,) for row in numbers])
    mark(connection, numbers, GONE)


def mark(connection: sqlite3.Connection, rows: Iterable[int], kind: int) -> None:
    """Say how the vectors of rows are stored, as `lines.vector_format` has it."""
    connection.executemany("UPDATE lines SET vector_format = ? WHERE n = ?", [(kind, row) for row in rows])
