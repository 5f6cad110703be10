"""The oldest segments of a recording leave: what stays reads as before, what left is one gap, and a crash leaves both whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Gap
from pipeline.recorded import frames_to_ns
from pipeline.recording_erasure import silence, sounding
from pipeline.retention import (
    RENAMED_AUDIO,
    RETAINED_FILE,
    WARM_UP_S,
    Segment,
    first_kept,
    let_go,
    may_leave,
    mend,
    remove_renamed,
    renamed_bytes,
    retained_from,
    segments,
)
from pipeline.session import SessionReader, SessionWriter, recover
from pipeline.session_info import SessionError, load_info
from stages.capture.file_source import FileSource
from stages.capture.recording import Recording
from stages.capture.sound import open_sound
from stages.capture.source_info import SourceError
from tests.pipeline.test_session import RATE, everything, info, record, rounded, sound

SEGMENT = 4000


def gaps(directory: Path) -> list[tuple[str, float, float]]:
    with SessionReader(directory) as reader:
        return [(gap.reason, gap.pts_ns / NS_PER_S, gap.end_ns / NS_PER_S) for gap in reader.gaps]


def faults(directory: Path) -> list[str]:
    with SessionReader(directory) as reader:
        return reader.faults()


@pytest.mark.parametrize("n_channels", [2, 12])
def test_what_left_is_zeros_and_one_gap_and_what_stays_is_as_it_was(tmp_path: Path, n_channels: int) -> None:
    samples = sound(n_channels, 4 * SEGMENT + 500)
    writer = record(tmp_path, samples)
    for start_s in (0.1, 0.2, 0.45, 0.6):
        writer.mark_gap(Gap(pts_ns=round(start_s * NS_PER_S), duration_ns=NS_PER_S // 10, reason="dropped"))
    writer.finish()
    assert [segment.index for segment in segments(tmp_path)] == [0, 1, 2, 3, 4]
    assert sum(segment.n_bytes for segment in segments(tmp_path)) == sum(path.stat().st_size for path in tmp_path.glob("audio/*"))
    let_go(tmp_path, load_info(tmp_path), range(2))
    assert [segment.index for segment in segments(tmp_path)] == [2, 3, 4]
    expected = rounded(samples)
    expected[:, : 2 * SEGMENT] = 0
    np.testing.assert_array_equal(everything(tmp_path), expected)
    with SessionReader(tmp_path) as reader:
        assert (reader.frames, reader.first_frame) == (4 * SEGMENT + 500, 2 * SEGMENT)
        np.testing.assert_array_equal(reader.read(2 * SEGMENT - 10, 20), expected[:, 2 * SEGMENT - 10 : 2 * SEGMENT + 10])
        assert reader.take_lost() == []
    assert gaps(tmp_path) == [("retention", 0.0, 0.5), ("dropped", 0.5, 0.55), ("dropped", 0.6, 0.7)]
    assert faults(tmp_path) == []
    let_go(tmp_path, load_info(tmp_path), range(1))
    assert retained_from(tmp_path) == 2 * SEGMENT


def test_all_of_a_complete_recording_may_leave(tmp_path: Path) -> None:
    samples = sound(2, 2 * SEGMENT + 500)
    record(tmp_path / "s", samples).finish()
    let_go(tmp_path / "s", load_info(tmp_path / "s"), range(3))
    assert not (tmp_path / "s/audio").exists()
    assert gaps(tmp_path / "s") == [("retention", 0.0, 8500 / RATE)]
    assert faults(tmp_path / "s") == []
    assert everything(tmp_path / "s").shape == (2, 8500)
    assert not everything(tmp_path / "s").any()
    assert silence(tmp_path / "s", [(0, NS_PER_S)]).n_frames == 0
    with pytest.raises(SourceError, match="all audio of this session has left to keep the bounds of its memory, so it cannot be heard"):
        open_sound(tmp_path / "s")
    let_go(tmp_path / "s", load_info(tmp_path / "s"), range(3))
    assert not (tmp_path / "s/audio").exists()


def test_the_newest_segment_of_a_recording_that_goes_on_stays(tmp_path: Path) -> None:
    writer = record(tmp_path, sound(2, 2 * SEGMENT))
    with pytest.raises(SessionError, match="session one: its newest segment, 000001, may not leave before the recording is complete"):
        let_go(tmp_path, info(), range(2))
    assert retained_from(tmp_path) == 0
    writer.close()


def test_only_what_is_named_is_looked_at_and_names_are_listed_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, sound(2, 12 * SEGMENT)).finish()
    listed: list[str] = []
    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, _counted(getattr(os, name), listed))
    for first in range(0, 9, 3):
        let_go(tmp_path, load_info(tmp_path), range(first, first + 3))
    assert (listed, retained_from(tmp_path)) == ([], 9 * SEGMENT)
    let_go(tmp_path, load_info(tmp_path), range(9, 12))
    assert (len(listed) > 0, (tmp_path / "audio").exists()) == (True, False)
    monkeypatch.undo()
    assert (faults(tmp_path), gaps(tmp_path)) == ([], [("retention", 0.0, 3.0)])


def _counted(plain: Callable[..., Any], listed: list[str]) -> Callable[..., Any]:
    def call(path: Any = ".") -> Any:
        listed.append(str(path))
        return plain(path)

    return call


def test_the_newest_stays_also_behind_a_segment_that_is_gone(tmp_path: Path) -> None:
    writer = record(tmp_path, sound(2, 4 * SEGMENT))
    (tmp_path / "audio/000002.flac").unlink()
    let_go(tmp_path, info(), range(2))
    with pytest.raises(SessionError, match="its newest segment, 000003, may not leave before the recording is complete"):
        let_go(tmp_path, info(), [3])
    assert [segment.index for segment in segments(tmp_path)] == [3]
    assert retained_from(tmp_path) == 2 * SEGMENT
    writer.close()


def test_time_goes_on_where_the_power_took_the_tail_and_all_before_it_had_left(tmp_path: Path) -> None:
    samples = sound(1, 2 * SEGMENT + 100)
    record(tmp_path, samples).close()
    let_go(tmp_path, load_info(tmp_path), range(2))
    os.truncate(tmp_path / "audio/000002.au", 32)
    writer = SessionWriter(tmp_path)
    assert writer.frames == 2 * SEGMENT
    writer.append(samples[:, :500])
    writer.finish()
    np.testing.assert_array_equal(everything(tmp_path)[:, 2 * SEGMENT :], rounded(samples)[:, :500])
    assert (faults(tmp_path), gaps(tmp_path)) == ([], [("retention", 0.0, 0.5)])


def test_nothing_named_changes_nothing(tmp_path: Path) -> None:
    record(tmp_path, sound(1, SEGMENT)).finish()
    let_go(tmp_path, load_info(tmp_path), [])
    assert (len(segments(tmp_path)), retained_from(tmp_path)) == (1, 0)


def test_audio_that_an_older_version_was_removing_goes_and_what_is_recorded_stays(tmp_path: Path) -> None:
    record(tmp_path, sound(2, SEGMENT)).finish()
    before = everything(tmp_path)
    assert (renamed_bytes(tmp_path), remove_renamed(tmp_path)) == (None, False)
    (tmp_path / RENAMED_AUDIO).mkdir()
    assert renamed_bytes(tmp_path) == 0
    (tmp_path / RENAMED_AUDIO / "000000.flac").write_bytes(b"sound")
    assert renamed_bytes(tmp_path) == 5
    assert remove_renamed(tmp_path)
    assert not (tmp_path / RENAMED_AUDIO).exists()
    np.testing.assert_array_equal(everything(tmp_path), before)


def test_what_may_leave_is_what_no_run_hears_again(tmp_path: Path) -> None:
    thirty_s = 30 * RATE
    found = [Segment(index, 10) for index in range(5)]
    running, ended = info(segment_frames=thirty_s), info(segment_frames=thirty_s)
    object.__setattr__(ended, "complete", True)
    # A run that goes on hears the last 40 s again.
    ages = {0: 0, 69: 0, 70: 1, 99: 1, 100: 2, 159: 3, 160: 4, 1000: 4}
    for passed_s, n_free in ages.items():
        assert [part.index for part in may_leave(found, running, passed_s * NS_PER_S)] == list(range(n_free))
    assert may_leave(found, running, None) == found[:-1]
    assert may_leave(found, ended, None) == found
    assert may_leave(found, ended, 100 * NS_PER_S) == found[:2]
    assert may_leave([], running, None) == []
    assert segments(tmp_path) == []


def test_a_recording_goes_on_while_its_oldest_segments_leave(tmp_path: Path) -> None:
    samples = sound(2, 12 * SEGMENT + 77)
    writer = SessionWriter(tmp_path, info())
    with SessionReader(tmp_path) as behind:
        for first in range(0, samples.shape[1], 700):
            writer.append(samples[:, first : first + 700])
            done = may_leave(segments(tmp_path), writer.info, None)[:-2]
            if done:
                let_go(tmp_path, writer.info, [part.index for part in done])
            np.testing.assert_array_equal(behind.read(writer.frames - 3000, 3000), rounded(samples)[:, : writer.frames][:, -3000:])
        assert behind.take_lost() == []
    assert len(segments(tmp_path)) == 3
    writer.close()
    writer = SessionWriter(tmp_path)
    assert writer.frames == samples.shape[1]
    writer.append(samples[:, :1000])
    writer.finish()
    first = retained_from(tmp_path)
    assert first == 10 * SEGMENT
    np.testing.assert_array_equal(everything(tmp_path)[:, first : samples.shape[1]], rounded(samples)[:, first:])
    assert (faults(tmp_path), gaps(tmp_path)) == ([], [("retention", 0.0, first / RATE)])


def test_a_reader_of_another_process_is_told_what_left_under_it(tmp_path: Path) -> None:
    samples = sound(2, 8 * SEGMENT)
    record(tmp_path, samples).finish()
    with SessionReader(tmp_path) as reader:
        np.testing.assert_array_equal(reader.read(0, 1000), rounded(samples)[:, :1000])
        let_go(tmp_path, load_info(tmp_path), range(6))
        # What it has read ahead it has; after that there is nothing up to what is kept.
        expected = rounded(samples)
        expected[:, 4 * SEGMENT : 6 * SEGMENT] = 0
        np.testing.assert_array_equal(reader.read(1000, 15_000), expected[:, 1000:16_000])
        assert reader.take_lost() == []
        np.testing.assert_array_equal(reader.read(4 * SEGMENT, 4 * SEGMENT), expected[:, 4 * SEGMENT :])
        (told,) = reader.take_lost()
        span = frames_to_ns(4 * SEGMENT, RATE), frames_to_ns(6 * SEGMENT, RATE)
        assert (told.reason, told.pts_ns, told.end_ns) == ("retention", *span)
        assert [(gap.reason, gap.pts_ns, gap.end_ns) for gap in reader.gaps] == [("retention", 0, told.end_ns)]


def test_a_session_whose_head_left_is_replayed_and_says_so(tmp_path: Path) -> None:
    samples = sound(1, 10 * SEGMENT)
    record(tmp_path / "old", samples).finish()
    let_go(tmp_path / "old", load_info(tmp_path / "old"), range(5))
    source = FileSource(str(tmp_path / "old"), recording=Recording(str(tmp_path / "new")))
    source.start()
    packets = [emit.packet for emit in source.packets()]
    source.stop()
    lost = [packet for packet in packets if isinstance(packet, Gap)]
    assert {gap.reason for gap in lost} == {"retention"}
    assert (lost[0].pts_ns, lost[-1].end_ns) == (0, frames_to_ns(5 * SEGMENT, RATE))
    np.testing.assert_array_equal(everything(tmp_path / "new")[:, 5 * SEGMENT :], rounded(samples)[:, 5 * SEGMENT :])
    assert gaps(tmp_path / "new") == gaps(tmp_path / "old") == [("retention", 0.0, 1.25)]


def test_a_run_that_goes_on_after_a_crash_hears_all_that_it_needs(tmp_path: Path) -> None:
    samples = sound(1, 60 * RATE)
    record(tmp_path, samples, chunk=RATE, segment_frames=RATE).close()
    passed_ns = 52 * NS_PER_S
    let_go(tmp_path, load_info(tmp_path), [part.index for part in may_leave(segments(tmp_path), load_info(tmp_path), passed_ns)])
    assert retained_from(tmp_path) == 12 * RATE
    assert recover(tmp_path) == 60 * RATE
    source = FileSource(str(tmp_path), recording=Recording(str(tmp_path)), start_s=passed_ns / NS_PER_S - WARM_UP_S)
    source.start()
    packets = [emit.packet for emit in source.packets()]
    source.stop()
    assert not any(isinstance(packet, Gap) for packet in packets)
    heard = np.concatenate([packet.samples for packet in packets], axis=1)
    np.testing.assert_array_equal(heard, rounded(samples)[:, 12 * RATE :])


def test_erasing_reaches_what_is_still_there(tmp_path: Path) -> None:
    record(tmp_path, sound(2, 3 * SEGMENT)).finish()
    let_go(tmp_path, load_info(tmp_path), range(1))
    span = (NS_PER_S // 8, 3 * NS_PER_S // 8)
    assert sounding(tmp_path, [span]) != []
    assert silence(tmp_path, [span]).n_frames == 2000
    assert sounding(tmp_path, [span]) == []
    assert faults(tmp_path) == []
    assert gaps(tmp_path) == [("retention", 0.0, 0.25), ("forgotten", 0.25, 0.375)]


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[1]", b'{"first_frame": 8001, "crc32": 5}', b'{"first_frame": "x"}', b'{"first_frame": -4}']
)
def test_a_damaged_file_is_told_and_mended_by_the_audio_that_is_there(tmp_path: Path, damage: bytes) -> None:
    samples = sound(2, 3 * SEGMENT)
    record(tmp_path, samples).finish()
    let_go(tmp_path, load_info(tmp_path), range(1))
    whole = (tmp_path / RETAINED_FILE).read_bytes()
    (tmp_path / RETAINED_FILE).write_bytes(damage)
    (told,) = faults(tmp_path)
    assert "retained.json: " in told
    assert "so nothing says which audio has left" in told
    assert gaps(tmp_path) == [("retention", 0.0, 0.25)]
    np.testing.assert_array_equal(everything(tmp_path)[:, SEGMENT:], rounded(samples)[:, SEGMENT:])
    assert mend(tmp_path, load_info(tmp_path))
    assert not mend(tmp_path, load_info(tmp_path))
    assert (tmp_path / RETAINED_FILE).read_bytes() == whole
    assert faults(tmp_path) == []


def test_a_damaged_file_without_audio_beside_it_goes(tmp_path: Path) -> None:
    record(tmp_path, sound(1, SEGMENT)).finish()
    let_go(tmp_path, load_info(tmp_path), range(1))
    (tmp_path / RETAINED_FILE).write_bytes(b"?")
    assert mend(tmp_path, load_info(tmp_path))
    assert (first_kept(tmp_path, load_info(tmp_path)), faults(tmp_path)) == (0, [])


def test_a_damaged_file_is_written_anew_when_more_leaves(tmp_path: Path) -> None:
    record(tmp_path, sound(2, 3 * SEGMENT)).finish()
    let_go(tmp_path, load_info(tmp_path), range(1))
    (tmp_path / RETAINED_FILE).write_bytes(b"?")
    let_go(tmp_path, load_info(tmp_path), range(2))
    assert retained_from(tmp_path) == 2 * SEGMENT
    assert faults(tmp_path) == []


class Killed(BaseException):
    """The process is gone."""


@contextlib.contextmanager
def killed_at(step: int, before: bool) -> Iterator[list[int]]:
    """Die at a change of the disk, counted from 0, just before or just after it; the list says how many were made."""
    n_made = [0]
    with pytest.MonkeyPatch.context() as patch:

        def dying(plain: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **settings: Any) -> Any:
                if n_made[0] == step and before:
                    raise Killed
                result = plain(*arguments, **settings)
                n_made[0] += 1
                if n_made[0] == step + 1:
                    raise Killed
                return result

            return call

        for name in ("unlink", "replace", "rmdir"):
            patch.setattr(Path, name, dying(getattr(Path, name)))
        patch.setattr(os, "fsync", dying(os.fsync))
        yield n_made


@pytest.mark.parametrize("last", [1, 2])
def test_killed_between_any_two_steps_it_is_whole_and_goes_on(tmp_path: Path, last: int) -> None:
    """With 12 channels a segment has two files; `last` 2 is all of the recording."""
    samples = rounded(sound(12, 2 * SEGMENT + 500))
    n_steps = 0
    for place in range(100):
        for before in (True, False):
            directory = tmp_path / f"{place}-{before}"
            record(directory, samples).finish()
            with contextlib.suppress(Killed), killed_at(place, before) as n_made:
                let_go(directory, load_info(directory), range(last + 1))
                n_steps = n_made[0]
            first = retained_from(directory)
            assert first in (0, (last + 1) * SEGMENT, samples.shape[1])
            kept = samples.copy()
            kept[:, :first] = 0
            np.testing.assert_array_equal(everything(directory), kept)
            assert faults(directory) == []
            assert len(gaps(directory)) == (first > 0)
            let_go(directory, load_info(directory), range(last + 1))
            let_go(directory, load_info(directory), range(last + 1))
            assert [part.index for part in segments(directory)] == list(range(last + 1, 3))
            assert retained_from(directory) == min((last + 1) * SEGMENT, samples.shape[1])
        if n_steps:
            break
    # The file that says so is written and renamed, and each file goes in a step of its own.
    assert n_steps >= 2 + 2 * (last + 1)


def test_segments_leave_while_another_process_records_and_kill_9_loses_nothing_else(tmp_path: Path) -> None:
    program = f"""
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from pipeline.session import SessionWriter
from pipeline.session_info import SessionInfo
from pipeline.testing import line_array
info = SessionInfo(id="one", source="s", array=line_array(2), started_at=datetime(2026, 1, 1, tzinfo=UTC), segment_frames=2000)
writer = SessionWriter(Path({str(tmp_path / "s")!r}), info)
frame = 0
while True:
    ramp = (np.arange(frame, frame + 160) % 8192).astype(np.float32) / 8192
    writer.append(np.tile(ramp, (2, 1)))
    frame += 160
    print(frame, flush=True)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    n_left = 0
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        reported = 0
        for line in process.stdout:
            reported = int(line)
            free = may_leave(segments(tmp_path / "s"), load_info(tmp_path / "s"), None)
            if len(free) > 3:
                let_go(tmp_path / "s", load_info(tmp_path / "s"), [free[0].index])
                n_left += 1
            if reported >= 60_000:
                break
        process.send_signal(signal.SIGKILL)
    assert n_left > 5
    kept = recover(tmp_path / "s")
    assert kept >= reported
    first = retained_from(tmp_path / "s")
    expected = ((np.arange(kept) % 8192) / 8192).astype(np.float32)
    expected[:first] = 0
    np.testing.assert_array_equal(everything(tmp_path / "s"), np.tile(expected, (2, 1)))
    assert (faults(tmp_path / "s"), gaps(tmp_path / "s")) == ([], [("retention", 0.0, first / RATE)])
