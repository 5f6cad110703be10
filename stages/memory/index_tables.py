"""What lets the index of vectors follow the database without reading it over: which vectors were removed."""

from __future__ import annotations

REMOVAL_TRIGGER = "CREATE TRIGGER vectors_removed AFTER DELETE ON vectors BEGIN INSERT INTO vector_removals (n) VALUES (old.n); END;"
"""Every vector that goes leaves its number behind."""

TABLES = """
CREATE TABLE vector_removals (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    n INTEGER NOT NULL
) STRICT;
CREATE INDEX vector_removals_by_row ON vector_removals (n);
CREATE TRIGGER vectors_removed AFTER DELETE ON vectors BEGIN
    INSERT INTO vector_removals (n) VALUES (old.n);
END;
CREATE INDEX sessions_unfinished ON sessions (id) WHERE complete = 0;
"""
"""SQL of the migration that makes them. Row numbers are never given twice, so a removal holds for ever."""

REENCODINGS = """
CREATE TABLE reencodings (
    switched INTEGER PRIMARY KEY,
    encoder TEXT NOT NULL,
    dimension INTEGER NOT NULL
) STRICT;
"""
"""SQL of the migration for `echoic reindex`: which encoder is on its way (0), and which the vectors were switched to (1)."""
