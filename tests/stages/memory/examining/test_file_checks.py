"""Recordings and the sessions of a memory: what is missing on either side is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.geometry import ArrayGeometry
from pipeline.packets import NS_PER_S
from pipeline.session import SessionWriter
from pipeline.session_info import SessionInfo
from stages.memory.examining.file_checks import FileChecks
from stages.memory.long_term_memory import LongTermMemory
from tests.stages.memory.made import ENCODER, STARTED_AT, line, session_row


def graph(directory: str) -> str:
    """What a session says of the graph that it was heard with: a memory, and where its recording was kept."""
    recording = {"use": "stages.capture.recording.Recording", "directory": directory, "ring_s": 30.0}
    memory = {"use": "stages.memory.long_term_memory.LongTermMemory", "directory": "/elsewhere"}
    source = {"use": "stages.capture.file_source.FileSource", "path": "/elsewhere/sessions/s1"}
    return yaml.safe_dump({"resources": {"recording": recording, "memory": memory}, "stages": {"source": source}})


def recorded(directory: Path) -> None:
    """A second of noise as a recorded session."""
    geometry = ArrayGeometry(name="mono", sample_rate_hz=16000, positions_m=((0.0, 0.0, 0.0),))
    writer = SessionWriter(directory, SessionInfo(id=directory.name, source="x", array=geometry, started_at=STARTED_AT))
    writer.append(np.random.default_rng(0).uniform(-0.1, 0.1, (1, 16000)).astype(np.float32))
    writer.finish(complete=True)
    writer.close()


def memory_of(root: Path, told: str = "/elsewhere/m/sessions/s1") -> LongTermMemory:
    """A memory of one session that was recorded and heard to its end."""
    memory = LongTermMemory(ENCODER, str(root))
    memory.start()
    memory.begin_session(replace(session_row("s1"), graph=graph(told)))
    memory.add_lines("s1", [line("the ferry leaves", 1)], 2 * NS_PER_S)
    memory.finish_session("s1", 3 * NS_PER_S)
    return memory


def test_a_recording_of_a_session_is_no_news(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    recorded(tmp_path / "sessions" / "s1")
    found = memory.examine()
    assert (found.faults, found.repairs, found.notes, found.is_whole) == ((), (), (), True)
    memory.stop()


@pytest.mark.broken_memory
def test_a_recording_that_is_gone_is_told(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    recorded(tmp_path / "sessions" / "s1")
    shutil.rmtree(tmp_path / "sessions")
    found = memory.examine()
    assert found.faults == ("1 sessions whose recording is gone from sessions/: s1",)
    memory.stop()


@pytest.mark.parametrize("told", ["", "/elsewhere/sessions/s2", "/elsewhere/sessions"])
def test_a_session_that_was_not_recorded_misses_nothing(tmp_path: Path, told: str) -> None:
    memory = memory_of(tmp_path, told)
    assert memory.check() == []
    memory.stop()


@pytest.mark.parametrize("text", ["sessions/s1: [", "sessions/s1", "resources: {a: sessions/s1}", "- sessions/s1"])
def test_a_graph_that_cannot_be_read_says_nothing_of_recordings(tmp_path: Path, text: str) -> None:
    memory = memory_of(tmp_path)
    with memory.findings.database.writing() as connection:
        connection.execute("UPDATE sessions SET graph = ?", (text,))
    assert memory.check() == []
    memory.stop()


def test_a_session_that_has_only_begun_may_have_no_recording_yet(tmp_path: Path) -> None:
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(replace(session_row("s1"), graph=graph("/elsewhere/sessions/s1")))
    assert memory.check() == []
    memory.stop()


@pytest.mark.broken_memory
def test_audio_that_does_not_say_what_it_is_is_told(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    recorded(tmp_path / "sessions" / "s1")
    (tmp_path / "sessions" / "s1" / "session.json").unlink()
    (tmp_path / "sessions" / "empty").mkdir()
    found = memory.examine()
    where = tmp_path / "sessions" / "s1"
    assert found.faults == (f"{where}: there is audio but no session.json; the audio is whole and can be replayed as a file",)
    memory.stop()


def test_a_recording_that_the_memory_does_not_know_is_told_and_is_no_fault(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    for name in ("s1", "s7"):
        recorded(tmp_path / "sessions" / name)
    found = memory.examine()
    assert (found.faults, found.is_whole) == ((), True)
    assert found.notes == ("1 recordings under sessions/ that the memory does not know (`echoic replay` hears them): s7",)
    memory.stop()


def test_audio_that_an_older_version_was_removing_is_removed_and_told(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    recorded(tmp_path / "sessions" / "s1")
    shutil.copytree(tmp_path / "sessions/s1/audio", tmp_path / "sessions/s1/audio.leaving")
    told = "session s1: audio.leaving, audio that was to leave, was still there"
    beside = FileChecks(memory.findings.database, tmp_path, may_repair=False)
    beside.check()
    assert (beside.faults, beside.repairs, beside.notes) == ([], [], [told])
    found = memory.examine()
    assert (found.faults, found.repairs, found.notes) == ((), (f"{told}: removed",), ())
    assert not (tmp_path / "sessions/s1/audio.leaving").exists()
    assert memory.examine().repairs == ()
    memory.stop()
