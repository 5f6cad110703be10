"""A CRC-32 of what each line says, of its audio and its vector: SQLite would give back a flipped bit as if it had been said.

The checksums are made when a line is stored. Whoever changes or removes on purpose what they cover (forgetting, a recogniser that corrects
itself) need not know of them: triggers take them away, and a line without one is not checked.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

# One for all: json.dumps makes another for each line.
_json = json.JSONEncoder(ensure_ascii=False).encode
_VECTOR_TRIGGER = """
CREATE TRIGGER line_checksums_of_vectors AFTER UPDATE OF vector ON vectors BEGIN
    UPDATE line_checksums SET vector = NULL WHERE n = old.n;
END;
"""
TABLES = f"""
CREATE TABLE line_checksums (
    n INTEGER PRIMARY KEY,
    words INTEGER,
    audio INTEGER,
    vector INTEGER
) STRICT;
CREATE TRIGGER line_checksums_of_words AFTER UPDATE OF id, session, track, start_ns, end_ns, text, words, language ON lines BEGIN
    UPDATE line_checksums SET words = NULL WHERE n = old.n;
END;
CREATE TRIGGER line_checksums_of_audio AFTER UPDATE OF clip ON lines BEGIN
    UPDATE line_checksums SET audio = NULL WHERE n = old.n;
END;
CREATE TRIGGER line_checksums_removed AFTER DELETE ON lines BEGIN
    DELETE FROM line_checksums WHERE n = old.n;
END;
{_VECTOR_TRIGGER}"""
"""SQL of the migration that makes them. Lines of before have none."""

_COVERED = "l.id, l.session, l.track, l.start_ns, l.end_ns, l.text, l.words, l.language"


def add(connection: sqlite3.Connection, vectors: Mapping[int, bytes], audio: Mapping[str, int]) -> None:
    """Note the checksums of lines that have just been stored: vectors by row number; `audio` has the CRC-32 of files, by line id."""
    known = "INSERT INTO line_checksums (n, words, audio, vector) VALUES (?, ?, ?, ?) ON CONFLICT (n) DO NOTHING"
    if not vectors:
        return
    # Lines that were stored together stand together: one query for all of them.
    query = f"SELECT l.n, {_COVERED} FROM lines l WHERE l.n BETWEEN ? AND ?"
    stored = connection.execute(query, (min(vectors), max(vectors)))
    connection.executemany(
        known,
        [
            (row, _checksum(covered), audio.get(covered[0]), zlib.crc32(vectors[row]))
            for row, *covered in stored.fetchall()
            if row in vectors
        ],
    )


def renew_vectors(connection: sqlite3.Connection) -> None:
    """After another table has taken the place of `vectors`: its trigger, and the checksums of what stands in it."""
    connection.execute(_VECTOR_TRIGGER)
    connection.execute("UPDATE line_checksums SET vector = NULL")
    rows = connection.execute("SELECT n, vector FROM vectors")
    connection.executemany("UPDATE line_checksums SET vector = ? WHERE n = ?", ((zlib.crc32(vector), row) for row, vector in rows))


def renew(connection: sqlite3.Connection, vectors: Mapping[int, bytes]) -> None:
    """After vectors were stored in another format, by row number: their checksums. Lines that had none get none."""
    connection.executemany(
        "UPDATE line_checksums SET vector = ? WHERE n = ? AND vector IS NOT NULL",
        [(zlib.crc32(vector), row) for row, vector in vectors.items()],
    )


def damaged_words(connection: sqlite3.Connection) -> Iterator[str]:
    """The ids of lines that no longer read as they were stored."""
    query = f"SELECT c.words, {_COVERED} FROM line_checksums c JOIN lines l ON l.n = c.n WHERE c.words IS NOT NULL ORDER BY c.n"
    for checksum, *covered in connection.execute(query):
        if _checksum(covered) != checksum:
            yield str(covered[0])


def damaged_vectors(connection: sqlite3.Connection) -> Iterator[str]:
    """The ids of lines whose vectors are no longer as they were stored."""
    query = """
        SELECT c.vector, v.vector, l.id FROM line_checksums c JOIN vectors v ON v.n = c.n JOIN lines l ON l.n = c.n
        WHERE c.vector IS NOT NULL ORDER BY c.n
    """
    for checksum, vector, name in connection.execute(query):
        if zlib.crc32(vector) != checksum:
            yield str(name)


def damaged_audio(connection: sqlite3.Connection, root: Path) -> Iterator[str]:
    """The files, relative to the memory, that are no longer as they were written; those that are gone are not among them."""
    query = """
        SELECT c.audio, l.clip FROM line_checksums c JOIN lines l ON l.n = c.n
        WHERE c.audio IS NOT NULL AND l.clip IS NOT NULL ORDER BY c.n
    """
    for checksum, clip in connection.execute(query):
        try:
            found = zlib.crc32((root / clip).read_bytes())
        except FileNotFoundError:
            continue
        if found != checksum:
            yield str(clip)


def _checksum(covered: Iterable[object]) -> int:
    return zlib.crc32(_json(list(covered)).encode("utf-8", "surrogatepass"))
