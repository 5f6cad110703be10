"""A memory for another encoder: every line and event encoded anew, beside the old vectors, and switched to in one step."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.packets import Float32Array
from stages.memory import memory_settings
from stages.memory.memory_errors import MemoryError_
from stages.memory.memory_settings import MemorySettings
from stages.memory.short_term_store import prototype_rows
from stages.memory.tables import line_checksums, row_reader
from stages.memory.tables.database import Database, WriterLock, translated
from stages.memory.text_encoder import TextEncoder
from stages.memory.vectors.index_tables import REMOVAL_TRIGGER
from stages.memory.vectors.vector_codec import FLOAT32, GONE
from stages.memory.vectors.vector_index import IndexKind

_AT_ONCE = 256
_MOST_LINES_OF_EVENT = 2000


@dataclass(frozen=True)
class ReencodingReport:
    """What was done. `n_encoded` counts the lines of this run; those of a run that was cut short were there already."""

    n_lines: int
    n_encoded: int
    n_events: int


def reencode(
    root: Path, encoder: TextEncoder, index: IndexKind, progress: Callable[[int, int], None] | None = None
) -> ReencodingReport | None:
    """Give a memory the vectors of another encoder (started); None when it has them already.

    New vectors gather in a table of their own, so that the memory stays as it was, and readable, until all are there; a run that
    was cut short is taken up where it stopped. Then one transaction puts them in the place of the old ones. An event's vector
    is the mean of its lines' (of its parts', where it is an episode or a day). Vectors are whole again, whatever their age; lines whose
    vectors have faded get none, since what is forgotten does not come back with another encoder.
    Raises MemoryInUse, MemoryFull, MemoryError_.
    """
    found = memory_settings.load(root)
    if found is None:
        raise MemoryError_(f"memory {root}: there is no memory here yet, so there is nothing to encode anew")
    with translated(str(root)):
        lock = WriterLock(root)
        lock.take()
    database = Database(root / "memory.sqlite", read_only=False)
    try:
        database.open()
        with database.reading() as connection:
            switched_to = row_reader.switched_to(connection)
        report = None
        if (switched_to or (found.encoder, found.dimension)) != (encoder.name, encoder.dimension):
            report = _run(database, encoder, progress)
        # A crash before these lines leaves the old file beside new vectors: opening says so, and the next run comes here at once.
        with translated(str(root)):
            MemorySettings(encoder.name, encoder.dimension, index if report else found.index).save(root)
            if report is not None or (found.encoder, found.dimension) != (encoder.name, encoder.dimension):
                shutil.rmtree(root / "index", ignore_errors=True)
        return report
    finally:
        database.close()
        lock.release()


def _run(database: Database, encoder: TextEncoder, progress: Callable[[int, int], None] | None) -> ReencodingReport:
    with database.writing() as connection:
        _prepare(connection, encoder)
    n_encoded = 0
    while True:
        with database.reading() as connection:
            done, last = connection.execute("SELECT count(*), coalesce(max(n), 0) FROM vectors_next").fetchone()
            (total,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
            query = "SELECT n, text FROM lines WHERE n > ? AND vector_format != ? ORDER BY n LIMIT ?"
            part = connection.execute(query, (last, GONE, _AT_ONCE)).fetchall()
        if progress is not None:
            progress(done, total)
        if not part:
            break
        vectors = _checked(encoder, [text for _, text in part])
        with database.writing() as connection:
            connection.executemany(
                "INSERT INTO vectors_next (n, vector) VALUES (?, ?)",
                [(row, vector.astype("<f4").tobytes()) for (row, _), vector in zip(part, vectors, strict=True)],
            )
        n_encoded += len(part)
    with database.writing() as connection:
        n_events = _switch(connection, encoder)
    return ReencodingReport(done, n_encoded, n_events)


def _prepare(connection: sqlite3.Connection, encoder: TextEncoder) -> None:
    begun = connection.execute("SELECT encoder, dimension FROM reencodings WHERE switched = 0").fetchone()
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'vectors_next'").fetchone()
    if there and begun == (encoder.name, encoder.dimension):
        return
    if there:
        connection.execute("DROP TABLE vectors_next")
    connection.execute("CREATE TABLE vectors_next (n INTEGER PRIMARY KEY REFERENCES lines (n), vector BLOB NOT NULL) STRICT")
    connection.execute("DELETE FROM reencodings WHERE switched = 0")
    connection.execute("INSERT INTO reencodings (switched, encoder, dimension) VALUES (0, ?, ?)", (encoder.name, encoder.dimension))


def _switch(connection: sqlite3.Connection, encoder: TextEncoder) -> int:
    # Some may have faded since they were encoded, where the run was cut short.
    connection.execute("DELETE FROM vectors_next WHERE n IN (SELECT n FROM lines WHERE vector_format = ?)", (GONE,))
    for level in ("event", "episode", "day"):
        for name, summary in connection.execute("SELECT id, summary FROM events WHERE level = ? ORDER BY id", (level,)).fetchall():
            vector = _vector_of(connection, name, level == "event", encoder, summary)
            connection.execute("UPDATE events SET vector = ? WHERE id = ?", (vector.astype("<f4").tobytes(), name))
    # Keys that have a vector of their own were made with the old encoder; sleep makes those of summaries anew.
    connection.execute("DELETE FROM keys WHERE vector IS NOT NULL")
    # Row numbers stay, so nothing was removed: the trigger would say so of every line.
    connection.execute("DROP TRIGGER vectors_removed")
    connection.execute("DROP TABLE vectors")
    connection.execute("ALTER TABLE vectors_next RENAME TO vectors")
    connection.execute(REMOVAL_TRIGGER)
    connection.execute("UPDATE lines SET vector_format = ? WHERE vector_format NOT IN (?, ?)", (FLOAT32, FLOAT32, GONE))
    connection.execute("DELETE FROM vector_codebooks")
    line_checksums.renew_vectors(connection)
    prototype_rows.retell_all(connection)
    connection.execute("DELETE FROM reencodings")
    connection.execute("INSERT INTO reencodings (switched, encoder, dimension) VALUES (1, ?, ?)", (encoder.name, encoder.dimension))
    return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


def _vector_of(connection: sqlite3.Connection, name: str, has_lines: bool, encoder: TextEncoder, summary: str) -> Float32Array:
    of_lines = """
        SELECT v.vector FROM event_lines m JOIN lines l ON l.id = m.line JOIN vectors_next v ON v.n = l.n
        WHERE m.event = ? ORDER BY l.n LIMIT ?
    """
    of_parts = "SELECT vector FROM events WHERE parent = ? ORDER BY id LIMIT ?"
    blobs = [row[0] for row in connection.execute(of_lines if has_lines else of_parts, (name, _MOST_LINES_OF_EVENT))]
    parts = [np.frombuffer(blob, dtype="<f4") for blob in blobs if len(blob) == 4 * encoder.dimension]
    if parts:
        mean = np.mean(np.stack(parts), axis=0)
        length = float(np.linalg.norm(mean))
        if length > 1e-9:
            unit: Float32Array = (mean / length).astype(np.float32)
            return unit
    alone: Float32Array = _checked(encoder, [summary])[0]
    return alone


def _checked(encoder: TextEncoder, texts: list[str]) -> Float32Array:
    vectors = encoder.encode(texts)
    if vectors.shape != (len(texts), encoder.dimension) or not np.isfinite(vectors).all():
        raise MemoryError_(
            f"encoder {encoder.name!r}: its vectors must be finite, shape ({len(texts)}, {encoder.dimension}); found shape {vectors.shape}"
            f"{'' if np.isfinite(vectors).all() else ' with numbers that are not finite'}; the memory stays as it was"
        )
    return vectors
