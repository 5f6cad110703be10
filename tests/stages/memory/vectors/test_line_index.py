"""The index of a memory in step with its database: removals, moments, kinds."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.memory_errors import MemoryError_
from stages.memory.tables import row_filters
from stages.memory.vectors import line_index
from stages.memory.vectors.ivf_index import IvfIndex
from stages.memory.vectors.vector_index import IndexKind
from tests.stages.memory.made import ENCODER, STARTED_AT, line, session_row

KINDS: tuple[IndexKind, ...] = ("flat", "hnsw", "ivf_sq8", "ivf_pq")


def opened(directory: Path | str = "", index: IndexKind = "ivf_sq8") -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory) if directory else "", index=index)
    memory.start()
    return memory


def filled(directory: Path | str = "", index: IndexKind = "ivf_sq8", count: int = 60) -> LongTermMemory:
    memory = opened(directory, index)
    memory.begin_session(session_row())
    memory.add_lines("s1", [line(f"sentence about subject number{place}", place) for place in range(count)], count * NS_PER_S)
    return memory


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_finds_keeps_and_checks(tmp_path: Path, kind: IndexKind) -> None:
    memory = filled(tmp_path, kind)
    query = ENCODER.encode(["sentence about subject number7"])[0]
    first = memory.search_dense(query, 3)
    assert first[0].line.endswith("00007000")
    memory.stop()
    again = opened(tmp_path, kind)
    assert again.search_dense(query, 3) == first
    assert again.check() == []
    again.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_is_deleted_leaves_search_and_snapshot(tmp_path: Path, kind: IndexKind) -> None:
    memory = filled(tmp_path, kind)
    query = ENCODER.encode(["sentence about subject number59"])[0]
    gone = memory.search_dense(query, 1)[0].line
    memory.stop()
    # Deleted by a process that died before it had touched the index.
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        (row,) = connection.execute("SELECT n FROM lines WHERE id = ?", (gone,)).fetchone()
        connection.execute("DELETE FROM vectors WHERE n = ?", (row,))
        connection.execute("DELETE FROM line_speakers WHERE line = ?", (gone,))
        connection.execute("DELETE FROM lines WHERE n = ?", (row,))
    connection.close()
    again = opened(tmp_path, kind)
    assert gone not in [hit.line for hit in again.search_dense(query, 100)]
    assert len(again.search_dense(query, 100)) == 59
    again.stop()
    last = opened(tmp_path, kind)
    assert last.check() == []
    last.stop()


def test_a_moment_is_kept_however_many_lines_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = filled()
    query = ENCODER.encode(["sentence about subject number55"])[0]
    wanted = {at_s: memory.search_dense(query, 5, STARTED_AT + timedelta(seconds=at_s)) for at_s in (0, 3, 30, 58)}
    assert [len(hits) for hits in wanted.values()] == [0, 3, 5, 5]
    monkeypatch.setattr(row_filters, "MOST_ROWS", 1)
    monkeypatch.setattr(line_index, "_WIDER", (1, 2))
    for at_s, hits in wanted.items():
        found = memory.search_dense(query, 5, STARTED_AT + timedelta(seconds=at_s))
        assert [hit.line for hit in found] == [hit.line for hit in hits]


def test_rows_of_a_time_and_of_a_speaker(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = filled()
    memory.name_tracks("s1", {"t1": "Ann"})
    rows = memory.rows_among({"s1": (10 * NS_PER_S, 12 * NS_PER_S)}, "ann")
    assert rows is not None
    assert 2 <= len(rows) <= 4
    assert memory.rows_among(None, "nobody") is not None
    assert len(memory.rows_among(None, "nobody")) == 0  # type: ignore[arg-type] # just seen
    monkeypatch.setattr(row_filters, "MOST_ROWS", 20)
    assert memory.rows_among(None, "Ann") is None
    assert memory.rows_among({"s1": (0, 60 * NS_PER_S)}) is None


def test_vectors_that_are_not_numbers_are_refused() -> None:
    memory = filled()
    broken = line("broken", 100)
    vector = broken.embedding.copy()
    vector[3] = np.nan
    row = memory.lines("s1")[0]
    with pytest.raises(MemoryError_, match="vectors must be finite"):
        memory.add_rows("s1", [row], vector[None, :], 0)


def test_near_ties_come_in_the_order_of_their_own_vectors_not_of_their_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IvfIndex.__init__, "__defaults__", (200,))
    memory = filled(count=400)
    generator = np.random.default_rng(2)
    query = ENCODER.encode(["sentence about subject number7"])[0]
    vectors = query + 0.4 * generator.standard_normal((400, len(query))).astype(np.float32) / np.sqrt(len(query), dtype=np.float32)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    memory.begin_session(session_row("s2"))
    rows = memory.lines("s1")
    memory.add_rows("s2", [replace(row, id=f"s2-near-{place}", session="s2") for place, row in enumerate(rows)], vectors, 400 * NS_PER_S)
    memory.tend_index()
    best = [f"s2-near-{place}" for place in np.argsort(-(vectors @ query), kind="stable")[:10]]
    found = [hit.line for hit in memory.search_dense(query, 20) if hit.line.startswith("s2-near-")][:10]
    by_codes = [hit.line for hit in memory.search_dense(query, 60) if hit.line.startswith("s2-near-")][:10]
    memory.stop()
    assert found == best
    assert by_codes != best
