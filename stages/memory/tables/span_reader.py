"""Reading many stretches of sessions at once: one transaction for all of them, where a question would begin hundreds."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.packets import Float32Array
from stages.memory.rows import GapRow, LineRow
from stages.memory.tables import row_reader
from stages.memory.tables.database import Database

Span = tuple[str, int, int]
"""A session and two of its times, in nanoseconds."""

_GAPS = """
SELECT g.session, g.start_ns, g.end_ns, g.reason
FROM json_each(:spans) j CROSS JOIN sessions s ON s.id = json_extract(j.value, '$[0]') CROSS JOIN gaps g ON g.session = s.id
WHERE g.end_ns > json_extract(j.value, '$[1]') AND g.start_ns < json_extract(j.value, '$[2]')
      AND (:at IS NULL OR s.started_at_ns + g.end_ns <= :at)
ORDER BY j.key, g.start_ns, g.end_ns
"""
_NEAR = """
SELECT DISTINCT s.id
FROM json_each(:spans) j CROSS JOIN sessions s ON s.id = json_extract(j.value, '$[0]')
WHERE EXISTS (
    SELECT 1 FROM lines l
    WHERE l.session = s.id AND l.copy_of IS NULL AND (:at IS NULL OR l.ended_at_ns <= :at)
          AND l.start_ns < json_extract(j.value, '$[2]') AND l.end_ns > json_extract(j.value, '$[1]')
          AND l.start_ns > json_extract(j.value, '$[1]') - s.longest_line_ns - 1
          AND (abs(l.azimuth_deg - :azimuth) <= :most OR abs(l.azimuth_deg - :azimuth) >= 360.0 - :most))
"""


class SpanReader:
    """Reads what a database holds of many stretches, as of a moment (`at_ns`, nanoseconds since 1970; None: of now)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lines(self, spans: Sequence[Span], at_ns: int | None) -> list[LineRow]:
        """The lines (no copies, without their words) that overlap some spans: span by span, by start, each once."""
        with self._database.reading() as connection:
            return row_reader.lines_in_spans(connection, spans, at_ns, None)[0]

    def lines_and_vectors(self, spans: Sequence[Span], at_ns: int | None, dimension: int) -> tuple[list[LineRow], dict[str, Float32Array]]:
        """The same lines, with their vectors by id, float32, shape (dimension,), 0 where a vector has faded."""
        with self._database.reading() as connection:
            return row_reader.lines_in_spans(connection, spans, at_ns, dimension)

    def gaps(self, spans: Sequence[Span], at_ns: int | None) -> list[GapRow]:
        """What was lost in some spans, span by span, by start."""
        with self._database.reading() as connection:
            return [GapRow(*row) for row in connection.execute(_GAPS, {"spans": json.dumps(spans), "at": at_ns})]

    def with_talkers_near(self, spans: Sequence[Span], azimuth_deg: float, most_deg: float, at_ns: int | None) -> frozenset[str]:
        """The sessions in whose spans a line (no copy) lies at most so many degrees from a bearing, in [0, 360)."""
        asked = {"spans": json.dumps(spans), "azimuth": azimuth_deg, "most": most_deg, "at": at_ns}
        with self._database.reading() as connection:
            return frozenset(row[0] for row in connection.execute(_NEAR, asked))

    def passed_ns(self) -> dict[str, int]:
        """For each session the time before which every line that ended is stored, as `LongTermMemory.passed_ns` has it."""
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT id, passed_ns FROM sessions").fetchall())
