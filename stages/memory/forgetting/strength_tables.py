"""The table of recalls, and what finds lines whose audio is due to fade."""

from __future__ import annotations

TABLES = """
CREATE TABLE strengths (
    n INTEGER PRIMARY KEY REFERENCES lines (n) ON DELETE CASCADE,
    n_recalls INTEGER NOT NULL,
    recalled_at_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE recall_spools (
    name TEXT PRIMARY KEY,
    n_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lines_with_audio ON lines (min(3, max(0, CAST(4 * salience AS INTEGER))), ended_at_ns) WHERE clip IS NOT NULL;
"""
"""SQL of the migration that makes them.

`strengths` has a row for each line that was recalled; the strength of all others follows from their end and their salience. `recall_spools`
says up to which byte each file of recalls has been taken up.
"""
