"""Everything that a memory holds, as values that can be compared: its rows, the audio of its lines, its recordings."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from pipeline.session import SessionReader

Row = tuple[object, ...]

DERIVED = ("lines_fts", "sqlite_", "migrations", "vector_removals", "key_removals", "line_blocks")
"""Tables, by the beginnings of their names, that follow from others or say only how it came to be; doctor compares `line_blocks` with the
lines, whose row numbers may have holes after a run that was cut short."""


NUMBERED = ("lines", "vectors", "line_checksums")
"""Tables whose `n` is the row number of a line."""

UNSTEADY = {
    ("sleep_due", "n"),
    ("keys", "n"),
    ("links_due", "n"),
    ("links", "made_at_ns"),
    ("links", "updated_at_ns"),
}
"""Columns that an interrupted run may leave otherwise: numbers that say only in which order rows came may be left out; and sleep notes
the time on the wall."""


@dataclass(frozen=True)
class Dump:
    """`tables` are the rows of each table in an order of their own; `audio` the SHA-256 of files, `recordings` that of samples."""

    tables: dict[str, list[Row]]
    audio: dict[str, str]
    recordings: dict[str, str]

    def lines(self) -> dict[str, Row]:
        """The verbatim part of each line, by id."""
        return {str(row[0]): row for row in self.tables.get("lines verbatim", [])}

    def without(self, names: tuple[str, ...]) -> Dump:
        """The same without some tables."""
        return Dump({name: rows for name, rows in self.tables.items() if name not in names}, self.audio, self.recordings)

    def only(self, names: tuple[str, ...]) -> Dump:
        """The same with some of the tables alone."""
        return Dump({name: rows for name, rows in self.tables.items() if name in names}, self.audio, self.recordings)

    def differences(self, other: Dump) -> list[str]:
        """What differs, in words; nothing where both are the same."""
        told = []
        for table in sorted(self.tables.keys() | other.tables.keys()):
            mine, theirs = self.tables.get(table, []), other.tables.get(table, [])
            if mine != theirs:
                odd = sorted({*map(repr, mine)} ^ {*map(repr, theirs)})
                told.append(
                    f"table {table}: {len(mine)} rows against {len(theirs)}; {len(odd)} differ, first {[row[:300] for row in odd[:2]]}"
                )
        for what, these, those in (("audio", self.audio, other.audio), ("recording", self.recordings, other.recordings)):
            odd = sorted(name for name in these.keys() | those.keys() if these.get(name) != those.get(name))
            told += [f"{what} of {', '.join(odd[:3])}: {len(odd)} differ"] if odd else []
        return told


def dump(directory: Path) -> Dump:
    """Read everything; a memory that is not there yet is empty. Raises sqlite3.Error."""
    tables = _tables(directory / "memory.sqlite")
    audio = {path.relative_to(directory).as_posix(): _sha(path.read_bytes()) for path in sorted((directory / "lines").glob("*/*.flac"))}
    recordings = {}
    for folder in sorted((directory / "sessions").glob("*")):
        if (folder / "session.json").is_file():
            with SessionReader(folder) as reader:
                recordings[folder.name] = f"{reader.frames} {_sha(reader.read(0, reader.frames).tobytes())} {reader.gaps}"
    return Dump(tables, audio, recordings)


def stored_lines(directory: Path) -> dict[str, Row]:
    """The verbatim part of each line that a reader sees just now, by id; nothing is left open behind it."""
    if not (directory / "memory.sqlite").is_file():
        return {}
    connection = sqlite3.connect(f"{(directory / 'memory.sqlite').as_uri()}?mode=ro", uri=True, timeout=30)
    try:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'lines'").fetchone() is None:
            return {}
        return {row[0]: tuple(row) for row in connection.execute(_VERBATIM)}
    except sqlite3.OperationalError:
        # The writer is just making the file.
        return {}
    finally:
        connection.close()


_VERBATIM = "SELECT id, session, track, start_ns, end_ns, text, words, clip FROM lines ORDER BY id"


def _tables(path: Path) -> dict[str, list[Row]]:
    if not path.is_file():
        return {}
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA query_only = ON")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        tables = {name: _rows(connection, name) for name in names if not name.startswith(DERIVED)}
        if "lines" in names:
            tables["lines verbatim"] = [tuple(row) for row in connection.execute(_VERBATIM)]
        return tables
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    """The rows of a table in an order of their own; the row number of a line is shown as its id, since numbers may be left out."""
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    shown = [
        f'(SELECT id FROM lines WHERE lines.n = "{table}".n)' if name == "n" and table in NUMBERED else f'"{name}"'
        for name in columns
        if (table, name) not in UNSTEADY
    ]
    # repr: rows of mixed types (None beside numbers) have no order of their own.
    return sorted((tuple(row) for row in connection.execute(f'SELECT {", ".join(shown)} FROM "{table}"')), key=repr)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
