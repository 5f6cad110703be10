"""What the tables know of how the vectors of lines are stored, so that sleep finds those that are due by an index."""

from __future__ import annotations

SALIENCE_CLASS = "min(3, max(0, CAST(4 * salience AS INTEGER)))"
"""`strength_curve.salience_class` in SQL, as the indexes over it have it."""

TABLES = f"""
ALTER TABLE lines ADD COLUMN vector_format INTEGER NOT NULL DEFAULT 0;
CREATE INDEX lines_by_vector ON lines (vector_format, ended_at_ns) WHERE vector_format < 2;
CREATE INDEX lines_without_audio ON lines ({SALIENCE_CLASS}, ended_at_ns) WHERE clip IS NULL AND vector_format != 3;
CREATE TABLE vector_codebooks (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    dimension INTEGER NOT NULL,
    centres BLOB NOT NULL,
    crc32 INTEGER NOT NULL
) STRICT;
"""
"""SQL of the migration that makes it.

`lines.vector_format` says how the vector of a line stands in `vectors` (`vector_codec`): 0 float32, 1 SQ8, 2 PQ, 3 gone because the line
faded, 4 left as it is, because it could not be recompressed. `vector_codebooks` has the one codebook that PQ is read with.
"""
