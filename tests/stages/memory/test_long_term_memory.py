from __future__ import annotations

import cProfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.packets import NS_PER_S, Gap, Track, Tracks
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory, MemoryError_, MemoryInUse, MemorySettingsError
from stages.memory.rows import SessionRow
from stages.memory.short_term_store.short_term import ShortTermStore
from stages.memory.tables import row_reader
from stages.memory.vectors.vector_index import IndexKind
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row

DOG = line("the dog barks at the postman", 1.0)
CAT = line("cats are quiet animals", 3.0, track="t2", azimuth_deg=200.0)
SHIP = line("the ferry leaves on saturday", 5.0)


def opened(directory: Path | str = "", index: IndexKind = "flat", read_only: bool = False) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory), index, read_only)
    memory.start()
    return memory


@pytest.fixture(params=["ram", "disk"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LongTermMemory]:
    made = opened("" if request.param == "ram" else tmp_path / "m")
    made.begin_session(session_row())
    yield made
    assert made.check() == []
    made.stop()


def test_lines_come_back_as_they_were_said(memory: LongTermMemory) -> None:
    memory.add_lines("s1", [DOG, CAT], CAT.end_ns)
    first, second = memory.lines("s1")
    assert (first.id, first.track, first.start_ns, first.end_ns) == ("s1-t1-00001000", "t1", NS_PER_S, 2 * NS_PER_S)
    assert (first.text, first.azimuth_deg, first.speaker, second.speaker) == (DOG.transcript.text, 10.0, "speaker-1", "speaker-2")
    assert [word.text for word in first.words] == ["the", "dog", "barks", "at", "the", "postman"]
    assert memory.passed_ns("s1") == CAT.end_ns
    assert np.array_equal(memory.vectors([second.id, first.id]), np.stack([CAT.embedding, DOG.embedding]))


def test_a_line_ends_with_its_last_word_where_the_packet_lasts_longer(memory: LongTermMemory) -> None:
    waited = replace(DOG, duration_ns=2 * NS_PER_S, transcript=replace(DOG.transcript, duration_ns=2 * NS_PER_S))
    memory.add_lines("s1", [waited], waited.end_ns)
    (found,) = memory.lines("s1")
    assert (found.start_ns, found.end_ns) == (NS_PER_S, 2 * NS_PER_S)
    assert memory.passed_ns("s1") == waited.end_ns == 3 * NS_PER_S


def test_writing_again_changes_nothing(memory: LongTermMemory) -> None:
    for _ in range(2):
        memory.begin_session(session_row())
        memory.add_lines("s1", [DOG, CAT], CAT.end_ns)
        memory.add_event("s1", event("event-1", [DOG, CAT]))
        memory.add_gap("s1", Gap(pts_ns=5, duration_ns=5, reason="dropped"))
    assert [row.id for row in memory.lines()] == ["s1-t1-00001000", "s1-t2-00003000"]
    assert len(memory.events()) == len(memory.gaps()) == len(memory.sessions()) == 1
    assert len(memory.search_dense(DOG.embedding, 10)) == 2


def test_an_event_may_come_before_its_lines(memory: LongTermMemory) -> None:
    memory.add_event("s1", event("event-1", [DOG, CAT]))
    memory.add_lines("s1", [DOG, CAT], CAT.end_ns)
    assert [row.event for row in memory.lines()] == ["s1-event-1", "s1-event-1"]
    row = memory.event("s1-event-1")
    assert (row.start_ns, row.end_ns, row.tracks, row.reason) == (DOG.pts_ns, CAT.end_ns, ("t1", "t2"), "topic changed")


def test_spans_tracks_and_copies_choose_lines(memory: LongTermMemory) -> None:
    leaked = line("the dog barks at the postman", 1.0, track="t3", copy_of="t1")
    memory.add_lines("s1", [DOG, leaked, CAT, SHIP], SHIP.end_ns)

    def texts(**kwargs: object) -> list[str]:
        return [row.id[3:] for row in memory.lines("s1", **kwargs)]  # type: ignore[arg-type] # a test of many keywords

    assert texts() == ["t1-00001000", "t2-00003000", "t1-00005000"]
    assert texts(start_ns=NS_PER_S + 1, end_ns=3 * NS_PER_S) == ["t1-00001000"]
    assert texts(start_ns=2 * NS_PER_S, end_ns=3 * NS_PER_S) == []
    assert texts(tracks=["t2"]) == ["t2-00003000"]
    assert texts(copies=True, end_ns=2 * NS_PER_S) == ["t1-00001000", "t3-00001000"]
    assert [hit.line for hit in memory.search_words("postman", 5)] == ["s1-t1-00001000"]
    assert "s1-t3-00001000" not in [hit.line for hit in memory.search_dense(DOG.embedding, 5)]
    assert [row.speaker for row in memory.tracks("s1")] == ["speaker-1", None, "speaker-2"]


def test_no_more_lines_are_read_than_are_wanted(memory: LongTermMemory) -> None:
    lines = [line(f"word{place}", place, audio_s=0) for place in range(300)]
    memory.add_lines("s1", lines, lines[-1].end_ns)
    every = memory.lines("s1", start_ns=100 * NS_PER_S, words=False)
    profile = cProfile.Profile()
    profile.enable()
    found = memory.lines("s1", start_ns=100 * NS_PER_S, words=False, most=7)
    profile.disable()
    assert found == every[:7]
    assert sum(entry.callcount for entry in profile.getstats() if entry.code is row_reader._line.__code__) == 7
    # Who names lines gets them all.
    assert memory.lines(ids=[row.id for row in every], most=7) == memory.lines(ids=[row.id for row in every])


def test_many_ids_at_once_keep_their_order(memory: LongTermMemory) -> None:
    lines = [line(f"word{place}", place, audio_s=0) for place in range(1200)]
    memory.add_lines("s1", lines, lines[-1].end_ns)
    ids = [row.id for row in memory.lines("s1")]
    assert len(ids) == 1200
    assert [row.id for row in memory.lines(ids=reversed(ids))] == ids


@pytest.mark.parametrize("index", ["flat", "hnsw"])
def test_searches_find_meaning_and_stems(index: IndexKind) -> None:
    memory = opened(index=index)
    memory.begin_session(session_row())
    memory.add_lines("s1", [DOG, CAT, SHIP], SHIP.end_ns)
    (best, *_) = memory.search_dense(ENCODER.encode(["a dog and a postman"])[0], 2)
    assert best.line == "s1-t1-00001000"
    assert best.score == pytest.approx(float(DOG.embedding @ ENCODER.encode(["a dog and a postman"])[0]), abs=1e-5)
    assert {hit.line for hit in memory.search_words("Who was barking, and which animal?", 5)} == {"s1-t1-00001000", "s1-t2-00003000"}
    assert memory.search_words("?!", 5) == memory.search_words("zebra", 5) == memory.search_words("dog", 0) == []
    memory.stop()


@pytest.mark.parametrize("hostile", ['dog" OR "', "dog NEAR(", "text:dog*", "'; DROP TABLE lines; --", "dog\x00cat", "(((", "^dog AND NOT"])
def test_no_text_is_an_operator(hostile: str) -> None:
    memory = opened()
    memory.begin_session(session_row())
    memory.add_lines("s1", [DOG, line(hostile or "x", 9.0, track="t9")], 10 * NS_PER_S)
    assert isinstance(memory.search_words(hostile, 5), list)
    assert [row.text for row in memory.lines()] == [DOG.transcript.text, hostile]
    assert memory.check() == []
    memory.stop()


def test_as_of_a_moment_nothing_later_is_seen(memory: LongTermMemory) -> None:
    memory.add_lines("s1", [DOG, CAT, SHIP], SHIP.end_ns)
    memory.add_event("s1", event("event-1", [DOG, CAT], closed_s=6.0))
    memory.add_tracks("s1", Tracks(pts_ns=0, duration_ns=5 * NS_PER_S, tracks=(Track(name="t2", azimuth_deg=90.0),)))
    memory.set_passed("s1", 7 * NS_PER_S)
    early, late = STARTED_AT + timedelta(seconds=4), STARTED_AT + timedelta(seconds=6)
    assert [row.id for row in memory.lines(at=early)] == ["s1-t1-00001000", "s1-t2-00003000"]
    assert [row.event for row in memory.lines(at=early)] == [None, None]
    assert memory.events(at=early) == []
    assert len(memory.events(at=late)) == 1
    assert [hit.line for hit in memory.search_dense(SHIP.embedding, 5, at=early)] != []
    assert "s1-t1-00005000" not in [hit.line for hit in memory.search_dense(SHIP.embedding, 5, at=early)]
    assert memory.search_words("ferry", 5, at=early) == []
    assert len(memory.search_words("ferry", 5, at=late)) == 1
    assert memory.tracks(at=early)[1].positions == ()
    assert memory.tracks(at=late)[1].positions == ((5 * NS_PER_S, 90.0),)
    # The same moment in another time zone.
    assert memory.lines(at=early.astimezone(timezone(timedelta(hours=9)))) == memory.lines(at=early)
    with pytest.raises(MemoryError_, match="must carry its UTC offset"):
        memory.lines(at=datetime(2026, 11, 22))


def test_tracks_say_where_and_how_long(memory: LongTermMemory) -> None:
    for second, azimuth in enumerate([355.0, 356.0, 2.0, 10.0, 10.5]):
        memory.add_tracks("s1", Tracks(pts_ns=second * NS_PER_S, duration_ns=NS_PER_S, tracks=(Track(name="t1", azimuth_deg=azimuth),)))
    memory.add_lines("s1", [line("one", 1.0, 1.0, azimuth_deg=350.0), line("two", 3.0, 1.0, azimuth_deg=10.0)], 4 * NS_PER_S)
    (row,) = memory.tracks("s1")
    assert row.positions == ((NS_PER_S, 355.0), (3 * NS_PER_S, 2.0), (4 * NS_PER_S, 10.0))
    assert row.azimuth_deg == pytest.approx(0.0, abs=1e-6)
    assert (row.speech_ns, row.n_lines, row.first_ns, row.last_ns) == (2 * NS_PER_S, 2, NS_PER_S, 4 * NS_PER_S)


def test_audio_of_a_line_stands_beside_the_database(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    memory.add_lines("s1", [DOG], DOG.end_ns)
    (row,) = memory.lines()
    assert row.clip == "lines/s1/t1-00001000.flac"
    samples, rate = soundfile.read(tmp_path / row.clip)
    assert rate == 16000
    assert np.abs(samples - DOG.transcript.utterance.samples).max() < 1e-4
    assert soundfile.info(tmp_path / row.clip).subtype == "PCM_16"
    memory.stop()


@pytest.mark.broken_memory
def test_check_removes_orphans_and_tells_what_is_gone(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    memory.add_lines("s1", [DOG, CAT], CAT.end_ns)
    orphan = tmp_path / "lines/s1/t7-00000001.flac"
    orphan.write_bytes(b"x")
    assert memory.check() == []
    assert not orphan.exists()
    (tmp_path / "lines/s1/t1-00001000.flac").unlink()
    assert memory.check() == ["1 lines whose audio is gone: s1-t1-00001000"]
    memory.stop()


def test_a_second_writer_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    writer.begin_session(session_row())
    import os

    message = f"memory {tmp_path}: process {os.getpid()} is writing to it and a memory has one writer;"
    with pytest.raises(MemoryInUse, match=message):
        opened(tmp_path)
    reader = opened(tmp_path, read_only=True)
    assert reader.lines() == []
    writer.add_lines("s1", [DOG], DOG.end_ns)
    assert len(reader.lines()) == 1
    assert [hit.line for hit in reader.search_dense(DOG.embedding, 3)] == ["s1-t1-00001000"]
    writer.add_lines("s1", [CAT], CAT.end_ns)
    assert len(reader.search_dense(DOG.embedding, 3)) == 2
    with pytest.raises(MemoryError_, match="cannot write, it was opened for reading only"):
        reader.add_lines("s1", [SHIP], SHIP.end_ns)
    assert reader.check() == []
    reader.stop()
    writer.stop()
    opened(tmp_path).stop()


def test_another_encoder_is_refused_with_the_way_out(tmp_path: Path) -> None:
    opened(tmp_path).stop()
    other = LongTermMemory(HashedWords(dimension=64), str(tmp_path))
    with pytest.raises(MemorySettingsError) as caught:
        other.start()
    assert str(caught.value) == (
        f"memory {tmp_path}: it was made with the encoder 'hashed-words' (384 numbers a line), and this config has 'hashed-words' (64);"
        " use a config with 'hashed-words', give another --memory,"
        f" or encode this one anew: echoic reindex --memory {tmp_path} --config CONFIG"
    )
    opened(tmp_path).stop()


@pytest.mark.broken_memory
def test_a_newer_memory_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).stop()
    settings = tmp_path / "memory.yaml"
    settings.write_text(settings.read_text().replace("version: 1", "version: 7"))
    with pytest.raises(MemorySettingsError, match="the memory is of version 7 and this Echoic knows up to 1; update Echoic"):
        opened(tmp_path)


def test_unknown_names_are_told_with_near_ones(memory: LongTermMemory) -> None:
    memory.begin_session(SessionRow("kitchen-1", "k.wav", STARTED_AT, 0, "mono", False))
    with pytest.raises(MemoryError_) as caught:
        memory.session_row("kitchen")
    assert str(caught.value) == (
        "session 'kitchen' is not in this memory, which has 2 sessions; did you mean kitchen-1? `echoic sessions` lists them"
    )
    with pytest.raises(MemoryError_, match="session 'nowhere' is not in this memory; begin_session makes it"):
        memory.set_passed("nowhere", 1)
    with pytest.raises(MemoryError_, match="event 'x' is not in this memory"):
        memory.event("x")
    with pytest.raises(MemoryError_, match="line 'x' is not in this memory"):
        memory.vectors(["x"])
    memory.begin_session(session_row())


def test_bad_sessions_and_vectors_are_refused(memory: LongTermMemory) -> None:
    with pytest.raises(MemoryError_, match="must carry its UTC offset"):
        memory.begin_session(SessionRow("a", "s", datetime(2026, 1, 1), 0, "mono", False))
    with pytest.raises(MemoryError_, match="it names a folder"):
        memory.begin_session(SessionRow("../a", "s", STARTED_AT, 0, "mono", False))
    with pytest.raises(MemoryError_, match="vectors must be finite"):
        memory.add_rows("s1", [], np.full((1, 384), np.nan, dtype=np.float32), 0)
    assert memory.lines() == []


def test_a_session_in_which_nothing_was_said_leaves_nothing(memory: LongTermMemory) -> None:
    memory.begin_session(session_row("empty"))
    memory.add_gap("empty", Gap(pts_ns=0, duration_ns=NS_PER_S, reason="device lost"))
    memory.prototypes.keep("empty", ShortTermStore(8), [])
    memory.drop_empty_session("empty")
    assert "empty" not in {row.id for row in memory.sessions()}
    assert memory.examine().faults == ()
    memory.begin_session(session_row("spoken"))
    memory.add_lines("spoken", [line("somebody spoke")], NS_PER_S)
    with pytest.raises(MemoryError_, match="FOREIGN KEY"):
        memory.drop_empty_session("spoken")
    assert [row.text for row in memory.lines("spoken")] == ["somebody spoke"]


def test_sessions_keep_their_time_zone_and_order(memory: LongTermMemory) -> None:
    zone = timezone(timedelta(hours=2))
    memory.begin_session(SessionRow("s0", "a", datetime(2026, 11, 22, 11, 0, tzinfo=zone), 5, "mono", True))
    rows = memory.sessions()
    assert [row.id for row in rows] == ["s0", "s1"]
    assert rows[0].started_at.utcoffset() == timedelta(hours=2)
    memory.add_lines("s0", [DOG], DOG.end_ns)
    memory.add_lines("s1", [DOG], DOG.end_ns)
    assert [row.session for row in memory.lines()] == ["s0", "s1"]
    assert rows[0].moment(NS_PER_S) == datetime(2026, 11, 22, 9, 0, 1, tzinfo=UTC)
    memory.begin_session(session_row())


def test_threads_ask_while_one_writes(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    faults: list[BaseException] = []
    stop = threading.Event()

    def ask() -> None:
        try:
            while not stop.is_set():
                n_lines = len(memory.lines("s1"))
                assert len(memory.search_words("dog", 1000)) >= n_lines
                assert len(memory.search_dense(DOG.embedding, 1000)) >= n_lines
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for place in range(60):
        memory.add_lines("s1", [line(f"dog number {place}", place, audio_s=0.01)], place * NS_PER_S)
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(memory.search_dense(DOG.embedding, 1000)) == 60
    memory.stop()


def test_finishing_makes_episodes_and_days(memory: LongTermMemory) -> None:
    memory.add_lines("s1", [DOG, CAT, SHIP], SHIP.end_ns)
    memory.add_event("s1", event("event-1", [DOG, CAT]))
    memory.add_event("s1", event("event-2", [SHIP]))
    for _ in range(2):
        memory.finish_session("s1", 8 * NS_PER_S)
        assert memory.sessions()[0].complete
        (episode,) = memory.events(level="episode")
        assert (episode.start_ns, episode.end_ns, episode.tracks) == (DOG.pts_ns, SHIP.end_ns, ("t1", "t2"))
        (day,) = memory.events(level="day")
        assert (day.id, day.reason) == ("s1-day-2026-11-22", "the day 2026-11-22")
    assert len(memory.events(level=None)) == 4
