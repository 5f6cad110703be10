"""Retention of recordings by bytes and by age: the oldest segments leave, of running sessions too, and what hearing needs stays."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Float32Array
from pipeline.pcm import quantise, to_float
from pipeline.retention import WARM_UP_S, retained_from
from pipeline.session import SessionReader, SessionWriter
from pipeline.session_info import SessionInfo
from pipeline.testing import line_array
from stages.capture.recording import Recording
from stages.memory.bounds import Bounds
from stages.memory.disk.keep_bounds import KeepBounds
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.tables.row_writer import utc_ns
from tests.stages.memory.made import ENCODER, STARTED_AT, line, session_row
from tests.stages.memory.test_bounds import kept

RATE = 16000
DAY_NS = 86_400 * NS_PER_S


def memory_with(directory: Path, **bounds: Any) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory), bounds=Bounds(**bounds))
    memory.start()
    return memory


def told_of(name: str, started_at: datetime = STARTED_AT) -> SessionInfo:
    """Segments of a second."""
    return SessionInfo(id=name, source="x", array=line_array(1), started_at=started_at, segment_frames=RATE, origin="live")


def noise(n_seconds: int, seed: int = 0) -> Float32Array:
    return np.random.default_rng(seed).uniform(-0.1, 0.1, (1, n_seconds * RATE)).astype(np.float32)


def heard(memory: LongTermMemory, name: str, n_seconds: int, started_at: datetime = STARTED_AT, *, complete: bool = True) -> None:
    """A recorded session that the memory has heard, to its end where it is complete."""
    memory.begin_session(replace(session_row(name), started_at=started_at))
    writer = SessionWriter(Path(memory.directory) / "sessions" / name, told_of(name, started_at))
    writer.append(noise(n_seconds))
    writer.finish(complete)
    memory.set_passed(name, n_seconds * NS_PER_S)
    if complete:
        memory.finish_session(name, n_seconds * NS_PER_S)


def kept_from_s(memory: LongTermMemory, name: str) -> float:
    return retained_from(Path(memory.directory) / "sessions" / name) / RATE


def audio_bytes(memory: LongTermMemory) -> int:
    return sum(path.stat().st_size for path in Path(memory.directory).glob("sessions/*/audio/*"))


def test_a_session_that_is_recorded_for_ever_stays_inside_its_bytes(tmp_path: Path) -> None:
    bound = 3_000_000
    memory = memory_with(tmp_path, recordings_bytes=bound)
    memory.begin_session(session_row("live"))
    memory.add_lines("live", [line("the ferry leaves at nine", 1.0)], 2 * NS_PER_S)
    recording = Recording(str(tmp_path / "sessions/live"), ring_s=2.0)
    recording.begin(told_of("live"))
    playhead = recording.playhead(0, 512)
    samples = noise(200)
    got: list[Float32Array] = []
    for second in range(200):
        recording.append(samples[:, second * RATE : (second + 1) * RATE])
        if second % 10 == 9:
            # The graph hears behind the ring, from the disk, while the oldest leaves.
            got += [packet.samples for packet in recording.ready(playhead)]  # type: ignore[union-attr] # no gaps come
            memory.set_passed("live", (second - 3) * NS_PER_S)
            kept(memory)
            assert memory.space.used().recordings <= bound
            assert kept_from_s(memory, "live") <= max(0, second - 3 - WARM_UP_S)
    np.testing.assert_array_equal(np.concatenate(got, axis=1), to_float(quantise(samples).levels)[:, : 512 * (200 * RATE // 512)])
    first = round(kept_from_s(memory, "live") * RATE)
    assert first > 100 * RATE
    with SessionReader(tmp_path / "sessions/live") as reader:
        np.testing.assert_array_equal(reader.read(first, 200 * RATE), to_float(quantise(samples).levels)[:, first:])
        assert not reader.read(0, first).any()
        assert [(gap.reason, gap.pts_ns, gap.end_ns) for gap in reader.gaps] == [("retention", 0, first * NS_PER_S // RATE)]
    assert memory.check() == []
    recording.end()
    recording.stop()
    # Everything was heard, so no answer says that something is missing.
    assert memory.gaps("live") == []
    assert memory.check() == []
    memory.stop()


def test_a_session_that_is_behind_keeps_what_a_new_run_hears_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    memory = memory_with(tmp_path, recordings_bytes=1000)
    heard(memory, "s1", 5)
    heard(memory, "live", 60, complete=False)
    with caplog.at_level(logging.WARNING, "echoic.memory"):
        assert kept(memory) == 5 + 20
        assert kept(memory) == 0
    (told,) = [record.getMessage() for record in caplog.records]
    assert "recordings takes" in told
    assert "what has not been heard yet stays, and the newest 40 seconds" in told
    assert (kept_from_s(memory, "s1"), kept_from_s(memory, "live")) == (5, 20)
    memory.set_passed("live", 75 * NS_PER_S)
    assert kept(memory) == 15
    # Heard far past its end (which cannot be), the newest segment stays as long as the recording may go on.
    memory.set_passed("live", 1000 * NS_PER_S)
    assert kept(memory) == 24
    with SessionReader(tmp_path / "sessions/live") as reader:
        assert (reader.frames, reader.first_frame) == (60 * RATE, 59 * RATE)
    assert memory.check() == []
    memory.stop()


def test_the_oldest_leave_first_whatever_session_they_are_of(tmp_path: Path) -> None:
    memory = memory_with(tmp_path, recordings_bytes=1)
    heard(memory, "late", 4, STARTED_AT + timedelta(seconds=2, milliseconds=500))
    heard(memory, "early", 6)
    heard(memory, "next day", 3, STARTED_AT + timedelta(days=1))
    left = []
    step = KeepBounds()
    while step.work(memory, 0, 1):
        left.append([kept_from_s(memory, name) for name in ("early", "late", "next day")])
    assert left[:9] == [[1, 0, 0], [2, 0, 0], [3, 0, 0], [3, 1, 0], [4, 1, 0], [4, 2, 0], [5, 2, 0], [5, 3, 0], [6, 3, 0]]
    assert left[9:] == [[6, 4, 0], [6, 4, 1], [6, 4, 2], [6, 4, 3]]
    assert memory.check() == []
    memory.stop()


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_no_more_leaves_than_must(tmp_path: Path, limit: int) -> None:
    memory = memory_with(tmp_path)
    heard(memory, "s1", 10)
    heard(memory, "s2", 10, STARTED_AT + timedelta(hours=1))
    use = memory.space.used().recordings
    one = audio_bytes(memory) // 20
    memory.space.bounds = Bounds(recordings_bytes=use - 12 * one + one // 2)
    assert kept(memory, limit=limit) == 12
    assert (kept_from_s(memory, "s1"), kept_from_s(memory, "s2")) == (10, 2)
    memory.stop()


def test_what_is_too_old_leaves_by_the_clock_of_the_sleep(tmp_path: Path) -> None:
    memory = memory_with(tmp_path, recordings_days=2)
    heard(memory, "s1", 5)
    heard(memory, "live", 60, STARTED_AT + timedelta(days=1), complete=False)
    began_ns = utc_ns(STARTED_AT)
    assert kept(memory, at_ns=began_ns - 100 * DAY_NS) == 0
    assert kept(memory, at_ns=began_ns + 2 * DAY_NS) == 0
    assert kept(memory, at_ns=began_ns + 2 * DAY_NS + 3 * NS_PER_S) == 3
    assert kept(memory, limit=1, at_ns=began_ns + 3 * DAY_NS + 7 * NS_PER_S) == 2 + 7
    assert (kept_from_s(memory, "s1"), kept_from_s(memory, "live")) == (5, 7)
    assert kept(memory, at_ns=began_ns + 400 * DAY_NS) == 13
    assert memory.check() == []
    memory.stop()


def test_what_left_for_its_age_counts_before_bytes_are_taken(tmp_path: Path) -> None:
    memory = memory_with(tmp_path)
    heard(memory, "s1", 5)
    memory.add_lines("s1", [line("one", 1, audio_s=1.0)], 5 * NS_PER_S)
    use = memory.space.used()
    bound = use.disk - audio_bytes(memory) // 2
    memory.space.bounds = Bounds(disk_bytes=bound + 1000, recordings_days=1)
    assert kept(memory, at_ns=utc_ns(STARTED_AT) + 2 * DAY_NS) == 5
    # The disk has room again, so the audio of the line stays.
    assert memory.lines("s1")[0].clip is not None
    memory.stop()


@pytest.mark.broken_memory
def test_recordings_that_the_memory_does_not_know_and_damaged_ones_stay(tmp_path: Path) -> None:
    memory = memory_with(tmp_path, recordings_bytes=1)
    heard(memory, "s1", 2)
    heard(memory, "s2", 2, STARTED_AT + timedelta(hours=1))
    SessionWriter(tmp_path / "sessions/unknown", told_of("unknown")).close()
    (tmp_path / "sessions/s1/session.json").write_text("{")
    assert kept(memory) == 2
    assert len(list(tmp_path.glob("sessions/s1/audio/*"))) == 2
    memory.stop()


@pytest.mark.parametrize("n_seconds", [10, 40])
def test_the_files_of_a_recording_are_listed_once_however_many_steps_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_seconds: int
) -> None:
    memory = memory_with(tmp_path, recordings_bytes=1)
    heard(memory, "s1", n_seconds)
    listed: list[str] = []

    def counted(plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any = ".") -> Any:
            listed.append(str(path))
            return plain(path)

        return call

    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    assert kept(memory, limit=2) == n_seconds
    monkeypatch.undo()
    # To measure, and to see what may leave; with the last step for the newest name and for unfinished files; and to see that all is gone.
    assert listed.count(str(tmp_path / "sessions/s1/audio")) == 5
    assert not (tmp_path / "sessions/s1/audio").exists()
    assert memory.check() == []
    memory.stop()


@pytest.mark.parametrize("bounds", [{"recordings_bytes": 1}, {"recordings_days": 1}])
def test_sleep_removes_audio_that_an_older_version_was_removing(tmp_path: Path, bounds: dict[str, int]) -> None:
    memory = memory_with(tmp_path, **bounds)
    heard(memory, "s1", 3)
    heard(memory, "live", 5, STARTED_AT + timedelta(minutes=1), complete=False)
    (tmp_path / "sessions/s1/audio").rename(tmp_path / "sessions/s1/audio.leaving")
    shutil.copytree(tmp_path / "sessions/live/audio", tmp_path / "sessions/live/audio.leaving")
    assert kept(memory, limit=1, at_ns=utc_ns(STARTED_AT) + 10 * DAY_NS) == 2
    assert list(tmp_path.glob("sessions/*/audio.leaving")) == []
    assert len(list(tmp_path.glob("sessions/live/audio/*"))) == 5
    assert kept_from_s(memory, "live") == 0
    assert memory.space.used().recordings < 1 + sum(path.stat().st_size for path in tmp_path.glob("sessions/**/*"))
    memory.stop()


def test_what_an_older_version_was_removing_counts_towards_what_must_leave(tmp_path: Path) -> None:
    memory = memory_with(tmp_path)
    heard(memory, "s1", 10)
    shutil.copytree(tmp_path / "sessions/s1/audio", tmp_path / "sessions/s1/audio.leaving")
    memory.space.bounds = Bounds(recordings_bytes=memory.space.used().recordings - 1000)
    assert kept(memory) == 1
    assert (len(list(tmp_path.glob("sessions/s1/audio/*"))), kept_from_s(memory, "s1")) == (10, 0)
    assert memory.check() == []
    memory.stop()


def test_a_damaged_note_of_what_left_is_mended_by_doctor(tmp_path: Path) -> None:
    memory = memory_with(tmp_path, recordings_bytes=100_000)
    heard(memory, "s1", 10)
    assert kept(memory) > 0
    path = tmp_path / "sessions/s1/retained.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"1", b"7"))
    found = memory.examine()
    assert found.faults == ()
    assert found.repairs == ("session s1: retained.json was damaged: told anew by the audio that is there",)
    assert path.read_bytes() == whole
    memory.stop()


class Killed(BaseException):
    """The process is gone."""


def test_killed_at_any_change_of_the_disk_the_memory_is_whole_and_the_next_sleep_goes_on(tmp_path: Path) -> None:
    n_kills = 0
    memory = memory_with(tmp_path / "whole")
    heard(memory, "s1", 2)
    heard(memory, "live", 43, STARTED_AT + timedelta(hours=1), complete=False)
    memory.add_lines("s1", [line(f"ferry {second}", second) for second in range(2)], NS_PER_S)
    memory.stop()
    for place in range(200):
        shutil.copytree(tmp_path / "whole", tmp_path / str(place))
        memory = memory_with(tmp_path / str(place), recordings_days=1, line_audio_bytes=1)
        late_ns = utc_ns(STARTED_AT) + 10 * DAY_NS
        with pytest.MonkeyPatch.context() as patch:
            _die_at(patch, place)
            was_killed = True
            with contextlib.suppress(Killed):
                kept(memory, limit=2, at_ns=late_ns)
                was_killed = False
        n_kills += was_killed
        memory.stop()
        memory.start()
        assert memory.check() == []
        for name, n_seconds in (("s1", 2), ("live", 43)):
            with SessionReader(tmp_path / str(place) / "sessions" / name) as reader:
                assert reader.frames == n_seconds * RATE
                first = reader.first_frame
                expected = to_float(quantise(noise(n_seconds)).levels)
                np.testing.assert_array_equal(reader.read(first, reader.frames), expected[:, first:])
                assert [gap.reason for gap in reader.gaps] == ["retention"] * (first > 0)
        kept(memory, at_ns=late_ns)
        assert (kept_from_s(memory, "s1"), kept_from_s(memory, "live")) == (2, 3)
        assert [row.clip for row in memory.lines("s1")] == [None, None]
        assert sorted(path.name for path in (tmp_path / str(place)).glob("sessions/*/audio/*"))[0] == "000003.flac"
        assert memory.check() == []
        memory.stop()
        if not was_killed:
            break
    assert n_kills > 10


def _die_at(patch: pytest.MonkeyPatch, place: int) -> None:
    """Die instead of a change of the disk, counted from 0."""
    n_made = 0

    def dying(plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **settings: Any) -> Any:
            nonlocal n_made
            n_made += 1
            if n_made > place:
                raise Killed
            return plain(*arguments, **settings)

        return call

    for name in ("unlink", "replace", "rmdir"):
        patch.setattr(Path, name, dying(getattr(Path, name)))
