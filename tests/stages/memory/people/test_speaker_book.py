from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Float32Array, Line, Track, Transcript, Utterance, Word
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory, MemoryError_
from stages.memory.people import speaker_store, speaker_tables
from stages.memory.people.speaker_book import SpeakerError
from stages.memory.rows import SessionRow
from stages.memory.tables import schema
from stages.memory.transcript_files import export_session, import_transcript

ENCODER = HashedWords()
START = datetime(2026, 11, 22, 10, tzinfo=UTC)


def voice(person: int, variant: int = 0) -> Float32Array:
    """Somebody's voice: two variants of one person have a cosine of 0.9, two people one of 0."""
    value = np.zeros(256, dtype=np.float32)
    value[person] = 1.0
    value[100 + 10 * person + variant] = 1 / 3
    return (value / np.linalg.norm(value)).astype(np.float32)


def line(start_s: float, heard: Float32Array | None, track: str = "mono", azimuth_deg: float | None = None, seconds: float = 3.0) -> Line:
    start_ns, length_ns = int(start_s * NS_PER_S), int(seconds * NS_PER_S)
    text = f"words at {start_s}"
    utterance = Utterance(
        pts_ns=start_ns,
        duration_ns=length_ns,
        samples=np.zeros(160, dtype=np.float32),
        sample_rate_hz=16000,
        track=Track(track, azimuth_deg),
    )
    transcript = Transcript(
        pts_ns=start_ns,
        duration_ns=length_ns,
        utterance=utterance,
        text=text,
        words=(Word(text, start_ns, start_ns + length_ns, 1.0),),
        language="en",
        confidence=1.0,
        voice=heard,
    )
    return Line(pts_ns=start_ns, duration_ns=length_ns, transcript=transcript, embedding=ENCODER.encode([text])[0].copy())


def begin(memory: LongTermMemory, session: str) -> None:
    memory.begin_session(SessionRow(session, session, START, 0, "mono", complete=False))


def say(memory: LongTermMemory, session: str, *lines: Line) -> None:
    for entry in lines:
        memory.add_lines(session, [entry], entry.end_ns)


def who(memory: LongTermMemory, session: str) -> list[str | None]:
    return [row.speaker for row in memory.lines(session)]


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    opened = LongTermMemory(ENCODER)
    opened.start()
    begin(opened, "s1")
    yield opened
    opened.stop()


def test_eight_people_on_one_microphone_are_told_apart_and_numbered_by_first_words(memory: LongTermMemory) -> None:
    order = [3, 1, 4, 1, 5, 9, 2, 6, 8, 3, 9, 5, 2, 6, 8, 4]
    say(memory, "s1", *(line(4 * place, voice(person, place % 4)) for place, person in enumerate(order)))
    memory.finish_session("s1", 100 * NS_PER_S)
    numbers = {person: f"speaker-{number}" for number, person in enumerate(dict.fromkeys(order), start=1)}
    assert len(numbers) == 8
    assert who(memory, "s1") == [numbers[person] for person in order]


def test_the_same_voices_are_the_same_speakers_in_the_next_session_and_new_ones_get_new_numbers(memory: LongTermMemory) -> None:
    say(memory, "s1", line(0, voice(1)), line(4, voice(2)))
    memory.finish_session("s1", 10 * NS_PER_S)
    begin(memory, "s2")
    say(memory, "s2", line(0, voice(3)), line(4, voice(2, 1)), line(8, voice(1, 2)), line(12, voice(3, 1)))
    memory.finish_session("s2", 20 * NS_PER_S)
    assert who(memory, "s2") == ["speaker-3", "speaker-2", "speaker-1", "speaker-3"]
    assert [(row.id, row.n_lines, row.sessions) for row in memory.speakers.rows()] == [
        ("speaker-1", 2, ("s1", "s2")),
        ("speaker-2", 2, ("s1", "s2")),
        ("speaker-3", 2, ("s2",)),
    ]


def test_two_that_turn_out_to_be_one_are_one_at_the_end_and_numbers_close_up(memory: LongTermMemory) -> None:
    strange = (voice(1) + voice(2, 5)).astype(np.float32)
    say(memory, "s1", line(0, strange / np.linalg.norm(strange), seconds=1.0), line(4, voice(2)), line(8, voice(5)))
    say(memory, "s1", *(line(12 + 4 * place, voice(2, place)) for place in range(4)))
    assert who(memory, "s1")[:3] == ["speaker-1", "speaker-2", "speaker-3"]
    connection = memory._database._writer  # what later evidence would have made of the first line
    assert connection is not None
    connection.execute("UPDATE speakers SET voice = (SELECT voice FROM speakers WHERE id = 'speaker-2') WHERE id = 'speaker-1'")
    memory.finish_session("s1", 30 * NS_PER_S)
    assert who(memory, "s1") == ["speaker-1", "speaker-1", "speaker-2", *["speaker-1"] * 4]


def test_a_name_is_shown_everywhere_past_and_future(memory: LongTermMemory) -> None:
    say(memory, "s1", line(0, voice(1)), line(4, voice(2)))
    memory.speakers.rename("speaker-1", " Ann   B ")
    say(memory, "s1", line(8, voice(1, 1)))
    memory.finish_session("s1", 12 * NS_PER_S)
    begin(memory, "s2")
    say(memory, "s2", line(0, voice(1, 3)))
    memory.finish_session("s2", 5 * NS_PER_S)
    assert who(memory, "s1") == ["Ann B", "speaker-2", "Ann B"]
    assert who(memory, "s2") == ["Ann B"]
    assert [row.speaker for row in memory.tracks()] == ["Ann B", "Ann B"]
    assert [json.loads(entry)["speaker"] for entry in export_session(memory, "s1", "jsonl")] == who(memory, "s1")
    assert " Ann_B " in next(export_session(memory, "s2", "rttm"))
    assert memory.speakers.names() == ["Ann B", "speaker-2"]


def test_merged_people_are_one_past_and_future(memory: LongTermMemory) -> None:
    say(memory, "s1", line(0, voice(1)), line(4, voice(2)), line(8, voice(1, 1)))
    memory.speakers.rename("speaker-2", "Ben")
    row = memory.speakers.merge("Ben", "speaker-1")
    assert (row.id, row.name, row.n_lines) == ("speaker-1", "Ben", 3)
    say(memory, "s1", line(12, voice(2, 1)))
    memory.finish_session("s1", 20 * NS_PER_S)
    begin(memory, "s2")
    say(memory, "s2", line(0, voice(1, 2)))
    assert who(memory, "s1")[:3] == ["Ben"] * 3
    assert who(memory, "s2") == ["Ben"]


def test_one_who_is_two_is_parted_by_voice_or_by_lines_and_stays_parted(memory: LongTermMemory) -> None:
    say(memory, "s1", line(0, voice(1)), line(4, voice(2)), line(8, voice(1, 1)), line(12, voice(1, 2)))
    memory.speakers.merge("speaker-2", "speaker-1")
    new = memory.speakers.split("speaker-1")
    assert (new.id, new.n_lines) == ("speaker-2", 1)
    last = memory.lines("s1")[-1].id
    third = memory.speakers.split("speaker-1", [last])
    memory.finish_session("s1", 20 * NS_PER_S)
    assert who(memory, "s1") == ["speaker-1", "speaker-2", "speaker-1", third.id]


def test_names_survive_the_end_of_a_session_that_finds_two_alike(memory: LongTermMemory) -> None:
    say(memory, "s1", line(0, voice(1)), line(4, voice(2)))
    memory.speakers.rename("speaker-1", "Ann")
    memory.speakers.rename("speaker-2", "Ben")
    connection = memory._database._writer
    assert connection is not None
    connection.execute("UPDATE speakers SET voice = (SELECT voice FROM speakers WHERE id = 'speaker-1')")
    memory.finish_session("s1", 10 * NS_PER_S)
    assert {row.name for row in memory.speakers.rows()} == {"Ann", "Ben"}


def test_on_an_array_two_voices_that_sound_alike_stay_two_where_they_talk_at_once(memory: LongTermMemory) -> None:
    say(memory, "s1", line(0, voice(1), "t1", 30.0, 4.0), line(1, voice(1, 1), "t2", 200.0, 4.0))
    memory.finish_session("s1", 10 * NS_PER_S)
    assert who(memory, "s1") == ["speaker-1", "speaker-2"]


def test_who_moved_keeps_their_name(memory: LongTermMemory) -> None:
    say(memory, "s1", line(0, voice(1), "t1", 30.0), line(4, voice(2), "t2", 200.0), line(30, voice(1, 1), "t3", 120.0))
    memory.finish_session("s1", 40 * NS_PER_S)
    assert who(memory, "s1") == ["speaker-1", "speaker-2", "speaker-1"]


def test_nothing_said_twice_counts_twice(memory: LongTermMemory) -> None:
    said = [line(0, voice(1)), line(4, voice(2))]
    say(memory, "s1", *said)
    before = memory.speakers.rows()
    say(memory, "s1", *said)
    assert memory.speakers.rows() == before


def test_copies_are_nobody(memory: LongTermMemory) -> None:
    leaked = line(0, voice(1))
    say(memory, "s1", replace(leaked, transcript=replace(leaked.transcript, copy_of="t9")))
    assert [row.speaker for row in memory.lines("s1", copies=True)] == [None]
    assert memory.speakers.rows() == []


def test_imported_names_stay_and_their_numbers_are_not_given_again(memory: LongTermMemory, tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    file.write_text(
        '{"start_s": 0, "end_s": 2, "speaker": "speaker-1", "text": "a"}\n{"start_s": 3, "end_s": 4, "speaker": "Ann", "text": "b"}\n',
        encoding="utf-8",
    )
    session = import_transcript(file, memory, ENCODER, START).session
    begin(memory, "s2")
    say(memory, "s2", line(0, voice(1)))
    memory.finish_session("s2", 5 * NS_PER_S)
    assert who(memory, session) == ["speaker-1", "Ann"]
    assert who(memory, "s2") == ["speaker-2"]
    assert memory.speakers.names() == ["Ann", "speaker-1", "speaker-2"]


@pytest.mark.parametrize(
    ("call", "arguments", "message"),
    [
        ("rename", ("speaker-11", "Ann"), "speaker 'speaker-11' is not in this memory; did you mean speaker-1 or speaker-2?"),
        ("rename", ("speaker-1", "  "), "name '  ': a name must have 1 to 80 printable characters"),
        ("rename", ("speaker-1", "Speaker-2"), "names of this form are given out by Echoic itself; give speaker-1 another one"),
        (
            "rename",
            ("speaker-1", "ben"),
            "name 'ben' is taken by speaker-2; if both are one person: echoic speakers merge speaker-1 spea",
        ),
        ("merge", ("Ben", "speaker-2"), "'Ben' and 'speaker-2' are the same speaker, speaker-2; merging needs two"),
        ("merge", ("nobody", "speaker-2"), "speaker 'nobody' is not in this memory; `echoic speakers` lists them"),
        ("split", ("speaker-1",), "speaker-1 has 1 lines with a voice, which is too few to part"),
        ("split", ("speaker-1", ["s1-mono-00000000"]), "speaker-1: all 1 lines would move"),
        ("split", ("speaker-1", ["s1-mono-00004000"]), "line 's1-mono-00004000' is not one of speaker-1's; did you mean s1-mono-00000000?"),
    ],
)
def test_what_cannot_be_corrected_is_said_and_changes_nothing(
    memory: LongTermMemory, call: str, arguments: tuple[object, ...], message: str
) -> None:
    say(memory, "s1", line(0, voice(1)), line(4, voice(2)))
    memory.speakers.rename("speaker-2", "Ben")
    before = memory.speakers.rows()
    with pytest.raises(SpeakerError) as caught:
        getattr(memory.speakers, call)(*arguments)
    assert message in str(caught.value)
    assert memory.speakers.rows() == before


@pytest.mark.broken_memory
def test_a_memory_from_before_keeps_its_speakers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = tuple(entry for entry in schema.MIGRATIONS if entry[1] != speaker_tables.TABLES)
    with monkeypatch.context() as then:
        then.setattr(schema, "MIGRATIONS", older[:1])
        database = sqlite3.connect(tmp_path / "memory.sqlite", isolation_level=None)
        schema.migrate(database, "here")
        database.execute(
            "INSERT INTO sessions (id, source, started_at, started_at_ns, duration_ns, array, complete, graph)"
            " VALUES ('old', 'x', '2026-01-01T00:00:00+00:00', 0, 0, 'mono', 1, '')"
        )
        database.execute("INSERT INTO tracks (session, track, speaker) VALUES ('old', 't1', 'speaker-1')")
        database.execute(
            "INSERT INTO lines (id, session, track, start_ns, end_ns, ended_at_ns, text, words, confidence, language, clip_start_ns)"
            " VALUES ('old-t1-0', 'old', 't1', 0, 5, 5, 'hello', '[]', 1, 'en', 0)"
        )
        database.close()
    opened = LongTermMemory(ENCODER, str(tmp_path))
    opened.start()
    try:
        assert who(opened, "old") == ["speaker-1"]
        begin(opened, "s1")
        say(opened, "s1", line(0, voice(1)))
        assert who(opened, "s1") == ["speaker-2"]
    finally:
        opened.stop()


def test_a_new_voice_is_nobody_of_whom_only_words_are_known(memory: LongTermMemory) -> None:
    say(memory, "s1", line(0, None, "t1", 30.0), line(4, None, "t2", 200.0))
    memory.finish_session("s1", 10 * NS_PER_S)
    begin(memory, "s2")
    say(memory, "s2", line(0, voice(1)), line(4, voice(2)), line(8, voice(1, 1)))
    memory.finish_session("s2", 20 * NS_PER_S)
    assert who(memory, "s1") == ["speaker-1", "speaker-2"]
    assert who(memory, "s2") == ["speaker-3", "speaker-4", "speaker-3"]


def know(memory: LongTermMemory, voices: list[Float32Array | None]) -> None:
    """Speakers of earlier sessions, speaker-1 and on."""
    with memory._database.writing() as connection:
        connection.executemany(
            "INSERT INTO speakers (id, number, name, session, voice, seconds, kept) VALUES (?, ?, ?, 's1', ?, 9, 1)",
            [(f"speaker-{n}", n, f"speaker-{n}", None if one is None else one.tobytes()) for n, one in enumerate(voices, start=1)],
        )


def test_only_those_who_may_have_said_a_line_are_looked_at(memory: LongTermMemory) -> None:
    strangers = np.random.default_rng(1).random((300, 256)).astype(np.float32)
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    two_ways = np.stack([voice(7), voice(8)])
    know(memory, [*([None] * 50), *strangers, two_ways])
    begin(memory, "s2")
    say(memory, "s2", line(0, voice(8, 1)), line(4, voice(1)))
    assert who(memory, "s2") == ["speaker-351", "speaker-352"]
    with memory._database.reading() as connection:
        without = speaker_store.candidates(connection, "s2")
        with_voice = speaker_store.candidates(connection, "s2", voice(3))
    assert [entry.id for entry in without] == ["speaker-351", "speaker-352"]
    assert len(with_voice) == 66
    numbers = [int(entry.id.removeprefix("speaker-")) for entry in with_voice]
    assert numbers == sorted(numbers)
    likeness = {f"speaker-{n}": float(one @ voice(3)) for n, one in enumerate(strangers, start=51)}
    least = min(likeness[entry.id] for entry in with_voice if entry.id in likeness)
    assert sum(value > least for value in likeness.values()) == 63


@pytest.mark.parametrize("broken", [np.full(256, np.nan), np.r_[np.inf, np.zeros(255)], np.ones(7)])
def test_a_voice_that_is_not_finite_or_of_another_shape_is_refused_and_spoils_nobody(
    memory: LongTermMemory, broken: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> None:
    say(memory, "s1", line(0, voice(1)), line(4, voice(2)))
    before = memory.speakers.rows()
    with pytest.raises(MemoryError_, match=r"the voice of line s1-mono-00008000 must be finite, shape \((192|256),\); found shape"):
        say(memory, "s1", line(8, broken.astype(np.float32)))
    assert memory.speakers.rows() == before
    assert len(memory.lines("s1")) == 2
    say(memory, "s1", line(12, voice(2, 1)), line(16, voice(1, 1)))
    memory.finish_session("s1", 20 * NS_PER_S)
    assert who(memory, "s1") == ["speaker-1", "speaker-2", "speaker-2", "speaker-1"]
    with memory._database.reading() as connection:
        stored = [row[0] for row in connection.execute("SELECT voice FROM speakers")]
    assert all(np.isfinite(np.frombuffer(blob, dtype="<f4")).all() for blob in stored)
