"""People whose names came with transcripts: listed, renamed, merged and split like those whom the memory told apart itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.people.speaker_book import SpeakerError
from stages.memory.tables.row_writer import utc_ns
from stages.memory.transcript_files import export_session, import_transcript
from tests.stages.memory.counted_steps import counted_steps
from tests.stages.memory.people.test_speaker_book import ENCODER, START, begin, line, say, voice, who

Import = Callable[..., str]


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    opened = LongTermMemory(ENCODER)
    opened.start()
    yield opened
    assert opened.check() == []
    opened.stop()


@pytest.fixture
def brought(memory: LongTermMemory, tmp_path: Path) -> Import:
    """Import a talk in which these people say a line each; its session."""

    def bring(name: str, *people: str) -> str:
        file = tmp_path / f"{name}.jsonl"
        rows = [{"start_s": 3 * at, "end_s": 3 * at + 2, "speaker": who_, "text": f"{name} {at}"} for at, who_ in enumerate(people)]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return import_transcript(file, memory, ENCODER, START).session

    return bring


def listed(memory: LongTermMemory) -> list[tuple[str, str, bool, int]]:
    return [(row.id, row.name, row.given, row.n_lines) for row in memory.speakers.rows()]


def test_imported_people_are_listed_with_what_they_said(memory: LongTermMemory, brought: Import) -> None:
    one, two = brought("one", "Ann", "Ben", "Ann"), brought("two", "Ann")
    ann, ben = memory.speakers.rows()
    assert (ann.id, ann.name, ann.given, ann.n_lines, ann.seconds, ann.sessions) == ("Ann", "Ann", True, 3, 6.0, tuple(sorted((one, two))))
    assert (ben.id, ben.n_lines, ben.sessions, ben.imported) == ("Ben", 1, (one,), True)


def test_one_correction_relabels_everything_they_said_and_is_not_undone_by_importing_again(memory: LongTermMemory, brought: Import) -> None:
    one, two = brought("one", "Ann", "Ben", "Ann"), brought("two", "Ann")
    row = memory.speakers.rename("Ann", "Anna Smith")
    assert (row.id, row.name, row.given, row.n_lines, set(row.sessions)) == ("speaker-1", "Anna Smith", True, 3, {one, two})
    assert brought("one", "Ann", "Ben", "Ann") == one
    assert who(memory, one) == ["Anna Smith", "Ben", "Anna Smith"]
    assert who(memory, two) == ["Anna Smith"]
    assert memory.speakers.names() == ["Anna Smith", "Ben"]
    assert {row.speaker for row in memory.tracks()} == {"Anna Smith", "Ben"}
    assert [json.loads(entry)["speaker"] for entry in export_session(memory, two, "jsonl")] == ["Anna Smith"]
    assert listed(memory) == [("speaker-1", "Anna Smith", True, 3), ("Ben", "Ben", True, 1)]
    assert memory.speakers.rename("Anna Smith", "Anna").n_lines == 3


def test_imported_people_merge_with_each_other_and_with_those_who_were_heard(memory: LongTermMemory, brought: Import) -> None:
    one = brought("one", "Ann", "Annie", "Ben")
    assert memory.speakers.merge("Annie", "Ann").n_lines == 2
    assert who(memory, one) == ["Ann", "Ann", "Ben"]
    begin(memory, "s1")
    say(memory, "s1", line(0, voice(1)), line(4, voice(2)))
    heard = memory.speakers.rows()[1].id
    row = memory.speakers.merge("Ben", heard)
    assert (row.id, row.name, row.n_lines, set(row.sessions)) == (heard, "Ben", 2, {one, "s1"})
    say(memory, "s1", line(8, voice(1, 1)))
    other = memory.lines("s1")[1].speaker
    assert other is not None
    assert (memory.speakers.merge(other, "Ann").name, who(memory, "s1")) == ("Ann", ["Ben", "Ann", "Ben"])
    memory.finish_session("s1", 20 * NS_PER_S)
    assert who(memory, "s1") == ["Ben", "Ann", "Ben"]
    assert who(memory, one) == ["Ann", "Ann", "Ben"]
    assert [(row.name, row.n_lines) for row in memory.speakers.rows()] == [("Ann", 3), ("Ben", 3)]


def test_who_has_a_name_here_owns_lines_that_come_under_it(memory: LongTermMemory, brought: Import) -> None:
    begin(memory, "s1")
    say(memory, "s1", line(0, voice(1)))
    memory.speakers.rename("speaker-1", "Ann")
    one = brought("one", "Ann")
    assert listed(memory) == [("speaker-1", "Ann", True, 2)]
    memory.speakers.rename("speaker-1", "Anna")
    assert [*who(memory, "s1"), *who(memory, one)] == ["Anna", "Anna"]


def test_a_name_that_came_with_a_transcript_is_taken(memory: LongTermMemory, brought: Import) -> None:
    begin(memory, "s1")
    say(memory, "s1", line(0, voice(1)))
    brought("one", "Ann Lee", "Ben")
    with pytest.raises(SpeakerError, match=r"name 'ann lee' is taken by Ann Lee; .* echoic speakers merge speaker-1 'Ann Lee'"):
        memory.speakers.rename("speaker-1", "ann lee")
    with pytest.raises(SpeakerError, match="name 'Ben' is taken by Ben"):
        memory.speakers.rename("Ann Lee", "Ben")
    with pytest.raises(SpeakerError, match="names of this form"):
        memory.speakers.rename("Ann Lee", "speaker-1")
    assert [row.id for row in memory.speakers.rows()] == ["speaker-1", "Ann Lee", "Ben"]


def test_numbers_in_transcripts_are_somebody_else_in_each(memory: LongTermMemory, brought: Import) -> None:
    begin(memory, "s1")
    say(memory, "s1", line(0, voice(1)))
    one, two = brought("one", "speaker-1", "Speaker 2"), brought("two", "speaker-1")
    assert {row.id for row in memory.speakers.rows()} == {
        "speaker-1", f"speaker-1@{one}", f"Speaker 2@{one}", f"speaker-1@{two}"
    }  # fmt: skip
    memory.speakers.rename(f"speaker-1@{two}", "Cara")
    memory.speakers.rename("Speaker 2", "Dan")
    memory.speakers.rename("speaker-1", "Ann")
    assert [*who(memory, "s1"), *who(memory, one), *who(memory, two)] == ["Ann", "speaker-1", "Dan", "Cara"]
    assert memory.speakers.rename("Ann", "speaker-1").given is False
    three = brought("three", "Speaker 2")
    brought("four", "Speaker 2")
    with pytest.raises(SpeakerError, match=f"2 speakers are called 'Speaker 2'; say which one: .*Speaker 2@{three}"):
        memory.speakers.rename("Speaker 2", "Eve")


def test_lines_of_an_imported_person_can_be_somebody_elses(memory: LongTermMemory, brought: Import) -> None:
    one = brought("one", "Ann", "Ann", "Ann")
    second = memory.lines(one)[1].id
    new = memory.speakers.split("Ann", [second])
    assert who(memory, one) == ["Ann", new.name, "Ann"]
    memory.speakers.rename(new.id, "Ben")
    assert who(memory, one) == ["Ann", "Ben", "Ann"]


def test_what_cannot_be_done_leaves_them_as_they_were(memory: LongTermMemory, brought: Import) -> None:
    one = brought("one", "Ann", "Ben")
    for call, arguments, message in (
        ("split", ("Ann",), "Ann has 0 lines with a voice, which is too few to part"),
        ("split", ("Ann", [memory.lines(one)[1].id]), "is not one of Ann's"),
        ("split", ("Ann", [memory.lines(one)[0].id]), "Ann: all 1 lines would move"),
        ("rename", ("Ann", ""), "a name must have 1 to 80 printable characters"),
        ("rename", ("Anne", "x"), "speaker 'Anne' is not in this memory; did you mean Ann"),
        ("merge", ("Ann", "Ann"), "are the same speaker, Ann"),
    ):
        with pytest.raises(SpeakerError, match=message):
            getattr(memory.speakers, call)(*arguments)
    assert listed(memory) == [("Ann", "Ann", True, 1), ("Ben", "Ben", True, 1)]


def test_names_are_those_of_the_lines_as_of_any_moment(memory: LongTermMemory, brought: Import) -> None:
    brought("one", "Ann", "Ben", "Ann", "Cleo")
    begin(memory, "live")
    say(memory, "live", line(0.0, voice(1)), line(4.0, voice(2)))
    memory.speakers.rename("Ben", "Benjamin")
    for at_s in (1.0, 2.0, 5.0, 11.0, 1e6):
        at = START + timedelta(seconds=at_s)
        told = {row.speaker for row in memory.lines(at=at)}
        assert memory.speakers.names(utc_ns(at)) == sorted(name for name in told if name)
    assert memory.speakers.names() == ["Ann", "Benjamin", "Cleo", "speaker-1", "speaker-2"]


def test_names_are_found_without_reading_every_line(memory: LongTermMemory, brought: Import) -> None:
    def steps() -> int:
        with memory.findings.database.reading() as connection, counted_steps(connection, 1) as counted:
            assert memory.speakers.names() == ["Ann", "Ben"]
        return counted.count

    brought("one", "Ann", "Ben")
    few = steps()
    brought("two", *["Ann", "Ben"] * 200)
    assert steps() < 2 * few
