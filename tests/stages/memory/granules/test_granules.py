"""Events, episodes and days found by meaning; keys apart from values."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.granules import granule_keys, granule_store
from stages.memory.granules.granule_store import GranuleError
from stages.memory.granules.granule_summaries import SummaryKeys
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.memory_errors import MemoryError_
from stages.memory.vectors.reencoding import reencode
from stages.memory.vectors.vector_index import IndexKind, VectorIndexError
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row
from tests.stages.memory.made_older import made_older

THEMES = ("the ferry to the island", "painting the wooden fence", "a recipe for apple cake", "the broken coffee machine")


def query(text: str) -> Float32Array:
    vector: Float32Array = ENCODER.encode([text])[0]
    return vector


def after(seconds: float) -> datetime:
    return STARTED_AT + timedelta(seconds=seconds)


def filled(directory: Path | str = "", index: IndexKind = "flat", n_events: int = 8, session: str = "s1") -> LongTermMemory:
    """Events of three lines, ten seconds each, on the themes in turn; each is known five seconds after its end."""
    memory = LongTermMemory(ENCODER, str(directory) if directory else "", index=index)
    memory.start()
    memory.begin_session(session_row(session))
    for place in range(n_events):
        theme = THEMES[place % len(THEMES)]
        lines = [line(f"{theme} number{place} part{part}", 10.0 * place + 3 * part, audio_s=0.0) for part in range(3)]
        copy = line(f"{theme} number{place} part0", 10.0 * place + 0.5, track="t2", copy_of=lines[0].transcript.key, audio_s=0.0)
        memory.add_lines(session, [*lines, copy], round((10.0 * place + 7) * NS_PER_S))
        memory.add_event(session, event(f"e{place}", lines, closed_s=10.0 * place + 12))
    return memory


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    made = filled()
    yield made
    assert made.check() == []
    made.stop()


def ids(memory: LongTermMemory, text: str, k: int = 3, level: str = "event", at: datetime | None = None) -> list[str]:
    return [found.id for found in memory.granules.search(query(text), k, level, at)]


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf_sq8", "ivf_pq"])
def test_every_level_is_found_and_kept(tmp_path: Path, kind: IndexKind) -> None:
    memory = filled(tmp_path, kind)
    memory.finish_session("s1", 90 * NS_PER_S)
    vector = query("apple cake recipe number6")
    events = memory.granules.search(vector, 3)
    assert (events[0].id, events[0].level, events[0].session, events[0].key) == ("s1-e6", "event", "s1", "lines")
    assert (events[0].start_ns, events[0].end_ns) == (60 * NS_PER_S, 67 * NS_PER_S)
    assert [found.level for level in ("episode", "day") for found in memory.granules.search(vector, 1, level)] == ["episode", "day"]
    assert "recipe" in memory.lines(ids=[memory.granules.search(vector, 1, "line")[0].id])[0].text
    assert memory.check() == []
    memory.stop()
    assert {place.name for place in (tmp_path / "index").iterdir() if place.is_dir()} == {"event", "episode", "day"}
    again = LongTermMemory(ENCODER, str(tmp_path), index=kind, read_only=True)
    again.start()
    assert again.granules.search(vector, 3) == events
    assert again.granules.used_bytes() > 0
    again.stop()


def test_values_are_lines_word_for_word_and_no_copies(memory: LongTermMemory) -> None:
    (found,) = memory.granules.search(query("apple cake"), 1)
    lines = memory.granules.lines(found, 10)
    assert [hit.line for hit in lines] == [row.id for row in memory.lines("s1") if row.event == found.id]
    assert len(lines) == 3
    nearest = memory.granules.lines(found, 1, query("apple cake part2"))
    assert [row.text for row in memory.lines(ids=[nearest[0].line])] == [f"{THEMES[2]} number{found.id[-1]} part2"]
    assert memory.granules.lines(found, 0) == []
    (one,) = memory.granules.search(query("apple cake"), 1, "line")
    assert [hit.line for hit in memory.granules.lines(one, 5)] == [one.id]


def test_a_day_has_the_lines_of_its_episodes_and_events(memory: LongTermMemory) -> None:
    memory.finish_session("s1", 90 * NS_PER_S)
    for level in ("episode", "day"):
        (found,) = memory.granules.search(query("ferry"), 1, level)
        assert len(memory.granules.lines(found, 100)) == 24, level
        nearest = memory.granules.lines(found, 3, query("fence number5"))
        assert {row.event for row in memory.lines(ids=[hit.line for hit in nearest])} <= {"s1-e5", "s1-e1"}
        known = memory.granules.lines(found, 100, at=after(50))
        # Of the episode four events were known by then; of the day none could be told before the session ended.
        assert [row.event for row in memory.lines(ids=[hit.line for hit in known])] == [
            f"s1-e{number}" for number in range(4) for _ in range(3) if level == "episode"
        ]
        assert memory.granules.lines(found, 100, at=after(11)) == []


def test_an_event_of_very_many_lines_costs_no_more(memory: LongTermMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line(f"apple cake part{place}", 300.0 + place, 0.9, audio_s=0.0) for place in range(60)]
    memory.add_lines("s1", lines, 400 * NS_PER_S)
    memory.add_event("s1", event("e99", lines))
    (found,) = memory.granules.search(query("apple cake part50"), 1, among=["s1-e99"])
    assert memory.granules.lines(found, 1, query("apple cake part50"))[0].line.endswith("00350000")
    monkeypatch.setattr(granule_store, "_MOST_ROWS", 40)
    nearest = memory.granules.lines(found, 60, query("apple cake part50"))
    assert len(nearest) == 40
    assert max(hit.line for hit in nearest).endswith("00339000")


def test_what_was_not_known_by_then_is_not_found(memory: LongTermMemory) -> None:
    assert ids(memory, "coffee machine", 8, at=after(41.9)) == ids(memory, "coffee machine", 8, at=after(32))
    assert set(ids(memory, "coffee machine", 8, at=after(42))) == {f"s1-e{place}" for place in range(4)}
    assert ids(memory, "coffee machine", 8, at=after(11.9)) == []
    memory.correct_start("s1", after(3600))
    assert ids(memory, "coffee machine", 8, at=after(42)) == []
    assert len(ids(memory, "coffee machine", 8, at=after(3642))) == 4
    with pytest.raises(GranuleError, match="must carry its UTC offset"):
        memory.granules.search(query("x"), 1, at=datetime(2026, 11, 22, 10))


@pytest.mark.parametrize("few", [10_000, 3, 0])
def test_moments_are_honoured_however_many_events_there_are(memory: LongTermMemory, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    expected = ids(memory, "coffee machine", 2, at=after(42))
    assert expected[0] == "s1-e3"
    monkeypatch.setattr(granule_store, "_MOST_ROWS", few)
    monkeypatch.setattr(granule_store, "_WIDER", (1,))
    assert ids(memory, "coffee machine", 2, at=after(42)) == expected
    assert ids(memory, "coffee machine number7", 1, at=after(12)) == ["s1-e0"]


def test_only_some_may_be_found(memory: LongTermMemory) -> None:
    some = ["s1-e0", "s1-e1", "s1-e5", "nothing"]
    found = memory.granules.search(query("coffee machine"), 9, among=some)
    assert sorted(entry.id for entry in found) == ["s1-e0", "s1-e1", "s1-e5"]
    assert [entry.id for entry in memory.granules.search(query("ferry"), 9, at=after(30), among=some)] == ["s1-e0", "s1-e1"]
    assert memory.granules.search(query("ferry"), 9, among=[]) == []


def test_questions_that_cannot_be_are_refused(memory: LongTermMemory) -> None:
    with pytest.raises(GranuleError, match="level 'week' is not known; allowed are span, line, event, episode, day, prototype"):
        memory.granules.search(query("x"), 1, "week")
    with pytest.raises(VectorIndexError, match="384 finite numbers"):
        memory.granules.search(np.full(384, np.nan, dtype=np.float32), 1)
    assert memory.granules.search(query("x"), 0) == []
    assert memory.granules.search(query("x"), 5, "prototype") == []


def test_a_summary_finds_its_event_and_follows_it(memory: LongTermMemory) -> None:
    telling = "budget negotiations with the harbour office"
    lines = [line("so that is that", 200.0, audio_s=0.0), line("we shall see", 203.0, audio_s=0.0)]
    memory.add_lines("s1", lines, 210 * NS_PER_S)
    memory.add_event("s1", replace(event("e90", lines), summary=telling))
    before = memory.granules.search(query("harbour budget"), 1)
    assert before[0].score < 0.3
    while SummaryKeys().work(memory, 0, 4):
        pass
    (found,) = memory.granules.search(query("harbour budget"), 1)
    assert (found.id, found.key) == ("s1-e90", "summary")
    assert found.score > 0.4
    assert [row.text for row in memory.lines(ids=[hit.line for hit in memory.granules.lines(found, 5)])] == [
        "so that is that",
        "we shall see",
    ]
    assert len(ids(memory, "harbour budget", 20)) == 9, "an event with two keys is found once"
    assert ids(memory, "harbour budget", 1, at=after(203.9)) != ["s1-e90"]
    memory.add_event("s1", replace(event("e90", lines), summary="walking the dog"))
    assert memory.granules.search(query("harbour budget"), 1)[0].score < 0.3, "the key of the old summary is gone at once"
    assert SummaryKeys().work(memory, 0, 100) == 1
    assert memory.granules.search(query("walking the dog"), 1)[0].key == "summary"
    assert SummaryKeys().work(memory, 0, 100) == 0


def test_the_name_of_a_topic_finds_its_episode(memory: LongTermMemory) -> None:
    memory.finish_session("s1", 90 * NS_PER_S)
    (episode,) = [row.id for row in memory.events(level="episode")]
    with memory._database.writing() as connection:
        connection.execute("DELETE FROM topics")
        connection.execute("INSERT INTO topics (event, name, terms) VALUES (?, 'submarine, periscope', '{}')", (episode,))
    while SummaryKeys().work(memory, 0, 3):
        pass
    (found,) = memory.granules.search(query("periscope of a submarine"), 1, "episode")
    assert (found.id, found.key) == (episode, "topic")
    assert len(memory.granules.lines(found, 100)) == 24
    with memory._database.writing() as connection:
        connection.execute("UPDATE topics SET name = 'gardening' WHERE event = ?", (episode,))
    assert memory.granules.search(query("periscope of a submarine"), 1, "episode")[0].key != "topic"
    assert SummaryKeys().work(memory, 0, 100) == 1
    assert memory.granules.search(query("gardening"), 1, "episode")[0].key == "topic"
    with memory._database.writing() as connection:
        connection.execute("DELETE FROM topics WHERE event = ?", (episode,))
    assert memory.granules.search(query("gardening"), 1, "episode")[0].key != "topic"


def test_any_vector_may_be_a_key(memory: LongTermMemory) -> None:
    known_ns = round(after(100).timestamp()) * NS_PER_S
    with memory._database.writing() as connection:
        for name in ("boats", "boats", "cakes"):
            granule_keys.put(connection, "prototype", "mean", name, query(f"prototype of {name}"), known_ns)
    assert [(entry.id, entry.session) for entry in memory.granules.search(query("boats"), 5, "prototype")] == [
        ("boats", None),
        ("cakes", None),
    ]
    assert ids(memory, "boats", 5, "prototype", after(99)) == []
    with memory._database.writing() as connection:
        granule_keys.put(connection, "prototype", "mean", "cakes", query("boats"), known_ns)
        assert granule_keys.erase(connection, "prototype", ["boats"]) == {"keys": 1}
        with pytest.raises(MemoryError_, match="the key mean of x must be finite"):
            granule_keys.put(connection, "prototype", "mean", "x", np.full(384, np.inf, dtype=np.float32), 0)
    (left,) = memory.granules.search(query("boats"), 5, "prototype")
    assert (left.id, round(left.score, 4)) == ("cakes", 1.0)


def test_a_removed_event_leaves_keys_searches_and_files(tmp_path: Path) -> None:
    memory = filled(tmp_path)
    assert ids(memory, "apple cake number6", 1) == ["s1-e6"]
    memory.stop()
    vector = memory_vector(tmp_path, "s1-e6")
    assert vector in (tmp_path / "index" / "event" / "vectors.faiss").read_bytes()
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        connection.execute("DELETE FROM event_lines WHERE event = 's1-e6'")
        connection.execute("DELETE FROM events WHERE id = 's1-e6'")
    connection.close()
    again = LongTermMemory(ENCODER, str(tmp_path))
    again.start()
    again.granules.purge()
    assert vector not in (tmp_path / "index" / "event" / "vectors.faiss").read_bytes()
    assert "s1-e6" not in ids(again, "apple cake number6", 9)
    assert again.check() == []
    again.stop()


def memory_vector(root: Path, name: str) -> bytes:
    with sqlite3.connect(root / "memory.sqlite") as connection:
        (blob,) = connection.execute("SELECT vector FROM events WHERE id = ?", (name,)).fetchone()
    connection.close()
    return bytes(blob)


def test_a_damaged_index_of_events_is_made_anew(tmp_path: Path) -> None:
    memory = filled(tmp_path)
    expected = ids(memory, "apple cake")
    memory.stop()
    file = tmp_path / "index" / "event" / "vectors.faiss"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(bytes(data))
    again = LongTermMemory(ENCODER, str(tmp_path))
    again.start()
    assert ids(again, "apple cake") == expected
    assert again.check() == []
    again.stop()
    file.write_bytes(bytes(data))
    doctor = LongTermMemory(ENCODER, str(tmp_path))
    doctor.start()
    assert doctor.check() == []
    assert file.read_bytes() != bytes(data), "an examination mends the index of a level that nobody asked"
    doctor.stop()
    file.unlink()
    reader = LongTermMemory(ENCODER, str(tmp_path), read_only=True)
    reader.start()
    assert ids(reader, "apple cake") == expected
    reader.stop()
    assert not file.exists(), "a reader writes nothing"


def test_an_older_memory_gets_keys_for_its_events(tmp_path: Path) -> None:
    one, other = made_older(tmp_path, "2026-11 keys of granules", ["the ferry to the island", "a wooden fence"])
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    assert ids(memory, "ferry") == [one, other]
    assert ids(memory, "fence", at=after(5)) == [one]
    assert ids(memory, "fence", at=after(0.5)) == []
    memory.stop()


def test_another_encoder_has_keys_of_its_own(tmp_path: Path) -> None:
    memory = filled(tmp_path)
    while SummaryKeys().work(memory, 0, 100):
        pass
    ids(memory, "ferry")
    memory.stop()

    class Other(HashedWords):
        name = "other"

    other = Other(64)
    assert reencode(tmp_path, other, "flat") is not None
    again = LongTermMemory(other, str(tmp_path))
    again.start()
    assert again.granules.search(other.encode(["ferry island number4"])[0], 1)[0].id == "s1-e4"
    assert SummaryKeys().work(again, 0, 100) == 8
    assert again.check() == []
    again.stop()


@settings(max_examples=25, deadline=None)
@given(
    ends=st.lists(st.integers(1, 90), min_size=1, max_size=12, unique=True),
    moment_s=st.integers(0, 100),
    theme=st.sampled_from(THEMES),
    k=st.integers(1, 14),
)
def test_as_of_any_moment_the_search_is_that_of_every_event_known_by_then(ends: list[int], moment_s: int, theme: str, k: int) -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    vectors = {}
    for place, end_s in enumerate(ends):
        spoken = line(f"{THEMES[place % 4]} number{place}", end_s - 0.5, 0.2, track=f"t{place}", audio_s=0.0)
        memory.add_lines("s1", [spoken], 0)
        memory.add_event("s1", event(f"e{place}", [spoken], closed_s=end_s))
        vectors[f"s1-e{place}"] = (end_s, spoken.embedding)
    vector = query(theme)
    brute = sorted(
        ((-round(float(vector @ own), 5), name) for name, (end_s, own) in vectors.items() if end_s <= moment_s), key=lambda pair: pair[0]
    )
    found = memory.granules.search(vector, k, at=after(moment_s))
    assert [-round(entry.score, 5) for entry in found] == pytest.approx([score for score, _ in brute[:k]], abs=2e-5)
    assert {entry.id for entry in found} <= {name for _, name in brute}
    assert len({entry.id for entry in found}) == len(found)
    memory.stop()
