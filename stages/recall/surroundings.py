"""The lines around others, for one question: a stretch of a session that has been read is not read again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pipeline.packets import Float32Array
from stages.memory.rows import LineRow
from stages.memory.tables.span_reader import SpanReader
from stages.recall.gaps import Span, merged_spans


class Surroundings:
    """Reads what was said around lines, on all tracks, as of one moment; `dimension` is that of their vectors, None without an encoder."""

    def __init__(self, spans: SpanReader, at_ns: int | None, dimension: int | None) -> None:
        self._spans = spans
        self._at_ns = at_ns
        self._dimension = dimension
        self._read: dict[Span, list[LineRow]] = {}
        self._vectors: dict[str, Float32Array] = {}

    def of(self, lines: Sequence[LineRow], reach_ns: int) -> tuple[list[LineRow], dict[str, Float32Array]]:
        """Every line that is not further from some lines than `reach_ns`, by start in each session, and their vectors by id.

        Vectors are float32, shape (dimension,); there are none without an encoder.
        """
        wanted = merged_spans((line.session, line.start_ns - reach_ns, line.end_ns + reach_ns) for line in lines)
        self._take([span for span in wanted if self._around(span) is None])
        found: dict[str, LineRow] = {}
        for span in wanted:
            wide = self._around(span) or span
            found.update((line.id, line) for line in self._read[wide] if line.start_ns < span[2] and line.end_ns > span[1])
        return list(found.values()), {name: self._vectors[name] for name in found if name in self._vectors}

    def _around(self, span: Span) -> Span | None:
        """A stretch that has been read and holds this one."""
        session, start_ns, end_ns = span
        return next((read for read in self._read if read[0] == session and read[1] <= start_ns and end_ns <= read[2]), None)

    def _take(self, spans: Sequence[Span]) -> None:
        """Read stretches, all in one transaction."""
        if not spans:
            return
        if self._dimension is None:
            lines = self._spans.lines(spans, self._at_ns)
        else:
            lines, vectors = self._spans.lines_and_vectors(spans, self._at_ns, self._dimension)
            self._vectors.update(vectors)
        by_session: dict[str, list[LineRow]] = defaultdict(list)
        for line in lines:
            by_session[line.session].append(line)
        for session, start_ns, end_ns in spans:
            inside = [line for line in by_session[session] if line.start_ns < end_ns and line.end_ns > start_ns]
            self._read[session, start_ns, end_ns] = sorted(inside, key=lambda line: line.start_ns)
