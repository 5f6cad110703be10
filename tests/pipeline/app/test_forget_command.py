"""`echoic forget` as people give it: asked, refused, done, proved."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.session import SessionReader
from stages.memory.tables.database import WriterLock
from tests.pipeline.app.conftest import Echoic

TALK = "The ferry leaves on Saturday at half past nine."


@pytest.fixture
def imported(echoic: Echoic, transcript: Path, tmp_path: Path) -> Path:
    memory = tmp_path / "memory"
    done = echoic("import", transcript, "--memory", memory, "--config", "minimal", "--started-at", "2026-11-22T10:00:00+00:00")
    assert done.code == 0, done.err
    return memory


def session_of(echoic: Echoic, memory: Path) -> str:
    return str(echoic("sessions", "--memory", memory, "--json").json[0]["id"])


def left(memory: Path, text: str) -> list[str]:
    return [path.name for path in memory.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_person_is_forgotten_and_the_proof_is_told(echoic: Echoic, imported: Path) -> None:
    shown = echoic("forget", "--memory", imported, "--speaker", "ann", "--dry-run")
    assert shown.code == 0
    assert shown.out.startswith("would erase: 2 lines")
    assert left(imported, TALK)
    done = echoic("forget", "--memory", imported, "--speaker", "ann", "--yes")
    assert done.code == 0, done.err
    assert "  lines: 2\n" in done.out
    assert "proved: nothing of it can be found" in done.out
    assert left(imported, TALK) == []
    assert [row["name"] for row in echoic("speakers", "--memory", imported, "--json").json] == ["bob"]
    assert echoic("doctor", "--memory", imported, "--json").json["whole"]


def test_times_count_from_the_start_of_a_session(echoic: Echoic, imported: Path) -> None:
    session = session_of(echoic, imported)
    done = echoic("forget", "--memory", imported, "--session", session, "--from", "+3.2", "--to", "+5.5", "--yes", "--json")
    assert done.code == 0, done.err
    assert (done.json["erased"], done.json["lines"], done.json["proof"]["holds"]) == (True, 1, True)
    assert done.json["spans"] == {session: [[3.2, 5.5]]}
    assert left(imported, "lighthouse") == []
    assert left(imported, "Saturday")
    again = echoic("forget", "--memory", imported, "--sector", "100..140", "--yes")
    assert again.code == 0
    assert again.out == "erased nothing: nothing in this memory fits that\n"
    by_clock = echoic("forget", "--memory", imported, "--from", "2026-11-22T10:00:05.5+00:00", "--dry-run", "--json")
    assert (by_clock.json["erased"], by_clock.json["lines"]) == (False, 1)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "give at least one of --from, --to, --sector A..B, --speaker NAME, --session ID"),
        (("--speaker", "anne"), "did you mean ann?"),
        (("--session", "nowhere"), "session 'nowhere' is not in this memory"),
        (("--sector", "north"), "--sector: found 'north'; give two bearings in degrees"),
        (("--sector", "0..400"), "--sector: found '0..400'"),
        (("--from", "+5"), "say which with --session ID"),
        (("--from", "soon"), "--from: found 'soon'; give a time as ISO 8601"),
        (("--from", "2026-11-22T11:00Z", "--to", "2026-11-22T10:00Z"), "--from must be before --to"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_what_can(echoic: Echoic, imported: Path, given: tuple[str, ...], told: str) -> None:
    for last in ("--yes", "--dry-run"):
        done = echoic("forget", "--memory", imported, *given, last)
        assert done.code == 2
        assert told in done.err


def test_without_anybody_to_ask_it_wants_yes(echoic: Echoic, imported: Path) -> None:
    done = echoic("forget", "--memory", imported, "--speaker", "ann")
    assert done.code == 2
    assert "look at --dry-run first, then give --yes" in done.err
    assert left(imported, TALK)


@pytest.mark.parametrize(("answer", "goes"), [("yes\n", True), ("no\n", False), ("", False)])
def test_on_a_terminal_it_asks(echoic: Echoic, imported: Path, monkeypatch: pytest.MonkeyPatch, answer: str, goes: bool) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

    monkeypatch.setattr(sys, "stdin", Terminal())
    done = echoic("forget", "--memory", imported, "--speaker", "ann")
    assert done.code == 0
    assert TALK in done.err
    assert ("nothing was erased" in done.err) != goes
    assert (left(imported, TALK) == []) == goes


def test_what_is_left_is_named_and_the_command_fails(echoic: Echoic, imported: Path) -> None:
    (imported / "notes.txt").write_text(TALK)
    done = echoic("forget", "--memory", imported, "--speaker", "ann", "--yes")
    assert done.code == 1
    assert "notes.txt" in done.err
    assert "Give the same command again" in done.err
    assert "proved" not in done.out


def test_while_another_process_writes_it_is_refused(echoic: Echoic, imported: Path) -> None:
    lock = WriterLock(imported)
    lock.take()
    done = echoic("forget", "--memory", imported, "--speaker", "ann", "--yes")
    lock.release()
    assert done.code == 2
    assert "is writing to it and a memory has one writer" in done.err
    assert left(imported, TALK)


def test_no_memory_and_an_empty_one_are_told(echoic: Echoic, tmp_path: Path) -> None:
    assert "there is no such directory" in echoic("forget", "--memory", tmp_path / "none", "--speaker", "x", "--yes").err
    done = echoic("forget", "--memory", tmp_path, "--speaker", "x", "--yes")
    assert done.code == 2
    assert "there is nothing to forget" in done.err


def test_a_replayed_recording_is_silent_where_it_was_forgotten(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    session = echoic("replay", mono_file, "--memory", memory, "--config", "minimal").out.strip()
    lines = echoic("export", session, "--memory", memory).out.count("\n")
    done = echoic("forget", "--memory", memory, "--session", session, "--from", "+3", "--to", "+6", "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json["recorded_s"] >= 3.0
    (span,) = done.json["spans"][session]
    with SessionReader(memory / "sessions" / session) as reader:
        first, last = round(span[0] * 16000), round(span[1] * 16000)
        assert not reader.read(first, last - first).any()
        assert reader.read(0, first).any()
        assert "forgotten" in [gap.reason for gap in reader.gaps]
    assert echoic("export", session, "--memory", memory).out.count("\n") < lines
    report = echoic("doctor", "--memory", memory, "--json").json
    assert report["whole"], report
    assert report["repairs"] == []
    gone = echoic("forget", "--memory", memory, "--session", session, "--yes", "--json")
    assert gone.json["proof"]["holds"]
    assert gone.json["sessions"] == [session]
    assert not (memory / "sessions" / session).exists()
    assert echoic("replay", mono_file, "--memory", memory).code == 0
