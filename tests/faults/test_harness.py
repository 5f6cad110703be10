"""The harness sees what it should: lines that are lost, changed or strange, audio that is another, and errors of nobody."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from stages.memory.long_term_memory import LongTermMemory
from tests.faults.fault_bench import is_clear
from tests.faults.memory_dump import dump, stored_lines
from tests.pipeline.app.command_line import Done
from tests.stages.memory.made import ENCODER, line, session_row


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    opened = LongTermMemory(ENCODER, str(tmp_path / "m"))
    opened.start()
    opened.begin_session(session_row())
    opened.add_lines("s1", [line("the ferry leaves", 1), line("at half past nine", 3)], 5 * 10**9)
    opened.stop()
    return tmp_path / "m"


@pytest.mark.broken_memory
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE lines SET text = 'the train leaves' WHERE n = 1", "table lines verbatim: 2 rows against 2; 2 differ"),
        ("UPDATE sessions SET passed_ns = 1", "table sessions: 1 rows against 1; 2 differ"),
        ("DELETE FROM vectors WHERE n = 2", "table vectors: 1 rows against 2; 1 differ"),
    ],
)
def test_a_row_that_differs_is_told(memory: Path, statement: str, told: str) -> None:
    before = dump(memory)
    assert before.differences(dump(memory)) == []
    with sqlite3.connect(memory / "memory.sqlite") as connection:
        connection.execute(statement)
    connection.close()
    assert any(text.startswith(told) for text in dump(memory).differences(before))


@pytest.mark.broken_memory
def test_audio_that_differs_or_is_gone_is_told(memory: Path) -> None:
    before = dump(memory)
    (memory / "lines/s1/t1-00001000.flac").write_bytes(b"x")
    (memory / "lines/s1/t1-00003000.flac").unlink()
    (told,) = dump(memory).differences(before)
    assert told == "audio of lines/s1/t1-00001000.flac, lines/s1/t1-00003000.flac: 2 differ"


def test_what_a_reader_sees_is_told_by_id(memory: Path, tmp_path: Path) -> None:
    assert list(stored_lines(memory)) == ["s1-t1-00001000", "s1-t1-00003000"]
    assert stored_lines(memory) == dump(memory).lines()
    assert stored_lines(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("done", "clear"),
    [
        (Done(1, "", "echoic: the disk is full: make room\n"), True),
        (Done(2, "", "echoic: memory.yaml: not YAML\n"), True),
        (Done(1, "", "echoic: KeyError: 'x' (set ECHOIC_TRACEBACK=1 to see where)\n"), False),
        (Done(1, "", "Traceback (most recent call last):\n"), False),
        (Done(-11, "", ""), False),
    ],
)
def test_an_error_of_nobody_is_not_clear(done: Done, clear: bool) -> None:
    assert is_clear(done) == clear
