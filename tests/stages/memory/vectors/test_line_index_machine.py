"""The index of lines beside its database: lines come and go, moments and rows are asked for, it is opened anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.rows import LineRow
from stages.memory.tables import row_writer
from stages.memory.tables.database import Database
from stages.memory.vectors.line_index import LineIndex
from stages.memory.vectors.vector_index import IndexKind
from tests.stages.memory.made import STARTED_AT, session_row

DIMENSION = 16
START_NS = row_writer.utc_ns(STARTED_AT)
KINDS: tuple[IndexKind, ...] = ("flat", "hnsw", "ivf_sq8", "ivf_pq")


class Lines(RuleBasedStateMachine):
    """`known` has the vector, the end and whether it is a copy, of each line by row number; line number k ends after k + 1 seconds."""

    @initialize(kind=st.sampled_from(KINDS), seed=st.integers(0, 3))
    def begin(self, kind: IndexKind, seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self.folder = Path(tempfile.mkdtemp(prefix="echoic-lines-"))
        self.kind = kind
        self.known: dict[int, tuple[Float32Array, int, bool]] = {}
        self.n_lines = 0
        self.database = Database(self.folder / "memory.sqlite", read_only=False)
        self.database.open()
        with self.database.writing() as connection:
            row_writer.add_session(connection, session_row())
        self.index = self._fresh()

    @rule(copies=st.lists(st.booleans(), min_size=1, max_size=20))
    def add(self, copies: list[bool]) -> None:
        first = self.n_lines
        rows = [_row(first + place, is_copy) for place, is_copy in enumerate(copies)]
        vectors = self._vectors(len(rows))
        with self.database.writing() as connection:
            row_writer.add_lines(connection, "s1", rows, vectors)
            numbers = dict(connection.execute("SELECT id, n FROM lines").fetchall())
        for row, vector, is_copy in zip(rows, vectors, copies, strict=True):
            self.known[numbers[row.id]] = (vector, row.end_ns, is_copy)
        self.n_lines += len(rows)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = data.draw(st.lists(st.sampled_from(sorted(self.known)), min_size=1, max_size=12, unique=True))
        with self.database.writing() as connection:
            for row in gone:
                connection.execute("DELETE FROM vectors WHERE n = ?", (row,))
                connection.execute("DELETE FROM lines WHERE n = ?", (row,))
                del self.known[row]

    @rule(is_closed=st.booleans())
    def open_anew(self, is_closed: bool) -> None:
        if is_closed:
            self.index.close()
        self.index = self._fresh()

    @rule()
    def save(self) -> None:
        self.index.tend()
        self.index.save()

    @rule(k=st.integers(1, 8), at=st.one_of(st.none(), st.integers(0, 60)), share=st.one_of(st.none(), st.integers(1, 3)))
    def search(self, k: int, at: int | None, share: int | None) -> None:
        query = self._vectors(1)[0]
        # Rows among which to search come as of the moment, as `rows_among` gives them.
        there = [row for row, (_, end_ns, _) in sorted(self.known.items()) if at is None or end_ns <= at * NS_PER_S]
        some = None if share is None else there[::share]
        at_ns = None if at is None else START_NS + at * NS_PER_S
        may = {
            row: float(vector @ query)
            for row, (vector, end_ns, is_copy) in self.known.items()
            if not is_copy and (at is None or end_ns <= at * NS_PER_S) and (some is None or row in some)
        }
        hits = self.index.search(query, k, at_ns, None if some is None else np.array(some, dtype=np.int64))
        with self.database.reading() as connection:
            ids = dict(connection.execute("SELECT id, n FROM lines").fetchall())
        found = [(ids[hit.line], hit.score) for hit in hits]
        assert {row for row, _ in found} <= may.keys()
        np.testing.assert_allclose([score for _, score in found], [may[row] for row, _ in found], atol=1e-5)
        np.testing.assert_allclose([score for _, score in found], sorted(may.values(), reverse=True)[:k], atol=1e-5)

    @invariant()
    def it_can_be_followed(self) -> None:
        if hasattr(self, "index"):
            self.index.follow()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.index.check()
            self.index.close()
            self.database.close()
            shutil.rmtree(self.folder)

    def _fresh(self) -> LineIndex:
        return LineIndex(self.database, self.folder / "index", self.kind, DIMENSION)

    def _vectors(self, count: int) -> Float32Array:
        vectors = self.generator.standard_normal((count, DIMENSION)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def _row(number: int, is_copy: bool) -> LineRow:
    return LineRow(
        id=f"s1-t1-{number:08d}",
        session="s1",
        track="t1",
        start_ns=number * NS_PER_S,
        end_ns=(number + 1) * NS_PER_S,
        azimuth_deg=None,
        elevation_deg=None,
        speaker=None,
        text=f"line {number}",
        words=(),
        confidence=1.0,
        language="en",
        copy_of="t2" if is_copy else None,
    )


TestLines = Lines.TestCase
TestLines.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
