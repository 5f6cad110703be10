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

LINE_BLOCKS = """
CREATE TABLE line_blocks (
    block INTEGER PRIMARY KEY,
    first_ended_at_ns INTEGER NOT NULL
) STRICT;
INSERT INTO line_blocks (block, first_ended_at_ns) SELECT n >> 10, min(ended_at_ns) FROM lines GROUP BY n >> 10;
CREATE TRIGGER line_blocks_of_new_lines AFTER INSERT ON lines BEGIN
    INSERT INTO line_blocks (block, first_ended_at_ns) VALUES (new.n >> 10, new.ended_at_ns) ON CONFLICT (block)
        DO UPDATE SET first_ended_at_ns = excluded.first_ended_at_ns WHERE excluded.first_ended_at_ns < first_ended_at_ns;
END;
CREATE TRIGGER line_blocks_of_moved_lines AFTER UPDATE OF ended_at_ns ON lines BEGIN
    INSERT INTO line_blocks (block, first_ended_at_ns) VALUES (new.n >> 10, new.ended_at_ns) ON CONFLICT (block)
        DO UPDATE SET first_ended_at_ns = excluded.first_ended_at_ns WHERE excluded.first_ended_at_ns < first_ended_at_ns;
END;
"""
"""SQL of the migration for reads as of a moment: of 1,024 rows of lines each, the moment before which none of them had ended.

Where lines were removed or moved to later, the moment may be too early, never too late.
"""

LAST_OF_BLOCKS = """
ALTER TABLE line_blocks ADD COLUMN last_ended_at_ns INTEGER NOT NULL DEFAULT 0;
UPDATE line_blocks SET last_ended_at_ns = (SELECT max(ended_at_ns) FROM lines WHERE n BETWEEN block << 10 AND (block << 10) + 1023)
    WHERE EXISTS (SELECT 1 FROM lines WHERE n BETWEEN block << 10 AND (block << 10) + 1023);
DROP TRIGGER line_blocks_of_new_lines;
DROP TRIGGER line_blocks_of_moved_lines;
CREATE TRIGGER line_blocks_of_new_lines AFTER INSERT ON lines BEGIN
    INSERT INTO line_blocks (block, first_ended_at_ns, last_ended_at_ns) VALUES (new.n >> 10, new.ended_at_ns, new.ended_at_ns)
        ON CONFLICT (block) DO UPDATE SET first_ended_at_ns = min(first_ended_at_ns, excluded.first_ended_at_ns),
            last_ended_at_ns = max(last_ended_at_ns, excluded.last_ended_at_ns)
        WHERE excluded.first_ended_at_ns < first_ended_at_ns OR excluded.last_ended_at_ns > last_ended_at_ns;
END;
CREATE TRIGGER line_blocks_of_moved_lines AFTER UPDATE OF ended_at_ns ON lines BEGIN
    INSERT INTO line_blocks (block, first_ended_at_ns, last_ended_at_ns) VALUES (new.n >> 10, new.ended_at_ns, new.ended_at_ns)
        ON CONFLICT (block) DO UPDATE SET first_ended_at_ns = min(first_ended_at_ns, excluded.first_ended_at_ns),
            last_ended_at_ns = max(last_ended_at_ns, excluded.last_ended_at_ns)
        WHERE excluded.first_ended_at_ns < first_ended_at_ns OR excluded.last_ended_at_ns > last_ended_at_ns;
END;
"""
"""SQL of the migration that also notes the moment by which all rows of a block had ended: too late at most, never too early."""
