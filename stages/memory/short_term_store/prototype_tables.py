"""The tables of prototypes, which short-term memory leaves behind, and of its state in sessions that may be cut short."""

from __future__ import annotations

TABLES = """
CREATE TABLE prototypes (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id),
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    ended_at_ns INTEGER NOT NULL,
    usage REAL NOT NULL,
    n_lines INTEGER NOT NULL,
    vector BLOB NOT NULL
) STRICT;
CREATE INDEX prototypes_by_start ON prototypes (session, start_ns);

CREATE TABLE prototype_lines (
    line TEXT PRIMARY KEY,
    prototype TEXT NOT NULL REFERENCES prototypes (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX prototype_lines_by_prototype ON prototype_lines (prototype);

CREATE TABLE short_terms (
    session TEXT PRIMARY KEY REFERENCES sessions (id),
    last_n INTEGER NOT NULL,
    state BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER keys_of_moved_prototypes AFTER UPDATE OF ended_at_ns ON prototypes WHEN old.ended_at_ns IS NOT new.ended_at_ns BEGIN
    UPDATE keys SET known_at_ns = new.ended_at_ns WHERE value = new.id AND level = 'prototype';
END;
CREATE TRIGGER keys_of_removed_prototypes AFTER DELETE ON prototypes BEGIN
    DELETE FROM prototype_lines WHERE prototype = old.id;
    DELETE FROM keys WHERE value = old.id AND level = 'prototype';
END;
"""
"""SQL of the migration that makes them.

`ended_at_ns` is the moment at which a prototype was known: when it left short-term memory. `last_n` is the line up to which `state`
(`short_term_state.py`) has taken everything; later lines are taken again from `lines` when a session is taken up.
"""
