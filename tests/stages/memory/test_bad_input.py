"""What should not come into a memory: it is refused in words before anything is stored, or taken as it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Event
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory, MemoryError_, MemoryInUse, MemorySettingsError
from stages.memory.rows import LineRow, SessionRow
from stages.memory.tables import schema
from stages.memory.vectors.vector_index import VectorIndexError
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row

HOSTILE = {
    "sql": "'; DROP TABLE lines; --",
    "sql comment": '" OR 1=1 /* UNION SELECT text FROM lines */',
    "fts": 'NEAR("ferry" dogs, 3) AND text:* OR -ferry ^dogs {a b} : "',
    "fts column": "lines_fts:ferry rank:bm25(0) (",
    "control": "ferry\x00\x01\x07\x1b[31m\x7f\u2028\u2029\x85 dogs",
    "controls alone": "\x00\x01\x02\x1f",
    "direction": "\u202eyrref\u202c \u200f\u200b\ufeff dogs",
    "template": "{ferry} %s %(x)s ${HOME} <script>alert(1)</script>",
    "path": "../../etc/passwd\\..\\",
    "marks": "x\u0300\u0301\u0302" * 50,
    "one word": "f" * 20_000,
}
SCRIPTS = (
    "Der Bär läuft über die Straße",
    "собаки лают возле парома",
    "犬がフェリーで吠える",
    "狗在渡轮上叫",
    "الكلاب تنبح في العبّارة",
    "כלבים נובחים במעבורת",
    "कुत्ते नौका पर भौंकते हैं",
    "สุนัขเห่าบนเรือข้ามฟาก",
    "ძაღლები ყეფენ ბორანზე",
    "𐤀𐤁𐤂 👩‍👩‍👧‍👦 🛳️",
)


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    opened = LongTermMemory(ENCODER)
    opened.start()
    opened.begin_session(session_row())
    yield opened
    assert opened.check() == []
    opened.stop()


def row(**changed: Any) -> LineRow:
    plain = LineRow("s1-x", "s1", "t1", 0, NS_PER_S, None, None, None, "the ferry leaves", (), 0.9, "en")
    return replace(plain, **changed)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"start_ns": 5, "end_ns": 4}, "must begin at 0 ns or later and end no earlier, within 60 years; found 5 to 4 ns"),
        ({"start_ns": -1}, "must begin at 0 ns or later"),
        ({"end_ns": 2**63}, "within 60 years"),
        ({"id": "s2-x"}, "it is of session 's1', but lines of session 's1'"),
        ({"session": "s2"}, "it is of session 's2', but lines of session 's1' are stored here"),
        ({"confidence": float("nan")}, r"must be finite; found \(nan, None, None\)"),
        ({"azimuth_deg": float("inf")}, "must be finite"),
        ({"text": "a\ud800b"}, "half a surrogate pair"),
        ({"speaker": "\udfff"}, "half a surrogate pair"),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_all_that_came_with_it(memory: LongTermMemory, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(MemoryError_, match=told):
        memory.add_rows("s1", [row(id="s1-good"), row(**changed)], np.tile(ENCODER.encode(["x"]), (2, 1)), 0)
    assert memory.lines(copies=True) == []


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_numbers_are_refused(memory: LongTermMemory, number: float) -> None:
    vector = ENCODER.encode(["ferry"])
    vector[0, 7] = number
    with pytest.raises(MemoryError_, match=r"vectors must be finite, shape .* with numbers that are not finite"):
        memory.add_rows("s1", [row()], vector, 0)
    with pytest.raises(MemoryError_, match="the vector of event e must be finite"):
        memory.add_event("s1", replace(event("e", [line("ferry")]), embedding=vector[0]))
    with pytest.raises(VectorIndexError, match="1 of them not finite: look at the encoder"):
        memory.search_dense(vector[0], 3)
    assert (memory.lines(), memory.events()) == ([], [])


@pytest.mark.parametrize(
    "changed",
    [
        {"surprise": float("nan")},
        {"surprise": float("inf")},
        {"extra": {"end_ns": -1}},
        {"embedding": np.zeros(3, dtype=np.float32)},
    ],
)
def test_an_event_that_cannot_be_is_refused(memory: LongTermMemory, changed: dict[str, Any]) -> None:
    good = event("good", [line("ferry")])
    with pytest.raises(MemoryError_, match="session s1: "):
        memory.add_events("s1", [good, replace(good, name="bad", **changed)])
    assert memory.events(level=None) == []


def test_events_and_lines_out_of_order_are_put_in_order(memory: LongTermMemory) -> None:
    said = [line(f"number {n}", n) for n in range(10)]
    # Events before their lines, later ones first, and lines from the end.
    for first in (8, 2, 6, 0, 4):
        memory.add_event("s1", event(f"event-{first}", said[first : first + 2]))
    for entry in reversed(said):
        memory.add_lines("s1", [entry], 0)
    assert [entry.text for entry in memory.lines()] == [f"number {n}" for n in range(10)]
    assert [entry.start_ns for entry in memory.events()] == [n * NS_PER_S for n in (0, 2, 4, 6, 8)]
    assert [entry.event for entry in memory.lines()] == [f"s1-event-{n - n % 2}" for n in range(10)]
    memory.finish_session("s1", 20 * NS_PER_S)
    assert len(memory.events(level="episode")) == len(memory.events(level="day")) == 1
    # The event of the last line was not known to have ended by then.
    told = memory.lines(at=STARTED_AT + timedelta(seconds=5))
    assert told == [*memory.lines()[:4], replace(memory.lines()[4], event=None)]


def test_a_clock_that_jumps(memory: LongTermMemory) -> None:
    memory.add_lines("s1", [line("before", 1)], 2 * NS_PER_S)
    # The clock of the machine was set back a day, then on by forty years; and a session turns out to have begun a week earlier.
    moments = {"back": STARTED_AT - timedelta(days=1), "on": STARTED_AT + timedelta(days=14_600), "moved": STARTED_AT}
    for name, moment in moments.items():
        memory.begin_session(SessionRow(name, "x", moment, 0, "mono", complete=False))
        memory.add_lines(name, [line(f"said {name}", 1)], 2 * NS_PER_S)
        memory.add_event(name, event("e", [line(f"said {name}", 1)]))
    memory.correct_start("moved", STARTED_AT - timedelta(days=7))
    assert [entry.id for entry in memory.sessions()] == ["moved", "back", "s1", "on"]
    assert [entry.text for entry in memory.lines()] == ["said moved", "said back", "before", "said on"]
    as_of = STARTED_AT - timedelta(hours=12)
    assert [entry.text for entry in memory.lines(at=as_of)] == ["said moved", "said back"]
    assert {hit.line.split("-")[0] for hit in memory.search_words("said", 9, as_of)} == {"moved", "back"}
    for name in moments:
        memory.finish_session(name, 3 * NS_PER_S)


@pytest.mark.parametrize("year", [1, 1899, 2200, 9999])
def test_a_moment_that_no_memory_can_hold_is_refused(memory: LongTermMemory, year: int) -> None:
    moment = datetime(year, 6, 1, tzinfo=UTC)
    with pytest.raises(MemoryError_, match=rf"session odd: started_at {year:04d}-06-01T00:00:00\+00:00 must lie in the years 1900 to 2199"):
        memory.begin_session(SessionRow("odd", "x", moment, 0, "mono", complete=False))
    with pytest.raises(MemoryError_, match="look at the clock of the machine"):
        memory.correct_start("s1", moment)
    # Asking as of such a moment is no mistake: nothing, or everything, had been said.
    memory.add_lines("s1", [line("ferry", 1)], 0)
    assert len(memory.lines(at=moment)) == len(memory.search_words("ferry", 3, moment)) == int(year > 2100)
    assert len(memory.search_dense(line("ferry").embedding, 3, moment)) == len(memory.sessions(at=moment)) == int(year > 2100)


def test_the_same_session_twice_is_one(memory: LongTermMemory) -> None:
    said = [line("one", 1), line("two", 3)]
    for _ in range(2):
        memory.begin_session(session_row())
        memory.add_lines("s1", said, 5 * NS_PER_S)
        memory.add_event("s1", event("e", said))
        memory.finish_session("s1", 6 * NS_PER_S)
    assert (len(memory.sessions()), len(memory.lines()), len(memory.events(level=None))) == (1, 2, 3)
    assert len(memory.search_words("one two", 9)) == 2
    # Somebody else's recording under the same id: what is there stays as it is.
    memory.begin_session(SessionRow("s1", "other.wav", STARTED_AT + timedelta(days=1), 0, "mono", complete=False))
    assert memory.sessions()[0].source == "room.flac"
    assert memory.sessions()[0].started_at == STARTED_AT


def test_two_threads_that_write_one_session(tmp_path: Path) -> None:
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(session_row())

    def write(first: int) -> None:
        for n in range(first, first + 15):
            memory.add_lines("s1", [line(f"number {n}", n)], 0)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 5, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.text for entry in memory.lines()] == [f"number {n}" for n in range(25)]
    assert memory.check() == []
    memory.stop()


def older(directory: Path, n_migrations: int = 2) -> None:
    """A memory as an earlier version left it, with a line in it."""
    memory = LongTermMemory(ENCODER, str(directory))
    memory.start()
    memory.stop()
    (directory / "memory.sqlite").unlink()
    with sqlite3.connect(directory / "memory.sqlite", isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE migrations (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT")
        for name, script in schema.MIGRATIONS[:n_migrations]:
            connection.executescript(script)
            connection.execute("INSERT INTO migrations (name) VALUES (?)", (name,))
        connection.execute(
            "INSERT INTO sessions VALUES ('s1', 'x', '2026-11-22T10:00:00+00:00', 1795341600000000000, 9, 'mono', 1, '', 0, 9)"
        )
    connection.close()


def test_a_reader_during_a_migration_is_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older(tmp_path)
    in_the_middle, go_on = threading.Event(), threading.Event()
    real = schema._statements

    def slow(script: str) -> list[str]:
        in_the_middle.set()
        assert go_on.wait(20)
        return real(script)

    monkeypatch.setattr(schema, "_statements", slow)
    writer = LongTermMemory(ENCODER, str(tmp_path))
    migrating = threading.Thread(target=writer.start)
    migrating.start()
    assert in_the_middle.wait(20)
    # Another process sees the tables as they were, and the lock of the one that changes them.
    ask = (
        "import sys; from stages.memory.long_term_memory import LongTermMemory; from stages.memory.hashed_words import HashedWords\n"
        "memory = LongTermMemory(HashedWords(), sys.argv[1], read_only=True)\n"
        "try:\n memory.start(); print('open', len(memory.sessions()))\nexcept Exception as error:\n print(type(error).__name__, error)"
    )
    command = [sys.executable, "-c", ask, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    go_on.set()
    migrating.join()
    assert told.startswith(
        f"MemoryInUse memory {tmp_path}: its tables are of an older version and another process is writing to it; stop it"
    )
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "open 1\n"
    assert writer.check() == []
    writer.stop()


@pytest.mark.broken_memory
def test_a_reader_that_was_there_before_a_newer_version_migrates_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = LongTermMemory(ENCODER, str(tmp_path))
    first.start()
    first.begin_session(session_row())
    first.add_lines("s1", [line("ferry", 1)], 0)
    first.stop()
    reader = LongTermMemory(ENCODER, str(tmp_path), read_only=True)
    reader.start()
    monkeypatch.setattr(
        schema, "MIGRATIONS", (*schema.MIGRATIONS, ("2027-01 smells", "CREATE TABLE smells (n INTEGER PRIMARY KEY) STRICT;"))
    )
    newer = LongTermMemory(ENCODER, str(tmp_path))
    newer.start()
    newer.begin_session(session_row())
    newer.add_lines("s1", [line("later", 9)], 0)
    assert [entry.text for entry in reader.lines()] == ["ferry", "later"]
    assert len(reader.search_words("later", 3)) == 1
    newer.stop()
    monkeypatch.undo()
    with pytest.raises(MemorySettingsError, match="written by a newer Echoic"):
        LongTermMemory(ENCODER, str(tmp_path)).start()
    reader.stop()


@pytest.mark.parametrize("other", [HashedWords(dimension=64), type("Renamed", (HashedWords,), {"name": "other-words"})()])
@pytest.mark.parametrize("read_only", [False, True])
def test_another_encoder_is_refused_with_the_way_out(tmp_path: Path, other: HashedWords, read_only: bool) -> None:
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.stop()
    with pytest.raises(MemorySettingsError, match=f"or encode this one anew: echoic reindex --memory {tmp_path} --config CONFIG"):
        LongTermMemory(other, str(tmp_path), read_only=read_only).start()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may enter, so that the tests can go there as one who may not write, also when root runs them."""
    folder = Path(tempfile.mkdtemp(prefix="echoic-"))
    folder.chmod(0o755)
    yield folder
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
    shutil.rmtree(folder)


def as_nobody(work: Callable[[], str]) -> str:
    """What some work comes to in a process of its own that may write nowhere."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            told = work()
        except BaseException as error:  # the parent tells what it was
            told = f"{type(error).__name__} {error}"
        os.write(writing, told.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return told


def test_a_disk_that_may_only_be_read_is_asked_and_not_written(public_folder: Path) -> None:
    root = public_folder / "m"
    memory = LongTermMemory(ENCODER, str(root))
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("the ferry leaves", 1)], 0)
    memory.search_dense(line("ferry").embedding, 1)
    assert memory.check() == []
    memory.stop()
    subprocess.run(["chmod", "-R", "a+rX,a-w", str(root)], check=True)

    def asked() -> str:
        reader = LongTermMemory(ENCODER, str(root), read_only=True)
        reader.start()
        found = [entry.text for entry in reader.lines()], len(reader.search_words("ferry", 3)), reader.check()
        reader.stop()
        return str(found)

    assert as_nobody(asked) == "(['the ferry leaves'], 1, [])"

    def written() -> str:
        LongTermMemory(ENCODER, str(root)).start()
        return "it could be written to"

    refused = as_nobody(written)
    assert refused.startswith(f"MemoryError_ memory {root}: ")
    assert "Permission denied" in refused


def test_a_hundred_thousand_lines_in_one_event() -> None:
    n_lines = 100_000
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    vectors = ENCODER.encode([f"number {n} about the ferry" for n in range(1000)])
    began = time.perf_counter()
    keys = [f"t1-{n:08d}" for n in range(n_lines)]
    for first in range(0, n_lines, 1000):
        rows = [
            row(id=f"s1-{keys[n]}", start_ns=n * 10**6, end_ns=(n + 1) * 10**6, text=f"number {n} about the ferry")
            for n in range(first, first + 1000)
        ]
        memory.add_rows("s1", rows, vectors, 0)
    whole = Event(
        pts_ns=0, duration_ns=n_lines * 10**6, name="e", lines=tuple(keys), tracks=("t1",), reason="x", surprise=1.0, summary="ferry",
        embedding=vectors[0],
    )  # fmt: skip
    memory.add_event("s1", whole)
    memory.finish_session("s1", n_lines * 10**6)
    assert {entry.event for entry in memory.lines("s1", start_ns=0, end_ns=10**9, words=False)} == {"s1-e"}
    assert len(memory.events(level=None)) == 3
    assert [hit.line for hit in memory.search_words("77777", 3)] == ["s1-t1-00077777"]
    assert memory.check() == []
    assert time.perf_counter() - began < 60
    memory.stop()


def test_an_empty_line_is_kept_and_found_by_time_alone(memory: LongTermMemory) -> None:
    for n, text in enumerate(["", " ", "\n", "..."]):
        memory.add_lines("s1", [line(text, n, audio_s=0.0)], 0)
    assert [entry.text for entry in memory.lines()] == ["", " ", "\n", "..."]
    assert memory.search_words("", 3) == memory.search_words(" ... ", 3) == []
    assert len(memory.search_dense(ENCODER.encode([""])[0], 9)) == 4
    memory.add_event("s1", event("e", [line("", 0, audio_s=0.0)]))
    memory.finish_session("s1", 9 * NS_PER_S)


@pytest.mark.parametrize("text", SCRIPTS)
def test_text_of_any_script_comes_back_and_is_found(memory: LongTermMemory, text: str) -> None:
    memory.add_lines("s1", [line("something else", 0), line(text, 5)], 0)
    assert memory.lines()[1].text == text
    assert [hit.line for hit in memory.search_words(text, 3)][:1] == ["s1-t1-00005000"]
    assert memory.search_dense(ENCODER.encode([text])[0], 1)[0].line == "s1-t1-00005000"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_text(memory: LongTermMemory, name: str) -> None:
    text = HOSTILE[name]
    said = line(text, 5)
    memory.add_lines("s1", [line("something else", 0), said], 0)
    memory.add_event("s1", replace(event("e", [said]), summary=text, reason=text))
    memory.name_tracks("s1", {"t1": text})
    memory.finish_session("s1", 9 * NS_PER_S)
    assert [entry.text for entry in memory.lines()] == ["something else", text]
    assert memory.events()[0].summary == text
    for at in (None, STARTED_AT + timedelta(days=1)):
        assert all(hit.line.startswith("s1-") for hit in memory.search_words(text, 3, at))
        assert memory.search_dense(ENCODER.encode([text])[0], 3, at)[0].line.startswith("s1-")
    rows = memory.rows_among({"s1": (0, 9 * NS_PER_S), text: (0, 1)}, text)
    assert rows is not None
    assert memory.lines(session=text) == memory.lines(tracks=[text]) == memory.lines(ids=[text]) == []
    with pytest.raises(MemoryError_):
        memory.session_row(text)
    with pytest.raises(MemoryError_):
        memory.event(text)


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    writer = LongTermMemory(ENCODER, str(tmp_path))
    writer.start()
    with pytest.raises(MemoryInUse, match=f"process {os.getpid()} is writing to it and a memory has one writer"):
        LongTermMemory(ENCODER, str(tmp_path)).start()
    writer.stop()
