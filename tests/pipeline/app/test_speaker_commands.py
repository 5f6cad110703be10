from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stages.memory.tables.database import WriterLock
from tests.pipeline.app.conftest import Echoic


@pytest.fixture
def heard(echoic: Echoic, mono_file: Path, tmp_path: Path) -> tuple[Path, str]:
    """A memory of one recording in which somebody made a noise, and its session."""
    memory = tmp_path / "memory"
    done = echoic("replay", mono_file, "--memory", memory, "--config", "minimal")
    assert done.code == 0, done.err
    return memory, done.out.strip()


def test_speakers_are_listed_and_a_name_is_shown_everywhere(echoic: Echoic, heard: tuple[Path, str]) -> None:
    memory, session = heard
    (row,) = echoic("speakers", "--memory", memory, "--json").json
    assert list(row) == ["id", "name", "named", "n_lines", "speech_s", "sessions"]
    assert (row["id"], row["name"], row["named"], row["n_lines"], row["sessions"]) == ("speaker-1", "speaker-1", False, 4, [session])
    assert "speaker-1" in echoic("speakers", "--memory", memory).out
    done = echoic("speakers", "rename", "speaker-1", "Ann", "--memory", memory)
    assert (done.code, done.out) == (0, "speaker-1 is called Ann now, in 4 lines\n")
    exported = echoic("export", session, "--memory", memory).out.splitlines()
    assert {json.loads(entry)["speaker"] for entry in exported} == {"Ann"}
    assert {row["speaker"] for row in echoic("tracks", "--memory", memory, "--json").json} == {"Ann"}
    assert "> <NA> Ann <NA>" in echoic("export", session, "--memory", memory, "--format", "rttm").out
    answer = echoic("ask", "Who spoke?", "--memory", memory, "--json").json
    assert {entry["speaker"] for claim in answer["claims"] for entry in claim["evidence"]} <= {"Ann"}


def test_split_and_merge(echoic: Echoic, heard: tuple[Path, str]) -> None:
    memory, session = heard
    lines = [json.loads(entry)["id"] for entry in echoic("export", session, "--memory", memory).out.splitlines()]
    row = echoic("speakers", "split", "speaker-1", "--lines", f"{lines[1]}, {lines[3]}", "--memory", memory, "--json").json
    assert (row["id"], row["n_lines"]) == ("speaker-2", 2)
    exported = [json.loads(entry)["speaker"] for entry in echoic("export", session, "--memory", memory).out.splitlines()]
    assert exported == ["speaker-1", "speaker-2"] * 2
    done = echoic("speakers", "merge", "speaker-2", "speaker-1", "--memory", memory)
    assert (done.code, done.out) == (0, "speaker-2 is speaker-1 (speaker-1) now, who has 4 lines\n")
    assert [entry["id"] for entry in echoic("speakers", "--memory", memory, "--json").json] == ["speaker-1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rename", "speaker-7", "Ann"), "speaker 'speaker-7' is not in this memory; did you mean speaker-1?"),
        (("rename", "speaker-1", ""), "name '': a name must have 1 to 80 printable characters"),
        (("merge", "speaker-1", "speaker-1"), "are the same speaker, speaker-1; merging needs two"),
        (("split", "speaker-1"), "speaker-1 has 0 lines with a voice, which is too few to part; say which lines: --lines"),
        (("split", "speaker-1", "--lines", " ,"), "--lines: no line is named"),
    ],
)
def test_what_cannot_be_corrected_is_exit_2(echoic: Echoic, heard: tuple[Path, str], arguments: tuple[str, ...], message: str) -> None:
    done = echoic("speakers", *arguments, "--memory", heard[0])
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_memory_is_needed(echoic: Echoic, tmp_path: Path) -> None:
    assert "speakers needs --memory DIR" in echoic("speakers").err
    done = echoic("speakers", "rename", "speaker-1", "Ann", "--memory", tmp_path)
    assert done.code == 2
    assert "nothing was heard in it yet" in done.err


def test_names_of_an_imported_transcript_are_listed_and_corrected_once_for_all(echoic: Echoic, transcript: Path, tmp_path: Path) -> None:
    memory = tmp_path / "imported"
    session = echoic("import", transcript, "--memory", memory, "--config", "minimal").out.strip()
    rows = echoic("speakers", "--memory", memory, "--json").json
    assert [(row["id"], row["name"], row["named"], row["n_lines"]) for row in rows] == [("ann", "ann", True, 2), ("bob", "bob", True, 1)]
    done = echoic("speakers", "rename", "ann", "Ann Lee", "--memory", memory)
    assert (done.code, done.out) == (0, "speaker-1 is called Ann Lee now, in 2 lines\n")
    exported = echoic("export", session, "--memory", memory).out.splitlines()
    assert [json.loads(entry)["speaker"] for entry in exported] == ["Ann Lee", "bob", "Ann Lee"]
    answer = echoic("ask", "What did Ann Lee say about the ferry?", "--memory", memory, "--json").json
    assert {entry["speaker"] for claim in answer["claims"] for entry in claim["evidence"]} == {"Ann Lee"}
    assert echoic("speakers", "merge", "bob", "Ann Lee", "--memory", memory).out == "bob is Ann Lee (speaker-1) now, who has 3 lines\n"
    assert echoic("doctor", "--memory", memory).code == 0


@pytest.mark.parametrize(
    "command", [("speakers", "rename", "speaker-1", "Ann"), ("speakers", "split", "speaker-1"), ("sounds", "name", "a", "b")]
)
def test_while_another_process_writes_it_is_said_what_to_do(echoic: Echoic, heard: tuple[Path, str], command: tuple[str, ...]) -> None:
    lock = WriterLock(heard[0])
    lock.take()
    done = echoic(*command, "--memory", heard[0])
    assert (done.code, done.out) == (2, "")
    assert f"process {os.getpid()} is writing to it and a memory has one writer; stop it (Ctrl-C where it runs, or `kill`" in done.err
    assert "and give the command again, or give another --memory (asking, listing and export work while it runs)" in done.err
    assert "HTTP" not in done.err
    assert echoic("speakers", "--memory", heard[0]).code == 0
    assert echoic("export", heard[1], "--memory", heard[0]).code == 0
    assert echoic("ask", "Who spoke?", "--memory", heard[0]).code == 0
    lock.release()
