"""Vectors are recompressed as they age: less room, hardly another order, the same words, and nothing that an examination minds."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
import zlib
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Float32Array, Line
from stages.memory.erasing.erasure_plan import Selection
from stages.memory.forgetting import vector_ageing
from stages.memory.forgetting.vector_ageing import AgeVectors
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.sleeper import Sleeper
from stages.memory.sleeping.sleep import sleep
from stages.memory.sleeping.sleep_steps import Ageing, sleep_steps
from stages.memory.vectors import stored_vectors, vector_codebook
from stages.memory.vectors.ivf_index import IvfIndex
from stages.memory.vectors.vector_codec import LEFT_ALONE, PQ, SQ8
from stages.memory.vectors.vector_index import IndexKind
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row
from tests.stages.memory.made_older import made_older
from tests.stages.memory.made_vectors import BEGAN_NS, DAY_NS, LATER_NS, add, age, clustered, opened, stored

ROOT = Path(__file__).resolve().parents[4]
KINDS: tuple[IndexKind, ...] = ("flat", "hnsw", "ivf_sq8", "ivf_pq")
VECTORS = clustered(2000)


@pytest.fixture
def small_codebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """PQ for memories of a thousand lines: fewer points a centre than there should be, as the tests need no good ones."""
    monkeypatch.setattr(vector_ageing, "LEAST_VECTORS", 950)
    monkeypatch.setattr(vector_ageing, "MOST_VECTORS", 1000)
    monkeypatch.setattr(vector_codebook, "_N_ITERATIONS", 3)


def best(vectors: Float32Array, query: Float32Array, k: int = 10) -> set[int]:
    return set(np.argsort(-(vectors @ query), kind="stable")[:k].tolist())


def found(memory: LongTermMemory, query: Float32Array, k: int = 10) -> set[int]:
    return {int(hit.line[-8:]) for hit in memory.search_dense(query, k)}


def recall(memory: LongTermMemory, queries: Float32Array) -> float:
    return float(np.mean([len(found(memory, query) & best(VECTORS, query)) / 10 for query in queries]))


def questions(count: int = 60) -> Float32Array:
    """Questions that are a little like some lines."""
    near = VECTORS[:: len(VECTORS) // count] + 1.5 * clustered(len(VECTORS[:: len(VECTORS) // count]), 9)
    unit: Float32Array = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_only_what_is_old_enough_is_recompressed_and_as_often_as_there_is_something_to_do() -> None:
    memory = opened()
    add(memory, VECTORS[:50])
    step = AgeVectors(after_days=30)
    assert step.work(memory, BEGAN_NS + 30 * DAY_NS, 16) == 0
    assert step.work(memory, BEGAN_NS + 30 * DAY_NS + 20 * NS_PER_S, 16) == 16
    assert step.work(memory, BEGAN_NS + 30 * DAY_NS + 20 * NS_PER_S, 16) == 4
    assert step.work(memory, BEGAN_NS + 30 * DAY_NS + 20 * NS_PER_S, 16) == 0
    assert [(len(blob), kind) for _, blob, kind, _ in stored(memory)] == [(393, SQ8)] * 20 + [(1536, 0)] * 30
    # Transcripts of long ago come last and are the oldest.
    add(memory, VECTORS[:5], "s0", STARTED_AT - timedelta(days=400))
    assert step.work(memory, BEGAN_NS + 30 * DAY_NS + 20 * NS_PER_S, 16) == 5
    assert AgeVectors(after_days=0).work(memory, BEGAN_NS + 9000 * DAY_NS, 16) == 0
    assert memory.check() == []
    memory.stop()


@pytest.mark.usefixtures("small_codebooks")
def test_it_takes_a_quarter_of_the_room_and_gives_the_rest_back(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    add(memory, VECTORS)
    before = memory.space.used().database
    assert age(memory) == 2000
    after = memory.space.used().database
    # 1,143 bytes a line are gone from the vectors, and more from what was left free beside them; the rest are words and indexes.
    assert before - after >= 2000 * 1500
    assert age(memory, AgeVectors(30, 40)) == 2000
    least = memory.space.used().database
    assert after - least >= 2000 * 300 - vector_codebook.N_CENTRES * 384 * 4
    assert [len(blob) for _, blob, _, _ in stored(memory)] == [54] * 2000
    assert memory.check() == []
    memory.stop()


def test_lines_of_an_older_version_age_like_all_others(tmp_path: Path) -> None:
    made_older(tmp_path, "2026-11 formats of vectors", ["the ferry leaves", "dogs bark", "we paint"])
    memory = opened(tmp_path)
    assert age(memory) == 3
    assert [(len(blob), kind) for _, blob, kind, _ in stored(memory)] == [(393, SQ8)] * 3
    assert memory.search_dense(ENCODER.encode(["dogs bark"])[0], 1)[0].line == "s1-t1-00010000"
    assert not [told for told in memory.check() if "vector" in told]
    memory.stop()


def test_the_order_of_what_is_found_hardly_changes(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    ids = add(memory, VECTORS)
    exact = memory.vectors(ids)
    age(memory)
    memory.stop()
    assert not (tmp_path / "index").exists()
    again = opened(tmp_path)
    assert recall(again, questions()) >= 0.98
    assert np.abs(again.vectors(ids) - exact).max() < 1.5e-3
    again.stop()


@pytest.mark.usefixtures("small_codebooks")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pq_after_days", [0, 40])
def test_indexes_of_every_kind_stay_in_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: IndexKind, pq_after_days: int) -> None:
    monkeypatch.setattr(IvfIndex.__init__, "__defaults__", (500,))
    memory = opened(tmp_path, kind)
    add(memory, VECTORS[:1200])
    memory.tend_index()
    queries = questions(20)
    before = [memory.search_dense(query, 10) for query in queries]
    memory.stop()
    file = next((tmp_path / "index").iterdir())
    written = file.read_bytes()

    memory = opened(tmp_path, kind)
    age(memory, AgeVectors(30, pq_after_days))
    assert {len(blob) for _, blob, _, _ in stored(memory)} == {54 if pq_after_days else 393}
    with memory.findings.database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM vector_removals").fetchone() == (0,)
    after = [memory.search_dense(query, 10) for query in queries]
    # PQ in the index ranks by the vectors in SQLite, which are rounded now; the others rank by what they hold.
    if kind in ("flat", "hnsw"):
        assert after == before
    elif not pq_after_days:
        same = [len({hit.line for hit in one} & {hit.line for hit in other}) / 10 for one, other in zip(before, after, strict=True)]
        assert float(np.mean(same)) >= 0.98
    examined = memory.examine()
    assert (examined.faults, examined.repairs) == ((), ())
    memory.stop()
    # It was neither added to nor written anew.
    assert file.read_bytes() == written

    shutil.rmtree(tmp_path / "index")
    anew = opened(tmp_path, kind)
    assert len(anew.search_dense(queries[0], 10)) == 10
    examined = anew.examine()
    assert (examined.faults, examined.repairs) == ((), ())
    anew.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_that_holds_others_is_still_told_and_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: IndexKind) -> None:
    monkeypatch.setattr(IvfIndex.__init__, "__defaults__", (500,))
    memory = opened(tmp_path, kind)
    add(memory, VECTORS[:1200])
    memory.tend_index()
    age(memory)
    # Two old vectors have changed places in the table.
    with memory.findings.database.writing() as connection:
        three, four = (connection.execute("SELECT vector FROM vectors WHERE n = ?", (n,)).fetchone()[0] for n in (3, 4))
        connection.executemany("UPDATE vectors SET vector = ? WHERE n = ?", [(four, 3), (three, 4)])
    assert memory.examine().repairs == ("2 rows of the vector index differed from the database: it was built anew",)
    assert memory.examine().repairs == ()
    memory.stop()


def test_reads_as_of_a_moment_stay_as_they_were_but_for_the_rounding(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    add(memory, VECTORS[:300])
    moments = [STARTED_AT + timedelta(seconds=seconds) for seconds in (0, 3, 150, 299)]

    def seen() -> list[dict[str, float]]:
        return [{hit.line: hit.score for hit in memory.search_dense(VECTORS[7], 300, at)} for at in moments]

    before, lines = seen(), [memory.lines(at=at) for at in moments]
    age(memory)
    memory.stop()
    shutil.rmtree(tmp_path / "index")
    memory = opened(tmp_path)
    after = seen()
    assert [len(hits) for hits in after] == [0, 3, 150, 299]
    for one, other in zip(before, after, strict=True):
        assert one.keys() == other.keys()
        assert all(abs(one[name] - other[name]) < 0.01 for name in one)
    assert [memory.lines(at=at) for at in moments] == lines
    memory.stop()


@pytest.mark.broken_memory
def test_checksums_follow_and_what_is_damaged_is_left_as_it_is_and_told() -> None:
    memory = opened()
    add(memory, VECTORS[:40])
    nan = np.full(384, np.nan, dtype="<f4").tobytes()
    with memory.findings.database.writing() as connection:
        connection.execute("UPDATE line_checksums SET vector = vector + 1 WHERE n = 2")
        connection.execute("UPDATE vectors SET vector = ? WHERE n = 5", (nan,))
        connection.execute("UPDATE vectors SET vector = x'0011223344556677' WHERE n = 6")
        connection.execute("UPDATE line_checksums SET vector = NULL WHERE n = 9")
    assert age(memory, limit=4) == 40
    rows = stored(memory)
    assert {n: kind for n, _, kind, _ in rows if kind != SQ8} == {2: LEFT_ALONE, 5: LEFT_ALONE, 6: LEFT_ALONE}
    assert rows[1][1] == VECTORS[1].tobytes()
    assert all(checksum == zlib.crc32(blob) for n, blob, _, checksum in rows if n not in (2, 5, 6, 9))
    assert rows[8][3] is None
    faults = memory.check()
    assert "1 vectors that are no longer as they were stored: s1-t1-00000001" in faults
    assert "1 vectors with numbers that are not finite: s1-t1-00000004" in faults
    assert "1 vectors that are not 384 numbers: s1-t1-00000005" in faults
    memory.stop()


@pytest.mark.broken_memory
def test_a_bit_of_a_recompressed_vector_that_flips_is_told(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    add(memory, VECTORS[:40])
    age(memory)
    memory.stop()
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        connection.execute("DROP TRIGGER line_checksums_of_vectors")
        blob = bytearray(connection.execute("SELECT vector FROM vectors WHERE n = 7").fetchone()[0])
        blob[100] ^= 1
        connection.execute("UPDATE vectors SET vector = ? WHERE n = 7", (bytes(blob),))
    connection.close()
    memory = opened(tmp_path)
    assert memory.check() == ["1 vectors that are no longer as they were stored: s1-t1-00000006"]
    memory.stop()


def test_a_transaction_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = opened()
    add(memory, VECTORS[:40])
    before = stored(memory)

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as then:
        then.setattr(stored_vectors, "mark", broken)
        with pytest.raises(Exception, match="disk I/O error"):
            AgeVectors().work(memory, LATER_NS, 16)
    assert stored(memory) == before
    age(memory)
    assert memory.check() == []
    memory.stop()


def test_killed_again_and_again_it_comes_to_the_same(tmp_path: Path) -> None:
    memory = opened(tmp_path / "cut")
    add(memory, VECTORS[:400])
    memory.search_dense(VECTORS[0], 3)
    memory.stop()
    shutil.copytree(tmp_path / "cut", tmp_path / "whole")
    n_left = 400
    for delay_s in (0.03, 0.1, 0.2):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.stages.memory.made_vectors", str(tmp_path / "cut")], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"at work\n"
        time.sleep(delay_s)
        process.kill()
        process.wait()
        process.stdout.close()
        memory = opened(tmp_path / "cut")
        kinds = [kind for _, _, kind, _ in stored(memory)]
        assert kinds == sorted(kinds, reverse=True)
        n_left = min(n_left, kinds.count(0))
        assert memory.check() == []
        memory.stop()
    assert n_left < 400
    cut, whole = opened(tmp_path / "cut"), opened(tmp_path / "whole")
    age(cut)
    age(whole, limit=7)
    assert stored(cut) == stored(whole)
    cut.stop()
    whole.stop()


@pytest.mark.usefixtures("small_codebooks")
def test_bytes_for_eight_numbers_need_a_codebook_which_needs_many_vectors() -> None:
    memory = opened()
    add(memory, VECTORS[:900])
    step = AgeVectors(30, 40)
    assert age(memory, step) == 900
    assert {kind for _, _, kind, _ in stored(memory)} == {SQ8}
    add(memory, np.concatenate([VECTORS[900:1200], np.zeros((1, 384), dtype=np.float32)]), "s2", STARTED_AT + timedelta(days=1))
    assert age(memory, step, BEGAN_NS + 40 * DAY_NS + 10 * NS_PER_S) == 10 + 301
    assert age(memory, step) == 900 - 10 + 301
    kinds = [kind for _, _, kind, _ in stored(memory)]
    assert kinds == [PQ] * 1200 + [LEFT_ALONE]
    ids = [row.id for row in memory.lines()]
    vectors = memory.vectors(ids)
    assert (vectors[:1200] * VECTORS[:1200]).sum(axis=1).min() > 0.6
    assert not vectors[1200].any()
    assert memory.check() == []
    memory.stop()


@pytest.mark.broken_memory
@pytest.mark.usefixtures("small_codebooks")
def test_a_codebook_that_is_damaged_is_told_and_the_lines_are_found_by_words() -> None:
    memory = opened()
    ids = add(memory, VECTORS[:1100])
    age(memory, AgeVectors(30, 40))
    with memory.findings.database.writing() as connection:
        (centres,) = connection.execute("SELECT centres FROM vector_codebooks").fetchone()
        connection.execute("UPDATE vector_codebooks SET centres = ?, crc32 = crc32 + 1", (centres[::-1],))
    assert not memory.vectors(ids[:3]).any()
    assert "the codebook of the oldest vectors is no longer as it was stored" in memory.check()[0]
    assert [hit.line for hit in memory.search_words("s1word7", 3)] == [ids[7]]
    assert age(memory, AgeVectors(30, 40)) == 0
    memory.stop()


@pytest.mark.usefixtures("small_codebooks")
def test_where_it_cannot_be_done_vectors_stay_a_byte_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_ageing, "LEAST_VECTORS", 10)
    memory = LongTermMemory(HashedWords(dimension=30))
    memory.start()
    add(memory, clustered(300, dimension=30))
    assert age(memory, AgeVectors(30, 40)) == 300
    assert {(len(blob), kind) for _, blob, kind, _ in stored(memory)} == {(41, SQ8)}
    assert memory.check() == []
    memory.stop()


def test_what_is_made_of_vectors_is_made_of_recompressed_ones(tmp_path: Path) -> None:
    """An event whose vector is damaged, one that loses a line, and a short-term memory that is gone through anew."""
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(session_row())
    said = [line("the ferry leaves at nine", 1), line("dogs bark in the snow", 3), line("we paint the fence", 5)]
    memory.add_lines("s1", said, 9 * NS_PER_S)
    memory.add_event("s1", event("e", said))
    age(memory)
    with memory.findings.database.writing() as connection:
        connection.execute("UPDATE events SET vector = x''")
    assert "1 events whose vector is none: s1-e" in memory.examine().repairs
    assert float(event_vector(memory) @ mean_of(said)) > 0.999
    traces, taken = memory.prototypes.take_up("s1")
    assert traces == []
    assert [entry.text for entry in taken] == [entry.transcript.text for entry in said]
    assert all(float(one.vector @ other.embedding) > 0.99 for one, other in zip(taken, said, strict=True))
    done = memory.erasures.erase(memory.erasures.preview(Selection(from_ns=BEGAN_NS, to_ns=BEGAN_NS + 2 * NS_PER_S)).plan)
    assert done.proof.left == []
    weights = [len(entry.transcript.text.split()) for entry in said[1:]]
    assert float(event_vector(memory) @ mean_of(said[1:], weights)) > 0.999
    assert memory.check() == []
    memory.stop()


def event_vector(memory: LongTermMemory) -> Float32Array:
    with memory.findings.database.reading() as connection:
        (blob,) = connection.execute("SELECT vector FROM events").fetchone()
    return np.frombuffer(blob, dtype="<f4").astype(np.float32)


def mean_of(said: list[Line], weights: list[int] | None = None) -> Float32Array:
    mean = np.average([entry.embedding for entry in said], axis=0, weights=weights)
    unit: Float32Array = (mean / np.linalg.norm(mean)).astype(np.float32)
    return unit


def test_sleep_does_it_by_itself_and_a_sleeper_says_when() -> None:
    memory = opened()
    add(memory, VECTORS[:40])
    assert sleep(memory, sleep_steps(), LATER_NS).done["recompressed vectors"] == 40
    add(memory, VECTORS[:3], "s2")
    assert sleep(memory, sleep_steps(ageing=Ageing(recompress_after_days=0)), LATER_NS).done["recompressed vectors"] == 0
    assert sleep(memory, Sleeper(recompress_after_days=100).steps(), LATER_NS).done["recompressed vectors"] == 0
    assert sleep(memory, Sleeper(recompress_after_days=50).steps(), LATER_NS).done["recompressed vectors"] == 3
    memory.stop()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"recompress_after_days": -1}, "recompress_after_days must be 0 .never. to 36500, found -1"),
        ({"pq_after_days": float("nan")}, "pq_after_days must be 0 .never. to 36500, found nan"),
        ({"pq_after_days": 10}, r"pq_after_days must be 0 .never. or at least recompress_after_days \(30\), found 10"),
    ],
)
def test_days_that_cannot_be_are_refused(settings: dict[str, float], told: str) -> None:
    with pytest.raises(MemorySettingsError, match=told):
        Sleeper(**settings)  # type: ignore[arg-type] # numbers for settings that are numbers
    with pytest.raises(MemorySettingsError, match=told):
        AgeVectors(settings.get("recompress_after_days", 30), settings.get("pq_after_days", 0))


def test_what_is_due_is_found_by_an_index() -> None:
    memory = opened()
    with memory.findings.database.reading() as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {vector_ageing._DUE}", (0, 5, 3))]
    assert any("INDEX lines_by_vector" in row for row in plan)
    assert not any("SCAN" in row or "TEMP B-TREE" in row for row in plan)
    memory.stop()
