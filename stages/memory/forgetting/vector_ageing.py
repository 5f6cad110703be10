"""The part of sleep in which vectors are recompressed as they age."""

from __future__ import annotations

import math
import sqlite3
import zlib
from typing import TYPE_CHECKING

import numpy as np

from pipeline.packets import NS_PER_S
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.sleeping.sleep import SleepStep
from stages.memory.tables.database import Database
from stages.memory.vectors import stored_vectors, vector_codebook, vector_codec
from stages.memory.vectors.vector_codebook import LEAST_VECTORS, MOST_VECTORS, PART, Codebook
from stages.memory.vectors.vector_codec import FLOAT32, LEFT_ALONE, PQ, SQ8, Rounded

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

RECOMPRESS_AFTER_DAYS = 30.0
"""As long as a line that was never recalled takes to fall to a strength of 1/e."""
MOST_DAYS = 36_500.0
_DAY_NS = 86_400 * NS_PER_S
_UNIT = 0.1
# `vector_format < 2` is what the index of these lines is for.
_DUE = """
    SELECT l.n, v.vector, c.vector FROM lines l LEFT JOIN vectors v ON v.n = l.n LEFT JOIN line_checksums c ON c.n = l.n
    WHERE l.vector_format = ? AND l.vector_format < 2 AND l.ended_at_ns <= ? ORDER BY l.ended_at_ns, l.n LIMIT ?
"""


class AgeVectors(SleepStep):
    """Vectors of lines that ended more than `after_days` ago take a byte a number (SQ8), after `pq_after_days` a byte for eight (PQ).

    0 is never. PQ needs a codebook, which is trained once, as soon as there are 9,984 vectors, on 16,384 at most; until then, and where
    the length of the vectors is no multiple of eight, they stay as they are. Lines that are due are found by an index. A vector that is
    damaged already is left as it is, so that an examination goes on telling it. Raises MemorySettingsError for days out of bounds.
    """

    name = "recompressed vectors"
    light = 8

    def __init__(self, after_days: float = RECOMPRESS_AFTER_DAYS, pq_after_days: float = 0.0) -> None:
        faults = ageing_faults(after_days, pq_after_days)
        if faults:
            raise MemorySettingsError(f"ageing of vectors: {'; '.join(faults)}")
        self._after_ns = round(after_days * _DAY_NS)
        self._pq_after_ns = round(pq_after_days * _DAY_NS)

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:
        """Recompress at most `limit` vectors in one transaction; how many were looked at."""
        database, dimension = memory.strengths.database, memory.encoder.dimension
        codebook = _codebook(database, dimension, at_ns - self._pq_after_ns) if self._pq_after_ns else None
        with database.writing() as connection:
            n_done = 0
            if codebook is not None:
                for kind in (FLOAT32, SQ8):
                    n_done += _recompress(connection, dimension, (kind, at_ns - self._pq_after_ns, limit - n_done), codebook)
            if self._after_ns and n_done < limit:
                n_done += _recompress(connection, dimension, (FLOAT32, at_ns - self._after_ns, limit - n_done), None)
        return n_done


def ageing_faults(after_days: float, pq_after_days: float) -> list[str]:
    """What is wrong with the days after which vectors are recompressed, in words."""
    faults = [
        f"{name} must be 0 (never) to {MOST_DAYS:g}, found {value:g}"
        for name, value in (("recompress_after_days", after_days), ("pq_after_days", pq_after_days))
        if not (math.isfinite(value) and 0.0 <= value <= MOST_DAYS)
    ]
    if not faults and 0.0 < pq_after_days < after_days:
        faults.append(
            f"pq_after_days must be 0 (never) or at least recompress_after_days ({after_days:g}), found {pq_after_days:g}:"
            " vectors take a byte a number before they take less"
        )
    return faults


def _recompress(connection: sqlite3.Connection, dimension: int, due: tuple[int, int, int], codebook: Codebook | None) -> int:
    """Recompress the vectors that are due (format, moment of the end, how many at most), to PQ with a codebook, else to SQ8."""
    found = connection.execute(_DUE, due).fetchall()
    if not found:
        return 0
    whole = [(row, blob) for row, blob, checksum in found if blob is not None and checksum in (None, zlib.crc32(blob))]
    places, read = stored_vectors.rounded(connection, [blob for _, blob in whole], dimension)
    is_finite = np.isfinite(read.vectors).all(axis=1)
    rows = [whole[place][0] for place in places[is_finite].tolist()]
    vectors = Rounded(*(column[is_finite] for column in read))
    made: list[bytes | None]
    if codebook is None:
        made, kind = [*vector_codec.as_sq8(vectors.vectors)], SQ8
    else:
        made, kind = vector_codec.as_pq(vectors, codebook), PQ
    blobs = {row: blob for row, blob in zip(rows, made, strict=True) if blob is not None}
    stored_vectors.replace(connection, blobs, kind)
    stored_vectors.mark(connection, [row for row, _, _ in found if row not in blobs], LEFT_ALONE)
    return len(found)


def _codebook(database: Database, dimension: int, before_ns: int) -> Codebook | None:
    """The codebook of a memory; where it has none, something is due and there are enough vectors, it is trained."""
    with database.reading() as connection:
        known = vector_codebook.stored(connection)
        if known is not None or dimension % PART or vector_codebook.is_damaged(connection):
            return known
        if not any(connection.execute(_DUE, (kind, before_ns, 1)).fetchone() for kind in (FLOAT32, SQ8)):
            return None
        counted = "SELECT count(*) FROM (SELECT 1 FROM vectors LIMIT ?)"
        if connection.execute(counted, (LEAST_VECTORS,)).fetchone()[0] < LEAST_VECTORS:
            return None
        (last,) = connection.execute("SELECT max(n) FROM vectors").fetchone()
        one = "SELECT n, vector FROM vectors WHERE n >= ? ORDER BY n LIMIT 1"
        numbers = np.linspace(1, last, min(last, MOST_VECTORS)).astype(np.int64).tolist()
        sample = dict(row for number in numbers for row in connection.execute(one, (number,)))
        _, read = stored_vectors.rounded(connection, list(sample.values()), dimension)
    lengths = np.linalg.norm(read.vectors, axis=1)
    vectors = read.vectors[np.abs(lengths - 1.0) <= _UNIT]
    if len(vectors) < LEAST_VECTORS:
        return None
    fresh = vector_codebook.trained(vectors)
    with database.writing() as connection:
        vector_codebook.store(connection, fresh)
        return vector_codebook.stored(connection)
