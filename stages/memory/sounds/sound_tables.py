"""The tables of sounds: what was heard besides speech, and the groups of sounds that no class fits."""

TABLES = """
CREATE TABLE sound_groups (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE,
    name TEXT,
    prototype BLOB NOT NULL,
    n_heard INTEGER NOT NULL,
    last_heard_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE sounds (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL REFERENCES sessions (id),
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    ended_at_ns INTEGER NOT NULL,
    label TEXT,
    score REAL NOT NULL,
    azimuth_deg REAL,
    elevation_deg REAL,
    vector BLOB NOT NULL,
    sound_group INTEGER REFERENCES sound_groups (n)
) STRICT;
CREATE INDEX sounds_by_start ON sounds (session, start_ns);
CREATE INDEX sounds_by_group ON sounds (sound_group, ended_at_ns);
"""
