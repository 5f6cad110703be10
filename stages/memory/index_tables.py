"""What lets the index of vectors follow the database without reading it over: which vectors were removed."""

from __future__ import annotations

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
