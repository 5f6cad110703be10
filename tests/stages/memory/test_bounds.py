"""The bounds of a memory: what must leave and in which order, and that words never do."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.geometry import ArrayGeometry
from pipeline.packets import NS_PER_S
from pipeline.session import SessionWriter
from pipeline.session_info import SessionInfo
from stages.memory.bounds import Bounds, Use, excess
from stages.memory.disk import leaving
from stages.memory.disk.keep_bounds import KeepBounds
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.tables.row_writer import utc_ns
from tests.stages.memory.made import ENCODER, STARTED_AT, line, session_row

BYTES = st.integers(0, 10**12)
USES = st.builds(Use, clips=BYTES, recordings=BYTES, line_audio=BYTES, index=BYTES, database=BYTES, index_ram=BYTES)
BOUNDS = st.builds(
    Bounds,
    disk_bytes=BYTES,
    clips_bytes=BYTES,
    recordings_bytes=BYTES,
    line_audio_bytes=BYTES,
    index_bytes=BYTES,
    database_bytes=BYTES,
    index_ram_bytes=BYTES,
)
DAY_NS = 86_400 * NS_PER_S
LEAVING = ("clips", "recordings", "line_audio")


@given(use=USES, bounds=BOUNDS)
def test_what_leaves_keeps_every_bound_that_can_be_kept(use: Use, bounds: Bounds) -> None:
    found = excess(use, bounds)
    left = replace(use, **{store: use.of(store) - asdict(found)[store] for store in LEAVING})
    assert all(left.of(store) >= 0 for store in LEAVING)
    for store in LEAVING:
        assert not bounds.of(store) or left.of(store) <= bounds.of(store)
    for store in ("index", "database", "index_ram"):
        assert (store in found.over) == (0 < bounds.of(store) < use.of(store))
    if bounds.disk_bytes and "disk" not in found.over:
        assert left.disk <= bounds.disk_bytes
    if "disk" in found.over:
        # Nothing that may leave is left: what is too much are words, vectors and their index.
        assert left.clips == left.recordings == left.line_audio == 0


@given(use=USES)
def test_without_bounds_nothing_leaves(use: Use) -> None:
    assert not excess(use, Bounds())


def test_clips_leave_before_recordings_and_these_before_the_audio_of_lines() -> None:
    use = Use(clips=10, recordings=20, line_audio=30, index=5, database=35)
    assert excess(use, Bounds(disk_bytes=92)).clips == 8
    found = excess(use, Bounds(disk_bytes=65))
    assert (found.clips, found.recordings, found.line_audio, found.over) == (10, 20, 5, ())
    assert excess(use, Bounds(disk_bytes=39)).over == ("disk",)


def test_sizes_are_numbers_or_text() -> None:
    assert Bounds(disk_bytes="50 GB").disk_bytes == 50 * 10**9
    assert Bounds(disk_bytes="1.5MB", clips_bytes="0 B").disk_bytes == 1_500_000
    for wrong in (-1, "much", "5 gigabytes", "-3 GB", ""):
        with pytest.raises(ValueError, match=r"Bounds: line_audio_bytes must be bytes, at least 0 .* such as 2000000 or 50 GB; found"):
            Bounds(line_audio_bytes=wrong)


def filled(directory: Path, bounds: Bounds, n_lines: int = 12) -> LongTermMemory:
    """Two sessions with audio, clips, and events; `s2` began a day after `s1`."""
    memory = LongTermMemory(ENCODER, str(directory), bounds=bounds)
    memory.start()
    for place, name in enumerate(("s1", "s2")):
        memory.begin_session(replace(session_row(name), started_at=STARTED_AT + timedelta(days=place)))
        memory.add_lines(name, [line(f"{name} {n} dogs", n, audio_s=1.0) for n in range(n_lines)], n_lines * NS_PER_S)
        memory.finish_session(name, n_lines * NS_PER_S)
    (directory / "clips").mkdir()
    for row in memory.lines()[:6]:
        (directory / "clips" / f"{row.id}.flac").write_bytes(b"x" * 500)
    return memory


def kept(memory: LongTermMemory, limit: int = 5, at_ns: int = 0) -> int:
    """Sleep until nothing is left to do."""
    n_gone, step = 0, KeepBounds()
    while n := step.work(memory, at_ns, limit):
        assert n <= limit
        n_gone += n
    return n_gone


def test_use_is_what_lies_on_the_disk(tmp_path: Path) -> None:
    memory = filled(tmp_path, Bounds())
    memory.search_dense(line("dogs").embedding, 1)
    use = memory.space.used()
    assert use.line_audio == sum(path.stat().st_size for path in tmp_path.glob("lines/*/*")) > 10_000
    assert use.clips == 3000
    assert use.index_ram == 24 * (384 * 4 + 8)
    assert use.database > 100_000
    assert kept(memory) == 0
    memory.add_lines("s2", [line("one more", 100, audio_s=1.0)], 101 * NS_PER_S)
    more = memory.space.used()
    assert more.line_audio == sum(path.stat().st_size for path in tmp_path.glob("lines/*/*")) > use.line_audio
    memory.stop()


def test_clips_that_were_made_first_leave_first(tmp_path: Path) -> None:
    memory = filled(tmp_path, Bounds(clips_bytes=1200))
    assert kept(memory) == 4
    assert memory.space.used().clips == 1000
    assert memory.check() == []
    memory.stop()


def test_of_recordings_that_were_heard_all_audio_may_leave_and_what_is_told_of_them_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    memory = filled(tmp_path, Bounds(recordings_bytes=2500))
    memory.begin_session(session_row("live"))
    for name in ("s1", "s2", "live"):
        recorded(tmp_path / "sessions" / name)
    use = memory.space.used().recordings
    assert use > 2500
    monkeypatch.setattr("pathlib.Path.unlink", stopped)
    with pytest.raises(KeyboardInterrupt):
        KeepBounds().work(memory, 0, 5)
    # Cut short after it was said to have left: its file is still there, and nobody reads it.
    assert len(list(tmp_path.glob("sessions/s1/audio/*.flac"))) == 1
    monkeypatch.undo()
    assert memory.check() == []
    memory.space.bounds = Bounds(recordings_bytes=1)
    with caplog.at_level(logging.WARNING, "echoic.memory"):
        assert kept(memory) > 0
    # The one that is still heard cannot leave, and that is told.
    assert "recordings takes" in caplog.records[-1].getMessage()
    assert [path.parent.name for path in sorted(tmp_path.glob("sessions/*/audio"))] == ["live"]
    assert len(list(tmp_path.glob("sessions/*/session.json"))) == 3
    assert memory.check() == []
    memory.stop()


def recorded(directory: Path) -> None:
    """A second of noise as a recorded session."""
    geometry = ArrayGeometry(name="mono", sample_rate_hz=16000, positions_m=((0.0, 0.0, 0.0),))
    writer = SessionWriter(directory, SessionInfo(id=directory.name, source="x", array=geometry, started_at=STARTED_AT))
    writer.append(np.random.default_rng(0).uniform(-0.1, 0.1, (1, 16000)).astype(np.float32))
    writer.finish(complete=True)
    writer.close()


def stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("whole", [False, True])
def test_old_audio_leaves_and_every_word_stays(tmp_path: Path, whole: bool) -> None:
    memory = filled(tmp_path, Bounds())
    words = [(row.id, row.text, row.event) for row in memory.lines()]
    use = memory.space.used()
    bound = use.line_audio // 3
    memory.space.bounds = Bounds(disk_bytes=use.index + use.database + bound) if whole else Bounds(line_audio_bytes=bound)
    assert kept(memory, limit=3) > 0
    assert memory.space.used().line_audio <= bound
    with_audio = [row for row in memory.lines() if row.clip]
    # The latest lines of the later session have theirs still.
    assert {row.session for row in with_audio} == {"s2"}
    assert with_audio == memory.lines("s2")[-len(with_audio) :]
    assert [(row.id, row.text, row.event) for row in memory.lines()] == words
    assert len(memory.search_words("dogs", 100)) == 24
    assert memory.check() == []
    memory.stop()


def test_audio_and_clips_that_are_too_old_leave_by_the_clock_of_the_sleep(tmp_path: Path) -> None:
    memory = filled(tmp_path, Bounds(line_audio_days=30, clips_days=0.5))
    now_ns = utc_ns(STARTED_AT) + 30 * DAY_NS + 6 * NS_PER_S
    for place, path in enumerate(sorted(tmp_path.glob("clips/*"))):
        made_ns = now_ns - DAY_NS // 2 + (place - 3) * NS_PER_S
        os.utime(path, ns=(made_ns, made_ns))
    # Four clips were made half a day ago or earlier; six lines of s1 ended 30 days ago or earlier.
    assert KeepBounds().work(memory, utc_ns(STARTED_AT) - DAY_NS, 100) == 0
    assert kept(memory, limit=2, at_ns=now_ns) == 4 + 6
    assert len(list(tmp_path.glob("clips/*"))) == 2
    assert [row.clip is None for row in memory.lines("s1")] == [True] * 6 + [False] * 6
    assert all(row.clip for row in memory.lines("s2"))
    assert len(list(tmp_path.glob("lines/*/*.flac"))) == 18
    assert kept(memory, at_ns=now_ns) == 0
    assert kept(memory, at_ns=now_ns + 2 * DAY_NS) == 2 + 18
    assert memory.check() == []
    memory.stop()


def test_ages_are_days() -> None:
    assert Bounds().kept_ns("recordings") == 0
    assert Bounds(recordings_days=1.5).kept_ns("recordings") == 3 * DAY_NS // 2
    # However short, it is not for ever.
    assert Bounds(recordings_days=1e-18).kept_ns("recordings") == 1
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"Bounds: clips_days must be a number of days, at least 0 \(0: for ever\).* found"):
            Bounds(clips_days=wrong)


def test_a_sleep_lists_each_folder_once_however_many_steps_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = filled(tmp_path, Bounds(clips_bytes=1, line_audio_bytes=1), n_lines=40)
    listed: list[str] = []
    plain = os.scandir

    def counted(path: object = ".") -> object:
        listed.append(str(path))
        return plain(path)  # type: ignore[call-overload] # whatever path it is given

    monkeypatch.setattr(os, "scandir", counted)
    assert kept(memory, limit=2) == 6 + 80
    # Measured before and after what left; clips are listed to remove them, and to see that none is left. 43 steps were taken.
    assert {name: listed.count(str(tmp_path / name)) for name in ("lines/s1", "lines/s2", "clips")} == {
        "lines/s1": 2,
        "lines/s2": 2,
        "clips": 4,
    }
    monkeypatch.undo()
    with memory.strengths.database.reading() as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {leaving._OLDEST}", (0, 5))]
    assert [step for step in plan if "lines_with_audio" in step]
    assert not [step for step in plan if step.startswith(("SCAN", "USE TEMP"))]
    memory.stop()


def test_words_over_a_bound_are_told_once_and_writing_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    memory = filled(tmp_path, Bounds(database_bytes=5000, disk_bytes=6000))
    with caplog.at_level(logging.WARNING, "echoic.memory"):
        kept(memory)
        kept(memory)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "database takes" in told[0]
    assert "and may take 5000; nothing that was said is dropped for it" in told[0]
    assert [row.clip for row in memory.lines()] == [None] * 24
    assert not memory.examine().is_whole
    assert {store.store for store in memory.examine().stores if store.is_over} == {"database", "disk"}
    memory.add_lines("s2", [line("still heard", 50)], 51 * NS_PER_S)
    assert memory.lines()[-1].text == "still heard"
    memory.stop()


def test_a_step_that_is_cut_short_leaves_the_memory_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = filled(tmp_path, Bounds(line_audio_bytes=1))
    monkeypatch.setattr("stages.memory.line_audio.remove", lambda *_: None)
    assert KeepBounds().work(memory, 0, 7) == 7
    monkeypatch.undo()
    # The rows were committed and the files had not gone yet: they belong to nobody and leave.
    assert memory.check() == []
    assert len(list(tmp_path.glob("lines/*/*.flac"))) == 17
    assert kept(memory) == 17
    memory.stop()


def test_a_memory_in_ram_has_no_files_to_lose() -> None:
    memory = LongTermMemory(ENCODER, bounds=Bounds(disk_bytes=1))
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("one", 1)], NS_PER_S)
    assert KeepBounds().work(memory, 0, 10) == 0
    assert memory.space.used().index_ram > 4096
    memory.stop()
