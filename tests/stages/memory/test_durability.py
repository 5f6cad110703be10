from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory, MemoryDamaged, MemoryError_, MemoryFull, MemorySettingsError
from tests.stages.memory.made import ENCODER, event, line, session_row

ROOT = Path(__file__).parents[3]


def opened(directory: Path, *, read_only: bool = False) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory), read_only=read_only)
    memory.start()
    return memory


def test_a_writer_killed_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    moments = random.Random(3)
    said: set[int] = set()
    for _ in range(8):
        first = max(said, default=-1) + 1
        command = [sys.executable, "-m", "tests.stages.memory.writing_process", str(tmp_path), str(first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(moments.uniform(0.02, 0.5))
            process.send_signal(signal.SIGKILL)
            said |= {int(number) for number in process.stdout.read().split("\n")[:-1]}
        memory = opened(tmp_path)
        assert memory.check() == []
        found = Counter(int(row.text.split()[2]) for row in memory.lines("s1"))
        assert set(found.values()) <= {1}
        assert said <= set(found)
        # At most the line that was being told of when the process died is there beyond those.
        assert len(set(found) - said) <= 1
        said |= set(found)
        assert memory.passed_ns("s1") == (max(said) + 1) * NS_PER_S
        assert all((tmp_path / row.clip).is_file() for row in memory.lines("s1") if row.clip)
        memory.stop()
    assert len(said) > 20


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file of this process may grow beyond 800 kB: what is beyond fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_takes_back_what_was_being_written(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (800_000, hard))
    n_stored = 0
    with pytest.raises(MemoryFull) as caught:  # noqa: PT012 - it is not known which line meets the limit
        for number in range(500):
            memory.add_lines("s1", [line(f"line number {number}", number)], number * NS_PER_S)
            n_stored += 1
    assert str(caught.value).startswith(f"memory {tmp_path}: cannot write (")
    assert "what was being written has been taken back: make room on the disk" in str(caught.value)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert n_stored > 5
    assert len(memory.lines("s1")) == len(list((tmp_path / "lines/s1").iterdir())) == n_stored
    memory.add_lines("s1", [line("there is room again", 900)], 901 * NS_PER_S)
    assert memory.check() == []
    memory.stop()


@pytest.mark.usefixtures("small_disk")
def test_audio_that_does_not_fit_stores_no_line(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("small", 0)], 1)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    with pytest.raises(MemoryFull, match="cannot write"):
        memory.add_lines("s1", [line("a", 1), line("b", 2, audio_s=2.0)], 3)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert [row.text for row in memory.lines()] == ["small"]
    assert [path.name for path in (tmp_path / "lines/s1").iterdir()] == ["t1-00000000.flac"]
    assert memory.passed_ns("s1") == 1
    memory.stop()


def test_a_bounded_database_says_that_it_is_full(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    with memory._database.writing() as connection:
        connection.execute("SELECT 1")
    assert memory._database._writer is not None
    memory._database._writer.execute("PRAGMA max_page_count = 60")
    with pytest.raises(MemoryFull, match="database or disk is full"):  # noqa: PT012 - it is not known which line meets the limit
        for number in range(500):
            memory.add_lines("s1", [line(f"line number {number}", number)], number * NS_PER_S)
    memory._database._writer.execute("PRAGMA max_page_count = 100000")
    assert memory.check() == []
    memory.stop()


def test_an_event_without_its_lines_is_taken_back_when_the_memory_is_opened(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    stored, lost = line("one", 1), line("two", 3)
    memory.add_lines("s1", [stored], 2 * NS_PER_S)
    memory.add_event("s1", event("event-1", [stored, lost]))
    memory.stop()
    memory = opened(tmp_path)
    assert memory.events() == []
    assert memory.lines()[0].event is None
    memory.stop()


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "replace"])
def test_a_damaged_vector_index_is_built_anew(tmp_path: Path, damage: str) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    memory.add_lines("s1", [line(f"number {n}", n) for n in range(50)], 51 * NS_PER_S)
    memory.search_dense(line("number 3").embedding, 1)
    memory.stop()
    path = tmp_path / "index/vectors.faiss"
    data = bytearray(path.read_bytes())
    if damage == "truncate":
        path.write_bytes(data[:1000])
    elif damage == "flip":
        data[-1000] ^= 4
        path.write_bytes(data)
    elif damage == "remove":
        path.unlink()
    else:
        path.write_bytes(b"nothing of the kind")
    memory = opened(tmp_path)
    assert memory.search_dense(line("number 3").embedding, 1)[0].line == "s1-t1-00003000"
    assert memory.check() == []
    memory.stop()


def test_a_word_index_that_does_not_fit_is_built_anew(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("the dog barks", 1)], 2)
    with memory._database.writing() as connection:
        connection.execute("INSERT INTO lines_fts (lines_fts) VALUES ('delete-all')")
    assert memory.search_words("dog", 3) == []
    assert memory.check() == []
    assert len(memory.search_words("dog", 3)) == 1
    memory.stop()


@pytest.mark.broken_memory
def test_a_broken_invariant_is_said_in_words(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("one", 1), line("two", 3)], 2)
    memory.add_event("s1", event("event-1", [line("one", 1)]))
    with memory._database.writing() as connection:
        connection.execute("UPDATE events SET end_ns = end_ns - 1")
        connection.execute("DELETE FROM vectors WHERE n = 2")
    assert memory.check() == ["1 lines without a vector: s1-t1-00003000", "1 lines outside the span of their event: s1-t1-00001000"]
    memory.stop()


@pytest.mark.broken_memory
def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    opened(tmp_path).stop()
    (tmp_path / "memory.sqlite").write_bytes(b"no database at all" * 500)
    with pytest.raises(MemoryDamaged, match=r"its database is damaged .* restore it from a copy, or replay the recordings under sessions/"):
        opened(tmp_path)
    with pytest.raises(MemoryDamaged, match="its database is damaged"):
        opened(tmp_path, read_only=True)


@pytest.mark.broken_memory
def test_settings_that_are_none_are_told(tmp_path: Path) -> None:
    opened(tmp_path).stop()
    (tmp_path / "memory.yaml").write_text("encoder: [")
    with pytest.raises(MemorySettingsError, match=r"memory\.yaml: not YAML"):
        opened(tmp_path)
    (tmp_path / "memory.yaml").write_text("encoder: x\n")
    with pytest.raises(MemorySettingsError, match="expected version, encoder, dimension and index; found"):
        opened(tmp_path)


@pytest.mark.broken_memory
def test_a_migration_that_is_not_known_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).stop()
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        connection.execute("INSERT INTO migrations (name) VALUES ('2031-01 smells')")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(MemorySettingsError, match="written by a newer Echoic \\(migration '2031-01 smells' is not known here\\)"):
            opened(tmp_path, read_only=read_only)


def test_a_reader_of_no_memory_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(MemoryError_) as caught:
        opened(tmp_path / "none", read_only=True)
    assert str(caught.value) == (
        f"memory {tmp_path / 'none'}: there is no memory here yet; make one with `echoic replay`, `run` or `import`"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_only_be_read_can_be_asked(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("the dog barks", 1)], 2)
    memory.stop()
    for path in (tmp_path / "memory.sqlite", tmp_path):
        path.chmod(0o555)
    reader = opened(tmp_path, read_only=True)
    assert len(reader.search_words("dog", 3)) == len(reader.search_dense(line("dog").embedding, 3)) == 1
    reader.stop()
    with pytest.raises(MemoryError_):
        opened(tmp_path)
    tmp_path.chmod(0o755)
