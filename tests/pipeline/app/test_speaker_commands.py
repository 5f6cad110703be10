from __future__ import annotations

import json
from pathlib import Path

import pytest

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
