"""What moves the vector of a question: the map itself, its file, and that a search goes by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.answer.extractive import Extractive
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.mpnet import Mpnet
from stages.recall import encoder_fits
from stages.recall.encoder_fits import FOLDER, SearchFit, query_adapter, query_file, relevance_fit
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.memory_recall import RecallSettingsError
from stages.recall.query_adapter import QueryAdapter
from stages.recall.question import parse
from stages.recall.scope import scope_of
from stages.recall.search import Searcher, meaning_of
from tests.stages.recall.room_memory import load_rooms, remember
from tests.stages.recall.test_scope import MOMENTS


def _towards(wanted: Float32Array) -> QueryAdapter:
    """A map that takes every question to about one place."""
    nothing = np.zeros((2, len(wanted)), dtype=np.float32)
    return QueryAdapter(nothing, nothing.T, 100.0 * wanted)


def test_without_a_change_the_vector_stays_where_it_is() -> None:
    generator = np.random.default_rng(0)
    meaning = meaning_of(generator.normal(size=(2, 24)).astype(np.float32))
    down = generator.normal(size=(3, 24)).astype(np.float32)
    same = QueryAdapter(down, np.zeros((24, 3), dtype=np.float32), np.zeros(24, dtype=np.float32))
    assert same.of(meaning) == pytest.approx(meaning, abs=1e-6)


def test_a_moved_vector_is_of_unit_length_and_moved_by_what_it_says() -> None:
    down, up = np.zeros((1, 4), dtype=np.float32), np.zeros((4, 1), dtype=np.float32)
    down[0, 0], up[1, 0] = 1.0, 2.0
    adapter = QueryAdapter(down, up, np.zeros(4, dtype=np.float32))
    moved = adapter.of(np.array([1.0, 0.0, 0.0, 0.0], dtype=np.float32))
    assert moved == pytest.approx(np.array([1.0, 2.0, 0.0, 0.0]) / np.sqrt(5.0))
    assert adapter.of(np.array([0.0, 0.0, 1.0, 0.0], dtype=np.float32)) == pytest.approx([0.0, 0.0, 1.0, 0.0])


def test_a_file_holds_what_was_written(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    parts = (generator.normal(size=shape).astype(np.float16).astype(np.float32) for shape in ((3, 8), (8, 3), (8,)))
    adapter = QueryAdapter(*parts)
    adapter.write(tmp_path / "query.npz")
    read = QueryAdapter.read(tmp_path / "query.npz")
    for name in ("down", "up", "shift"):
        assert np.array_equal(getattr(read, name), getattr(adapter, name))


@pytest.mark.parametrize("fault", ["text", "cut", "part", "shape", "nan"])
def test_what_is_no_such_file_is_told(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "query.npz"
    parts = {"down": np.zeros((2, 8)), "up": np.zeros((8, 2)), "shift": np.zeros(8)}
    if fault == "part":
        del parts["up"]
    if fault == "shape":
        parts["up"] = np.zeros((8, 3))
    if fault == "nan":
        parts["shift"][3] = np.nan
    np.savez(path, allow_pickle=False, **parts)
    if fault == "text":
        path.write_text("down: 1\n", encoding="utf-8")
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"query\.npz: not a query adapter"):
        QueryAdapter.read(path)


def test_an_array_alone_is_no_such_file(tmp_path: Path) -> None:
    with (tmp_path / "query.npz").open("wb") as file:
        np.save(file, np.zeros((2, 8)))
    with pytest.raises(ValueError, match=r"query\.npz: not a query adapter"):
        QueryAdapter.read(tmp_path / "query.npz")


def test_any_byte_may_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "query.npz"
    parts = (np.ones(shape, dtype=np.float32) for shape in ((2, 4), (4, 2), (4,)))
    QueryAdapter(*parts).write(path)
    whole, generator = path.read_bytes(), np.random.default_rng(2)
    told = 0
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= int(generator.integers(1, 256))
        path.write_bytes(damaged)
        try:
            QueryAdapter.read(path)
        except (ValueError, OSError):
            told += 1
    assert told > len(whole) // 6


def test_a_recall_is_not_made_with_what_moves_vectors_of_another_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(HashedWords):
        name = Mpnet.name

    encoder = Own()
    memory = LongTermMemory(encoder)
    with pytest.raises(RecallSettingsError, match=r"have \d+ numbers, and what moves its questions is made for 768"):
        HybridRecall(memory, encoder, Extractive(encoder))
    monkeypatch.setattr(encoder_fits, "FOLDER", tmp_path)
    query_file("damaged").parent.mkdir()
    query_file("damaged").write_bytes(b"PK")
    monkeypatch.setattr(Own, "name", "damaged")
    with pytest.raises(RecallSettingsError, match="not a query adapter"):
        HybridRecall(memory, encoder, Extractive(encoder))


def test_an_encoder_has_its_own_or_none() -> None:
    found = query_adapter(Mpnet.name)
    assert found is not None
    assert found.down.shape[1] == Mpnet.dimension
    assert query_adapter("somebody's own") is None
    assert query_file(Mpnet.name).parent.parent == FOLDER


def test_a_search_goes_by_the_moved_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    """No word of the question is said; moved to where a line lies, it finds that line first."""
    encoder, room = HashedWords(), load_rooms("rooms.yaml")[0]
    memory = LongTermMemory(encoder)
    memory.start()
    try:
        remember(room, memory, encoder)
        wanted = memory.lines()[7]
        sessions = memory.sessions()
        scope = scope_of(parse("zzz", MOMENTS), sessions, {row.id: row.duration_ns for row in sessions})
        before = Searcher(memory, encoder, None).search("qwzrt", "qwzrt", scope)
        fit = SearchFit(_towards(encoder.encode([wanted.text])[0]), relevance_fit(encoder.name))
        given = Searcher(memory, encoder, None, fit).search("qwzrt", "qwzrt", scope)
        monkeypatch.setattr("stages.recall.search.search_fit", {encoder.name: fit}.__getitem__)
        after = Searcher(memory, encoder, None).search("qwzrt", "qwzrt", scope)
    finally:
        memory.stop()
    assert after.lines[0].id == given.lines[0].id == wanted.id
    assert before.lines[0].id != wanted.id
