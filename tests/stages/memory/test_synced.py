"""What a memory promises to have on the disk has been synced there, and what it replaces is whole until it is replaced."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.packets import NS_PER_S
from stages.memory import line_audio
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.memory_errors import MemoryDamaged
from stages.memory.tables.database import Database
from stages.memory.vectors.vector_index import Batch, IndexKind, VectorIndex, make_index
from tests.pipeline.app.command_line import ROOT
from tests.stages.memory.made import ENCODER, line, session_row
from tests.synced import synced_paths

VECTORS = np.random.default_rng(5).standard_normal((300, 32)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
ROWS = np.arange(1, 301, dtype=np.int64)


def opened(directory: Path) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory))
    memory.start()
    return memory


def batches(count: int) -> Iterator[Batch]:
    for first in range(0, count, 100):
        yield Batch(ROWS[first : first + 100], VECTORS[first : first + 100])


def index_of(folder: Path, kind: IndexKind) -> VectorIndex:
    index = make_index(folder, kind, VECTORS.shape[1])
    index.open(lambda row: Batch(ROWS[row - 1 : row], VECTORS[row - 1 : row]) if 1 <= row <= len(ROWS) else None)
    return index


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_writer_commits_to_a_log_that_is_synced_each_time(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    with memory.findings.database.writing() as connection:
        found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")}
    memory.stop()
    # FULL is 2 (https://sqlite.org/pragma.html#pragma_synchronous).
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_the_audio_of_a_line_and_its_name_are_synced_before_the_line_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    spoken = line("the ferry leaves", 1.0)
    clip = tmp_path / line_audio.clip_path("s1", spoken.transcript.key)
    n_lines: list[int] = []

    def counted(_: Path) -> None:
        reader = sqlite3.connect(f"{(tmp_path / 'memory.sqlite').as_uri()}?mode=ro", uri=True)
        n_lines.append(reader.execute("SELECT count(*) FROM lines").fetchone()[0])
        reader.close()

    with monkeypatch.context() as patched:
        synced = synced_paths(patched, counted)
        memory.add_lines("s1", [spoken], 5 * NS_PER_S)
    memory.stop()
    assert [path.suffix for path in synced[:1]] == [".part"]
    assert synced[0].parent == clip.parent
    assert clip.parent in synced[1:]
    assert n_lines == [0] * len(synced)
    assert clip.is_file()


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf_sq8"])
def test_a_snapshot_of_the_index_is_synced_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: IndexKind) -> None:
    index = index_of(tmp_path, kind)
    index.catch_up(batches(200))
    there: list[int] = []
    synced = synced_paths(monkeypatch, lambda _: there.append(len(files(tmp_path))))
    index.save()
    assert [path.suffix for path in synced] == [".part"]
    # Nothing but the part is there while it is synced.
    assert there == [1]
    assert [path.suffix for path in files(tmp_path)] != [".part"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf_sq8"])
def test_a_save_of_the_index_that_fails_half_way_leaves_the_old_snapshot_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: IndexKind, step: str
) -> None:
    index = index_of(tmp_path, kind)
    index.catch_up(batches(200))
    index.save()
    before = files(tmp_path)
    # Made anew, so that all of it is written, also where it could be written on at its end.
    index.reset()
    index.catch_up(batches(300))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os if step == "fsync" else Path, step, full)
        with pytest.raises(OSError, match="No space left"):
            index.save()
    assert files(tmp_path) == before
    again = index_of(tmp_path, kind)
    assert again.n_rows == 200
    again.catch_up(batches(300))
    assert again.differences(batches(300)) == 0
    index.save()
    assert index_of(tmp_path, kind).n_rows == 300


def test_a_rewrite_gives_free_places_back_and_leaves_nothing_of_what_was_removed(tmp_path: Path) -> None:
    database = Database(tmp_path / "memory.sqlite", read_only=False)
    database.open()
    with database.writing() as connection:
        connection.execute("CREATE TABLE said (text TEXT)")
        connection.executemany("INSERT INTO said VALUES (?)", [(f"unutterable{place} " * 20,) for place in range(3000)])
    database.empty_log()
    file = tmp_path / "memory.sqlite"
    n_before = file.stat().st_size
    assert b"unutterable1234" in file.read_bytes()
    with database.writing() as connection:
        connection.execute("DELETE FROM said WHERE rowid > 10")
    database.rewrite()
    with database.reading() as connection:
        n_free = connection.execute("PRAGMA freelist_count").fetchone()[0]
        n_left = connection.execute("SELECT count(*) FROM said").fetchone()[0]
    assert (n_free, n_left) == (0, 10)
    assert file.stat().st_size < n_before - 400_000
    assert b"unutterable1234" not in file.read_bytes()
    assert file.with_name("memory.sqlite-wal").stat().st_size == 0
    database.close()


_REWRITE = """
import sys
from pathlib import Path
from stages.memory.tables.database import Database
def most_kib():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
database = Database(Path(sys.argv[1]), read_only=False)
database.open()
before = most_kib()
database.rewrite()
print((most_kib() - before) * 1024)
"""
# Not `getrusage`: its peak is that of the process that started this one, where that was higher.


def test_a_rewrite_does_not_hold_the_database_in_ram(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    database = Database(path, read_only=False)
    database.open()
    with database.writing() as connection:
        connection.execute("CREATE TABLE filling (n INTEGER PRIMARY KEY, bytes BLOB)")
        connection.executemany("INSERT INTO filling (bytes) VALUES (randomblob(?))", [(1 << 20,)] * 64)
    database.close()
    done = subprocess.run([sys.executable, "-c", _REWRITE, str(path)], check=True, capture_output=True, text=True, cwd=ROOT)
    assert int(done.stdout) < path.stat().st_size // 2


def test_a_file_that_cannot_be_read_leaves_no_connection_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "memory.sqlite"
    path.write_bytes(b"no database" * 100)
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def connected(*given: Any, **settings: Any) -> sqlite3.Connection:
        made.append(connect(*given, **settings))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", connected)
    for read_only in (True, False):
        with pytest.raises(MemoryDamaged, match="its database is damaged"):
            Database(path, read_only=read_only).open()
    assert len(made) == 2
    for connection in made:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
