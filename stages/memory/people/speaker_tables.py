"""The tables of who spoke: speakers, and the speaker and voice of each line."""

from __future__ import annotations

TABLES = """
CREATE TABLE speakers (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    given INTEGER NOT NULL DEFAULT 0,
    kept INTEGER NOT NULL DEFAULT 0,
    session TEXT NOT NULL REFERENCES sessions (id),
    voice BLOB,
    seconds REAL NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE line_speakers (
    line TEXT PRIMARY KEY REFERENCES lines (id),
    speaker TEXT NOT NULL REFERENCES speakers (id) ON UPDATE CASCADE,
    confidence REAL NOT NULL,
    by_hand INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX line_speakers_by_speaker ON line_speakers (speaker);

CREATE TABLE line_voices (
    line TEXT PRIMARY KEY REFERENCES lines (id),
    voice BLOB NOT NULL,
    seconds REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE speaker_places (
    session TEXT NOT NULL REFERENCES sessions (id),
    speaker TEXT NOT NULL REFERENCES speakers (id) ON UPDATE CASCADE,
    track TEXT NOT NULL,
    azimuth_deg REAL,
    end_ns INTEGER NOT NULL,
    PRIMARY KEY (session, speaker)
) STRICT, WITHOUT ROWID;
"""
"""SQL of the migration that makes them."""
