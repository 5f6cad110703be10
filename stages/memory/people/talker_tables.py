"""The tables of talkers: who of several on one microphone spoke when, and how each of them sounded."""

from __future__ import annotations

TABLES = """
CREATE TABLE talkers (
    session TEXT NOT NULL REFERENCES sessions (id),
    track TEXT NOT NULL,
    talker INTEGER NOT NULL,
    seconds REAL NOT NULL DEFAULT 0,
    voice BLOB,
    speaker TEXT REFERENCES speakers (id) ON UPDATE CASCADE,
    PRIMARY KEY (session, track, talker)
) STRICT, WITHOUT ROWID;
CREATE INDEX talkers_by_speaker ON talkers (speaker);

CREATE TABLE talker_turns (
    session TEXT NOT NULL REFERENCES sessions (id),
    track TEXT NOT NULL,
    talker INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    PRIMARY KEY (session, track, talker, start_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE line_talkers (
    line TEXT PRIMARY KEY REFERENCES lines (id),
    session TEXT NOT NULL REFERENCES sessions (id),
    track TEXT NOT NULL,
    talker INTEGER NOT NULL,
    start_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX line_talkers_by_talker ON line_talkers (session, track, talker, start_ns);
"""
"""SQL of the migration that makes them."""
