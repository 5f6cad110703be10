"""Doctor on the memories that tests make sees what is broken, and leaves alone what it must."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from stages.memory.long_term_memory import LongTermMemory
from tests.stages.memory.made import ENCODER, line, session_row
from tests.whole_memories import MemoryWatch

pytestmark = pytest.mark.broken_memory


def made(directory: Path | str) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory))
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("the ferry leaves", 1.0), line("at half past nine", 3.0)], 5 * 10**9)
    return memory


def damage(directory: Path) -> None:
    connection = sqlite3.connect(directory / "memory.sqlite")
    connection.execute("DELETE FROM vectors WHERE n = 2")
    connection.commit()
    connection.close()


def test_a_memory_that_is_broken_on_the_disk_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    watch = MemoryWatch()
    with watch.watching():
        made(tmp_path / "whole").stop()
        made(tmp_path / "broken").stop()
    damage(tmp_path / "broken")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    watch.examine(None)
    assert watch.faults == [f"{tmp_path / 'broken'}: 1 lines without a vector: s1-t1-00003000"]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_memory_that_another_process_made_is_found_in_the_folder_of_the_test(tmp_path: Path) -> None:
    made(tmp_path / "m").stop()
    damage(tmp_path / "m")
    watch = MemoryWatch()
    watch.examine(tmp_path)
    assert len(watch.faults) == 1


def test_a_memory_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    made(tmp_path / "m").stop()
    (tmp_path / "m/memory.sqlite").write_bytes(b"no database at all" * 400)
    watch = MemoryWatch()
    watch.examine(tmp_path)
    (fault,) = watch.faults
    assert "its database is damaged" in fault


@pytest.mark.parametrize("stopped", [True, False])
def test_a_memory_in_ram_is_examined_as_it_is_stopped_or_at_the_end(stopped: bool) -> None:
    watch = MemoryWatch()
    with watch.watching():
        memory = made("")
        with memory.findings.database.writing() as connection:
            connection.execute("DELETE FROM vectors WHERE n = 2")
        if stopped:
            memory.stop()
    watch.examine(None)
    memory.stop()
    assert watch.faults == ["a memory in RAM: 1 lines without a vector: s1-t1-00003000"]


def test_what_is_held_or_gone_is_left_alone(tmp_path: Path) -> None:
    watch = MemoryWatch()
    with watch.watching():
        held = made(tmp_path / "held")
        damage(tmp_path / "held")
        made(tmp_path / "gone").stop()
        (tmp_path / "gone/memory.sqlite").unlink()
    watch.examine(tmp_path)
    assert watch.faults == []
    held.stop()
    watch.examine(tmp_path)
    assert len(watch.faults) == 1
