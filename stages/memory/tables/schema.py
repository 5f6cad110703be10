"""The tables of a memory, made by named migrations that are applied once each, in order."""

from __future__ import annotations

import sqlite3

from stages.memory.attention import attention_tables
from stages.memory.erasing import erasure_tables
from stages.memory.forgetting import strength_tables
from stages.memory.granules import granule_tables
from stages.memory.links import link_tables
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.people import speaker_tables, talker_tables
from stages.memory.short_term_store import prototype_tables
from stages.memory.sleeping import sleep_tables
from stages.memory.sounds import sound_tables
from stages.memory.tables import arrivals, line_checksums, moment_tables, provenance
from stages.memory.vectors import index_tables, vector_tables

_FIRST = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    started_at TEXT NOT NULL,
    started_at_ns INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    array TEXT NOT NULL,
    complete INTEGER NOT NULL,
    graph TEXT NOT NULL,
    passed_ns INTEGER NOT NULL DEFAULT 0,
    longest_line_ns INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE lines (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL REFERENCES sessions (id),
    track TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    ended_at_ns INTEGER NOT NULL,
    azimuth_deg REAL,
    elevation_deg REAL,
    text TEXT NOT NULL,
    words TEXT NOT NULL,
    confidence REAL NOT NULL,
    language TEXT NOT NULL,
    copy_of TEXT,
    clip TEXT,
    clip_start_ns INTEGER NOT NULL,
    salience REAL NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX lines_by_start ON lines (session, start_ns);
CREATE INDEX lines_by_track ON lines (session, track, start_ns);
CREATE INDEX lines_by_end ON lines (ended_at_ns);

CREATE TABLE vectors (
    n INTEGER PRIMARY KEY REFERENCES lines (n),
    vector BLOB NOT NULL
) STRICT;

CREATE VIRTUAL TABLE lines_fts USING fts5 (text, content = 'lines', content_rowid = 'n', tokenize = 'porter unicode61');
CREATE TRIGGER lines_fts_insert AFTER INSERT ON lines BEGIN
    INSERT INTO lines_fts (rowid, text) VALUES (new.n, new.text);
END;
CREATE TRIGGER lines_fts_delete AFTER DELETE ON lines BEGIN
    INSERT INTO lines_fts (lines_fts, rowid, text) VALUES ('delete', old.n, old.text);
END;
CREATE TRIGGER lines_fts_update AFTER UPDATE OF text ON lines BEGIN
    INSERT INTO lines_fts (lines_fts, rowid, text) VALUES ('delete', old.n, old.text);
    INSERT INTO lines_fts (rowid, text) VALUES (new.n, new.text);
END;

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id),
    level TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    ended_at_ns INTEGER NOT NULL,
    surprise REAL NOT NULL,
    reason TEXT NOT NULL,
    tracks TEXT NOT NULL,
    summary TEXT NOT NULL,
    vector BLOB NOT NULL,
    parent TEXT
) STRICT;
CREATE INDEX events_by_start ON events (session, level, start_ns);

CREATE TABLE event_lines (
    line TEXT PRIMARY KEY,
    event TEXT NOT NULL REFERENCES events (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_lines_by_event ON event_lines (event);

CREATE TABLE tracks (
    session TEXT NOT NULL REFERENCES sessions (id),
    track TEXT NOT NULL,
    speaker TEXT,
    PRIMARY KEY (session, track)
) STRICT, WITHOUT ROWID;

CREATE TABLE positions (
    session TEXT NOT NULL REFERENCES sessions (id),
    track TEXT NOT NULL,
    time_ns INTEGER NOT NULL,
    azimuth_deg REAL NOT NULL,
    elevation_deg REAL,
    PRIMARY KEY (session, track, time_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE gaps (
    session TEXT NOT NULL REFERENCES sessions (id),
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (session, start_ns, end_ns, reason)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS: tuple[tuple[str, str], ...] = (
    ("2026-11 first tables", _FIRST),
    ("2026-11 sounds", sound_tables.TABLES),
    ("2026-11 speakers", speaker_tables.TABLES),
    ("2026-11 talkers", talker_tables.TABLES),
    ("2026-11 vector removals", index_tables.TABLES),
    ("2026-11 reencodings", index_tables.REENCODINGS),
    ("2026-11 keys of granules", granule_tables.TABLES),
    ("2026-11 links", link_tables.TABLES),
    ("2026-11 line checksums", line_checksums.TABLES),
    ("2026-11 makers", provenance.TABLES),
    ("2026-11 sleep", sleep_tables.TABLES),
    ("2026-11 keys of topics", granule_tables.TOPICS),
    ("2026-11 erasures", erasure_tables.TABLES),
    ("2026-11 prototypes", prototype_tables.TABLES),
    ("2026-11 strengths", strength_tables.TABLES),
    ("2026-11 blocks of lines", index_tables.LINE_BLOCKS),
    ("2026-11 as of a moment", moment_tables.TABLES),
    ("2026-11 formats of vectors", vector_tables.TABLES),
    ("2026-11 arrivals of lines", arrivals.COLUMN),
    ("2026-11 last moments of blocks", index_tables.LAST_OF_BLOCKS),
    ("2026-11 growth of days", moment_tables.DAYS),
    ("2026-11 attention", attention_tables.TABLES),
)
"""Name and SQL of each migration. Add at the end; never change one that has been released."""


def applied(connection: sqlite3.Connection) -> list[str]:
    """The names of the migrations that this database has had, in order."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'").fetchone()
    return [row[0] for row in connection.execute("SELECT name FROM migrations ORDER BY position")] if known else []


def pending(connection: sqlite3.Connection, where: str) -> list[tuple[str, str]]:
    """The migrations that this database still needs.

    Raises MemorySettingsError when it has had one that this version does not know.
    """
    had = applied(connection)
    names = [name for name, _ in MIGRATIONS]
    if had != names[: len(had)]:
        unknown = [name for name in had if name not in names] or had
        raise MemorySettingsError(
            f"memory {where}: it was written by a newer Echoic (migration {unknown[0]!r} is not known here); update Echoic to open it"
        )
    return list(MIGRATIONS[len(had) :])


def migrate(connection: sqlite3.Connection, where: str) -> list[str]:
    """Bring a database up to date, each migration in a transaction of its own; the names of those applied."""
    done = []
    for name, script in pending(connection, where):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("CREATE TABLE IF NOT EXISTS migrations (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT")
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute("INSERT INTO migrations (name) VALUES (?)", (name,))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        done.append(name)
    return done


def _statements(script: str) -> list[str]:
    """Single statements: `executescript` would commit the transaction that this runs in."""
    statements, open_lines = [], ""
    for line in script.splitlines(keepends=True):
        open_lines += line
        if line.strip() and sqlite3.complete_statement(open_lines):
            statements.append(open_lines.strip())
            open_lines = ""
    return statements
