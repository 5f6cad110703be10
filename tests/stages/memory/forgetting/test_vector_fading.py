"""What is weak loses its audio, then its vector, and never its words; everything that looks for a vector goes on without it."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import NS_PER_S
from stages.answer.extractive import Extractive
from stages.memory.erasing.erasure_plan import Selection
from stages.memory.forgetting import fading
from stages.memory.forgetting.fading import AbsorbRecalls, FadeAudio, FadeVectors
from stages.memory.forgetting.strength_curve import age_at_ns, stability_ns, strength
from stages.memory.forgetting.vector_ageing import AgeVectors
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.short_term_store.short_term import Leaving, ShortTermStore, Trace
from stages.memory.sleeper import Sleeper
from stages.memory.sleeping.sleep import sleep
from stages.memory.sleeping.sleep_steps import Ageing, sleep_steps
from stages.memory.vectors.ivf_index import IvfIndex
from stages.memory.vectors.reencoding import reencode
from stages.memory.vectors.vector_index import IndexKind
from stages.recall.hybrid_recall import HybridRecall
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row
from tests.stages.memory.made_vectors import BEGAN_NS, DAY_NS, add, age, clustered, opened, stored

KINDS: tuple[IndexKind, ...] = ("flat", "hnsw", "ivf_sq8", "ivf_pq")
TEXTS = (
    "the ferry leaves at nine",
    "dogs bark in the snow",
    "we paint the fence green",
    "bees live behind the house",
    "the printer needs toner",
)
FADED_NS = BEGAN_NS + 100 * DAY_NS


class Other(HashedWords):
    """Another encoder."""

    name = "other"


def told(directory: Path, index: IndexKind = "flat") -> LongTermMemory:
    """Five lines with audio, each an event of its own but for the last two, and a prototype of the first two."""
    memory = opened(directory, index)
    memory.begin_session(session_row("s1"))
    said = [line(text, 10.0 * place) for place, text in enumerate(TEXTS)]
    memory.add_lines("s1", said, said[-1].end_ns)
    for place in range(3):
        memory.add_event("s1", event(f"event-{place}", [said[place]]))
    memory.add_event("s1", event("event-3", said[3:]))
    keys = tuple(entry.transcript.key for entry in said[:3])
    memory.prototypes.keep("s1", ShortTermStore(2), [(Leaving(keys[0], 0.0, Trace(keys[0], said[0].embedding, 1.0, 2, keys, 5, 9)), 9)])
    return memory


def fade(memory: LongTermMemory, at_ns: int = FADED_NS, below: float = 0.1) -> None:
    """Let everything fade that is due."""
    for step in (AbsorbRecalls(), FadeAudio(0.25), FadeVectors(below, 0.25)):
        while step.work(memory, at_ns, 2):
            pass


def state(memory: LongTermMemory) -> list[tuple[bool, bool, str]]:
    """Whether each line has its audio and its vector, and its words."""
    query = """
        SELECT l.clip IS NOT NULL, v.n IS NOT NULL, l.text, l.vector_format FROM lines l LEFT JOIN vectors v ON v.n = l.n ORDER BY l.n
    """
    with memory.findings.database.reading() as connection:
        rows = connection.execute(query).fetchall()
    assert all((kind == 3) != has_vector for _, has_vector, _, kind in rows)
    return [(bool(audio), bool(vector), text) for audio, vector, text, _ in rows]


def test_audio_leaves_first_then_the_vector_and_the_words_stay(tmp_path: Path) -> None:
    memory = told(tmp_path)
    ids = [row.id for row in memory.lines("s1")]
    memory.strengths.recalled([ids[0]], BEGAN_NS + 20 * DAY_NS)
    seen = []
    for day in range(0, 200, 5):
        fade(memory, BEGAN_NS + day * DAY_NS)
        seen.append([entry[:2] for entry in state(memory)])
        assert [entry[2] for entry in state(memory)] == list(TEXTS)
        assert memory.check() == []
    steps = {tuple(entry[place] for entry in seen).index((False, True)) for place in range(1, 5)}
    assert steps == {round(np.ceil(age_at_ns(0.25, stability_ns(0)) / DAY_NS / 5))}
    assert seen[-1] == [(False, False)] * 5
    for place in range(5):
        past = [entry[place] for entry in seen]
        # With its audio, without, and without its vector: in this order, and each for a while.
        assert past == sorted(past, reverse=True)
        assert set(past) == {(True, True), (False, True), (False, False)}
    first = [[entry[place] for entry in seen].index((False, False)) for place in (0, 1)]
    assert first[0] > first[1], "what was recalled keeps its vector for longer"
    memory.stop()


def test_a_vector_waits_for_its_audio_to_leave(tmp_path: Path) -> None:
    memory = told(tmp_path)
    assert FadeVectors(0.25, 0.25).work(memory, FADED_NS, 16) == 0
    assert FadeAudio(0.25).work(memory, FADED_NS, 2) == 2
    assert FadeVectors(0.25, 0.25).work(memory, FADED_NS, 16) == 2
    assert [entry[:2] for entry in state(memory)] == [(False, False)] * 2 + [(True, True)] * 3
    memory.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_faded_lines_are_found_by_words_alone_and_the_others_by_meaning_too(tmp_path: Path, kind: IndexKind) -> None:
    memory = told(tmp_path, kind)
    ids = [row.id for row in memory.lines("s1")]
    memory.search_dense(ENCODER.encode(["dogs"])[0], 5)
    memory.stop()
    memory = opened(tmp_path, kind)
    memory.strengths.recalled([ids[0]], FADED_NS - DAY_NS)
    fade(memory)
    assert [hit.line for hit in memory.search_dense(ENCODER.encode(["dogs bark"])[0], 5)] == [ids[0]]
    assert [hit.line for hit in memory.search_words("dogs bark", 5)] == [ids[1]]
    vectors = memory.vectors(ids)
    assert vectors[0] @ ENCODER.encode([TEXTS[0]])[0] > 0.999
    assert not vectors[1:].any()
    examined = memory.examine()
    assert (examined.faults, examined.repairs) == ((), ())
    memory.stop()
    for anew in (False, True):
        if anew:
            shutil.rmtree(tmp_path / "index")
        again = opened(tmp_path, kind)
        assert [hit.line for hit in again.search_dense(ENCODER.encode(["dogs bark"])[0], 5)] == [ids[0]]
        examined = again.examine()
        assert (examined.faults, examined.repairs) == ((), ())
        again.stop()


def test_questions_are_answered_from_the_words_of_faded_lines(tmp_path: Path) -> None:
    memory = told(tmp_path)
    fade(memory)
    assert [entry[1] for entry in state(memory)] == [False] * 5
    recall = HybridRecall(memory, ENCODER, Extractive(ENCODER))
    answer = recall.ask("Who said something about the printer?", now=STARTED_AT + timedelta(days=100)).to_json()
    assert "printer needs toner" in str(answer)
    memory.stop()


def test_what_was_made_of_them_is_found_and_gives_them_back_word_for_word(tmp_path: Path) -> None:
    memory = told(tmp_path)
    ids = [row.id for row in memory.lines("s1")]
    memory.strengths.recalled([ids[4]], FADED_NS - DAY_NS)
    fade(memory)
    query = ENCODER.encode([TEXTS[3]])[0]
    granule = memory.granules.search(query, 1, "event")[0]
    assert granule.id == "s1-event-3"
    hits = memory.granules.lines(granule, 5, query)
    assert [hit.line for hit in hits] == [ids[4], ids[3]]
    assert hits[1].score == 0.0
    assert [hit.line for hit in memory.granules.lines(granule, 1, query)] == [ids[4]]
    sleep(memory, sleep_steps(ageing=Ageing(0.25, 0.1)), FADED_NS)
    assert memory.check() == []
    memory.stop()


def test_an_event_that_loses_a_line_keeps_its_faded_ones_and_a_prototype_without_vectors_goes(tmp_path: Path) -> None:
    memory = told(tmp_path)
    ids = [row.id for row in memory.lines("s1")]
    memory.strengths.recalled([ids[0]], FADED_NS - DAY_NS)
    fade(memory)
    first, last = (Selection(from_ns=BEGAN_NS + at * NS_PER_S, to_ns=BEGAN_NS + (at + 2) * NS_PER_S) for at in (0, 40))
    assert memory.erasures.erase(memory.erasures.preview(last).plan).proof.left == []
    kept = memory.event("s1-event-3")
    assert (kept.summary, kept.start_ns, kept.end_ns) == (TEXTS[3], 30 * NS_PER_S, 31 * NS_PER_S)
    assert len(memory.prototypes.of("s1")) == 1
    # Of the lines that stay none has a vector that a prototype could be made of.
    assert memory.erasures.erase(memory.erasures.preview(first).plan).proof.left == []
    assert memory.prototypes.of("s1") == []
    assert memory.check() == []
    memory.stop()


def test_a_session_that_is_taken_up_again_leaves_faded_lines_out_of_short_term_memory(tmp_path: Path) -> None:
    memory = told(tmp_path)
    ids = [row.id for row in memory.lines("s1")]
    memory.strengths.recalled([ids[2]], FADED_NS - DAY_NS)
    fade(memory)
    with memory.findings.database.writing() as connection:
        connection.execute("DELETE FROM short_terms")
    _, taken = memory.prototypes.take_up("s1")
    assert [entry.text for entry in taken] == [TEXTS[2]]
    memory.stop()


def test_another_encoder_brings_nothing_back(tmp_path: Path) -> None:
    memory = told(tmp_path)
    ids = [row.id for row in memory.lines("s1")]
    memory.strengths.recalled(ids[:2], FADED_NS - DAY_NS)
    fade(memory)
    age(memory, AgeVectors(30), FADED_NS)
    memory.stop()

    with pytest.MonkeyPatch.context() as then:
        then.setattr("stages.memory.vectors.reencoding._switch", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            reencode(tmp_path, Other(64), "flat")
    # Two lines that the new encoder has seen fade before it takes over.
    memory = opened(tmp_path)
    fade(memory, FADED_NS + 300 * DAY_NS, below=0.2)
    assert [entry[1] for entry in state(memory)] == [False] * 5
    memory.stop()
    assert reencode(tmp_path, Other(64), "flat") is not None
    memory = LongTermMemory(Other(64), str(tmp_path))
    memory.start()
    assert [entry[1] for entry in state(memory)] == [False] * 5
    assert memory.check() == []
    memory.stop()


def _interrupted(*_: object) -> int:
    raise KeyboardInterrupt


def test_another_encoder_makes_recompressed_vectors_whole(tmp_path: Path) -> None:
    memory = told(tmp_path)
    age(memory, AgeVectors(30), FADED_NS)
    assert {len(blob) for _, blob, _, _ in stored(memory)} == {393}
    memory.stop()
    assert reencode(tmp_path, Other(64), "flat") is not None
    memory = LongTermMemory(Other(64), str(tmp_path))
    memory.start()
    assert {(len(blob), kind) for _, blob, kind, _ in stored(memory)} == {(256, 0)}
    assert memory.check() == []
    assert age(memory, AgeVectors(30), FADED_NS) == 5
    memory.stop()


def test_a_faded_line_that_is_recalled_grows_stronger_and_stays_without_a_vector(tmp_path: Path) -> None:
    memory = told(tmp_path)
    ids = [row.id for row in memory.lines("s1")]
    fade(memory)
    memory.strengths.recalled([ids[1]], FADED_NS)
    fade(memory, FADED_NS + DAY_NS)
    found = memory.strengths.of([ids[1]], FADED_NS + DAY_NS)[ids[1]]
    assert found == pytest.approx(strength(DAY_NS, stability_ns(0, 1)), abs=1e-6)
    assert not state(memory)[1][1]
    assert memory.check() == []
    memory.stop()


def test_a_crash_between_steps_leaves_a_whole_memory(tmp_path: Path) -> None:
    memory = told(tmp_path)
    memory.search_dense(ENCODER.encode(["dogs"])[0], 5)
    fade(memory)
    # Not stopped: no index is saved, as when the process was killed.
    shutil.copytree(tmp_path, tmp_path.with_name("copy"))
    memory.stop()
    again = opened(tmp_path.with_name("copy"))
    assert again.search_dense(ENCODER.encode(["dogs"])[0], 5) == []
    assert again.check() == []
    again.stop()


@pytest.mark.broken_memory
def test_lines_that_say_nothing_of_their_missing_vectors_are_told(tmp_path: Path) -> None:
    memory = told(tmp_path)
    fade(memory)
    memory.stop()
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        connection.execute("UPDATE lines SET vector_format = 1 WHERE n = 2")
    connection.close()
    memory = opened(tmp_path)
    assert memory.check() == ["1 lines without a vector: s1-t1-00010000"]
    memory.stop()


def test_fading_gives_room_back() -> None:
    memory = opened()
    add(memory, clustered(1000))
    with memory.findings.database.reading() as connection:
        pages = "SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count)"
        (before,) = connection.execute(pages).fetchone()
        assert FadeVectors(0.2, 0.25).work(memory, FADED_NS, 1000) == 1000
        (after,) = connection.execute(pages).fetchone()
    # Two vectors were in a page; numbers of the rows that went stay.
    assert before - after > 480
    memory.stop()


@pytest.mark.parametrize(("vectors_below", "audio_below"), [(0.3, 0.2), (0.1, 0.0), (float("nan"), 0.5), (-0.1, 0.5)])
def test_the_other_order_is_refused(vectors_below: float, audio_below: float) -> None:
    with pytest.raises(MemorySettingsError, match=r"fade_vectors_below must be 0"):
        Sleeper(fade_audio_below=audio_below, fade_vectors_below=vectors_below)
    with pytest.raises(MemorySettingsError, match=r"fade_vectors_below must be 0 .never. to fade_audio_below"):
        FadeVectors(vectors_below, audio_below)


def test_nothing_fades_unless_it_is_asked_for() -> None:
    memory = opened()
    add(memory, clustered(10))
    assert FadeVectors().work(memory, BEGAN_NS + 10_000 * DAY_NS, 16) == 0
    assert sleep(memory, sleep_steps(), BEGAN_NS + 10_000 * DAY_NS).done["faded vectors"] == 0
    assert sleep(memory, Sleeper(fade_audio_below=0.2, fade_vectors_below=0.1).steps(), FADED_NS).done["faded vectors"] == 10
    memory.stop()


def test_what_fades_is_found_by_an_index() -> None:
    memory = opened()
    asked: list[str] = []
    with memory.findings.database.reading() as connection:
        connection.set_trace_callback(asked.append)
        fading._weak(connection, fading._HAS_VECTOR_ALONE, 0.1, FADED_NS, 16)
        connection.set_trace_callback(None)
        plans = [[row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")] for query in asked]
    for plan in plans[:4]:
        assert any("INDEX lines_without_audio" in row for row in plan)
        assert not any("SCAN" in row or "TEMP B-TREE" in row for row in plan)
    memory.stop()


def test_a_search_after_each_fading_does_not_write_the_index_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IvfIndex.__init__, "__defaults__", (500,))
    vectors = clustered(2000)
    memory = opened(tmp_path, "ivf_sq8")
    add(memory, vectors)
    memory.tend_index()
    memory.stop()
    memory = opened(tmp_path, "ivf_sq8")
    file = tmp_path / "index/vectors.ivf"
    written = file.read_bytes()
    for _ in range(5):
        assert FadeVectors(0.2, 0.25).work(memory, FADED_NS, 20) == 20
        assert len(memory.search_dense(vectors[1500], 2000)) < 2000
    memory.stop()
    assert file.read_bytes() == written
    memory = opened(tmp_path, "ivf_sq8")
    assert f"s1-t1-{5:08d}" not in {hit.line for hit in memory.search_dense(vectors[5], 2000)}
    assert memory.check() == []
    # Erasing must not wait: what it removes leaves the file, and what had faded before with it.
    done = memory.erasures.erase(memory.erasures.preview(Selection(from_ns=BEGAN_NS + 1990 * NS_PER_S)).plan)
    assert done.proof.left == []
    assert file.stat().st_size < len(written) - 100 * 384
    memory.stop()
