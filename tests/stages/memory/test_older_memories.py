"""Memories of the version before, opened for reading only: brought up to date on the way, or refused with the way out."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from stages.memory.long_term_memory import LongTermMemory, MemoryInUse, MemorySettingsError
from stages.memory.memory_settings import MemorySettings
from stages.memory.tables import schema
from stages.memory.tables.database import WriterLock
from tests.stages.memory.made import ENCODER


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory with one line, whose tables are those of the first version."""
    with monkeypatch.context() as then:
        then.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
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
    MemorySettings(ENCODER.name, ENCODER.dimension, "flat").save(tmp_path)
    return tmp_path


def migrations(directory: Path) -> list[str]:
    database = sqlite3.connect(directory / "memory.sqlite")
    names = schema.applied(database)
    database.close()
    return names


@pytest.mark.broken_memory
def test_a_reader_brings_tables_up_to_date_and_gives_the_writers_place_back(older: Path) -> None:
    reader = LongTermMemory(ENCODER, str(older), read_only=True)
    reader.start()
    assert [(row.text, row.speaker) for row in reader.lines()] == [("hello", "speaker-1")]
    assert reader.sounds.rows() == []
    assert migrations(older) == [name for name, _ in schema.MIGRATIONS]
    writer = LongTermMemory(ENCODER, str(older))
    writer.start()
    writer.stop()
    reader.stop()


@pytest.mark.broken_memory
def test_while_another_process_writes_it_is_refused_with_the_way_out(older: Path) -> None:
    lock = WriterLock(older)
    lock.take()
    reader = LongTermMemory(ENCODER, str(older), read_only=True)
    with pytest.raises(MemoryInUse, match="its tables are of an older version and another process is writing to it; stop it"):
        reader.start()
    assert migrations(older) == [schema.MIGRATIONS[0][0]]
    lock.release()
    reader.start()
    assert len(reader.lines()) == 1
    reader.stop()


@pytest.mark.broken_memory
def test_where_nothing_can_be_written_it_is_refused_with_the_way_out(older: Path) -> None:
    (older / "writer.lock").mkdir()
    reader = LongTermMemory(ENCODER, str(older), read_only=True)
    with pytest.raises(
        MemorySettingsError, match=f"cannot be brought up to date .*run `echoic doctor --memory {older}` as somebody who may"
    ):
        reader.start()


@pytest.mark.broken_memory
def test_a_database_that_a_killed_process_left_empty_is_an_empty_memory(tmp_path: Path) -> None:
    (tmp_path / "memory.sqlite").touch()
    reader = LongTermMemory(ENCODER, str(tmp_path), read_only=True)
    reader.start()
    assert reader.sessions() == []
    reader.stop()
