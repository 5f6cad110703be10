"""Checksums of lines: what changed by itself is told, what was changed on purpose is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.vectors.reencoding import reencode
from tests.stages.memory.made import ENCODER, line, session_row


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    opened = LongTermMemory(ENCODER, str(tmp_path / "m"))
    opened.start()
    opened.begin_session(session_row())
    opened.add_lines("s1", [line("the ferry leaves", 1), line("at half past nine", 3)], 5 * 10**9)
    opened.stop()
    return tmp_path / "m"


def faults(memory: Path, encoder: HashedWords = ENCODER) -> list[str]:
    opened = LongTermMemory(encoder, str(memory))
    opened.start()
    try:
        return opened.check()
    finally:
        opened.stop()


def changed(memory: Path, *statements: str) -> list[str]:
    """What is found after statements that no trigger saw, as a disk changes bits."""
    with sqlite3.connect(memory / "memory.sqlite") as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, script in triggers:
            connection.execute(script)
    connection.close()
    return faults(memory)


def test_a_whole_memory_has_no_faults(memory: Path) -> None:
    assert faults(memory) == []


@pytest.mark.broken_memory
@pytest.mark.parametrize("column", ["text", "words"])
def test_words_that_changed_by_themselves_are_told(memory: Path, column: str) -> None:
    found = changed(memory, f"UPDATE lines SET {column} = replace({column}, 'f', 'g') WHERE n = 1")
    assert "1 lines that no longer read as they were stored: s1-t1-00001000" in found


@pytest.mark.broken_memory
def test_times_that_changed_by_themselves_are_told(memory: Path) -> None:
    assert any(
        "no longer read as they were stored: s1-t1-00003000" in told
        for told in changed(memory, "UPDATE lines SET start_ns = 1 WHERE n = 2")
    )


@pytest.mark.broken_memory
def test_a_vector_that_changed_by_itself_is_told(memory: Path) -> None:
    found = changed(memory, "UPDATE vectors SET vector = (SELECT vector FROM vectors WHERE n = 2) WHERE n = 1")
    assert "1 vectors that are no longer as they were stored: s1-t1-00001000" in found


@pytest.mark.broken_memory
def test_audio_that_changed_by_itself_is_told(memory: Path) -> None:
    path = memory / "lines/s1/t1-00003000.flac"
    data = bytearray(path.read_bytes())
    data[-3] ^= 8
    path.write_bytes(data)
    assert "1 audio files that are no longer as they were written: lines/s1/t1-00003000.flac" in faults(memory)


@pytest.mark.broken_memory
def test_what_is_changed_on_purpose_is_not_told(memory: Path) -> None:
    with sqlite3.connect(memory / "memory.sqlite") as connection:
        connection.execute("UPDATE lines SET text = 'the train leaves', clip = NULL WHERE n = 1")
        connection.execute("DELETE FROM vectors WHERE n = 2")
        connection.execute("DELETE FROM lines WHERE n = 2")
        assert connection.execute("SELECT n, words, audio FROM line_checksums").fetchall() == [(1, None, None)]
    connection.close()
    assert not [told for told in faults(memory) if "no longer" in told]


def test_another_encoder_gives_other_checksums(memory: Path) -> None:
    encoder = HashedWords(dimension=128)
    reencode(memory, encoder, "flat")
    assert faults(memory, encoder) == []
    with sqlite3.connect(memory / "memory.sqlite") as connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(512) WHERE n = 1")
        assert connection.execute("SELECT n FROM line_checksums WHERE vector IS NULL").fetchall() == [(1,)]
    connection.close()


@pytest.mark.broken_memory
@pytest.mark.parametrize("is_gone", [True, False])
def test_a_database_that_is_gone_or_empty_beside_audio_is_refused(memory: Path, is_gone: bool) -> None:
    path = memory / "memory.sqlite"
    path.unlink() if is_gone else path.write_bytes(b"")
    opened = LongTermMemory(ENCODER, str(memory))
    with pytest.raises(Exception, match=r"memory\.sqlite is (gone|empty), but there is something in lines.*restore it from a copy"):
        opened.start()
    assert len(list((memory / "lines/s1").iterdir())) == 2


def test_lines_stored_beside_ones_that_are_there_get_checksums_of_their_own(memory: Path) -> None:
    opened = LongTermMemory(ENCODER, str(memory))
    opened.start()
    opened.begin_session(session_row())
    opened.add_lines("s1", [line("at half past nine", 3), line("from the pier", 5), line("and back", 7)], 9 * 10**9)
    opened.stop()
    connection = sqlite3.connect(memory / "memory.sqlite")
    stored = connection.execute("SELECT l.n, c.words, c.vector FROM lines l LEFT JOIN line_checksums c ON c.n = l.n").fetchall()
    connection.close()
    assert len(stored) == 4
    assert all(words is not None and vector is not None for _, words, vector in stored)
    assert len({words for _, words, _ in stored}) == 4
    assert faults(memory) == []
