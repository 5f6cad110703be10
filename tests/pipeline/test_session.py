"""A recorded session: what is written is read, bit for bit, whatever happens in between."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.packets import Float32Array, Gap
from pipeline.session import SessionReader, SessionWriter, create_session, recover
from pipeline.session_info import SessionDiskError, SessionError, SessionInfo, live_session_id, load_info, session_id
from pipeline.testing import line_array, noise

RATE = 16000
STARTED = datetime(2026, 1, 31, 18, 45, 2, tzinfo=UTC)


def info(n_channels: int = 2, segment_frames: int = 4000, name: str = "one") -> SessionInfo:
    return SessionInfo(id=name, source="room.wav", array=line_array(n_channels), started_at=STARTED, segment_frames=segment_frames)


def sound(n_channels: int, n_frames: int, seed: int = 0) -> Float32Array:
    return np.stack([noise(n_frames / RATE, seed=seed + channel, amplitude=0.1) for channel in range(n_channels)])


def rounded(samples: Float32Array) -> Float32Array:
    """24-bit rounding, by the book."""
    return (np.clip(np.round(samples.astype(np.float64) * 2**23), -(2**23), 2**23 - 1) / 2**23).astype(np.float32)


def record(directory: Path, samples: Float32Array, chunk: int = 700, segment_frames: int = 4000) -> SessionWriter:
    writer = SessionWriter(directory, info(len(samples), segment_frames))
    fill(writer, samples, chunk)
    return writer


def fill(writer: SessionWriter, samples: Float32Array, chunk: int = 500) -> None:
    for first in range(0, samples.shape[1], chunk):
        writer.append(samples[:, first : first + chunk])


def everything(directory: Path) -> Float32Array:
    with SessionReader(directory) as reader:
        return reader.read(0, reader.frames)


def test_what_is_written_is_read_bit_for_bit(tmp_path: Path) -> None:
    samples = sound(2, 10_500)
    writer = record(tmp_path / "s", samples)
    heard_live = everything(tmp_path / "s")
    writer.finish()
    np.testing.assert_array_equal(heard_live, rounded(samples))
    np.testing.assert_array_equal(everything(tmp_path / "s"), heard_live)
    with SessionReader(tmp_path / "s") as reader:
        assert (reader.info.complete, reader.info.started_at, reader.info.array) == (True, STARTED, line_array(2))
        assert (reader.frames, reader.duration_ns, reader.gaps, reader.faults()) == (10_500, 656_250_000, (), [])
        np.testing.assert_array_equal(reader.read(3990, 20), rounded(samples)[:, 3990:4010])
        assert reader.read(10_400, 1000).shape == (2, 100)
        assert reader.read(20_000, 10).shape == (2, 0)


def test_append_gives_back_what_will_be_read(tmp_path: Path) -> None:
    samples = sound(3, 5000)
    writer = SessionWriter(tmp_path / "s", info(3))
    heard = writer.append(samples)
    writer.finish()
    np.testing.assert_array_equal(heard.samples, everything(tmp_path / "s"))


def test_any_audio_tool_reads_the_files(tmp_path: Path) -> None:
    samples = sound(2, 6000)
    writer = record(tmp_path / "s", samples)
    segment, rate = soundfile.read(tmp_path / "s/audio/000000.flac", dtype="float32", always_2d=True)
    assert rate == RATE
    np.testing.assert_array_equal(segment.T, rounded(samples)[:, :4000])
    tail, rate = soundfile.read(tmp_path / "s/audio/000001.au", dtype="float32", always_2d=True)
    assert rate == RATE
    np.testing.assert_array_equal(tail.T, rounded(samples)[:, 4000:])
    assert soundfile.info(tmp_path / "s/audio/000000.flac").subtype == "PCM_24"
    writer.finish()
    assert sorted(path.name for path in (tmp_path / "s/audio").iterdir()) == ["000000.flac", "000001.flac"]


def test_arrays_of_more_than_eight_microphones_are_split(tmp_path: Path) -> None:
    samples = sound(12, 5000)
    record(tmp_path / "s", samples).finish()
    names = sorted(path.name for path in (tmp_path / "s/audio").iterdir())
    assert names == ["000000-a.flac", "000000-b.flac", "000001-a.flac", "000001-b.flac"]
    assert soundfile.info(tmp_path / "s/audio/000000-a.flac").channels == 8
    assert soundfile.info(tmp_path / "s/audio/000000-b.flac").channels == 4
    np.testing.assert_array_equal(everything(tmp_path / "s"), rounded(samples))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 900), min_size=1, max_size=12), closes=st.sets(st.integers(0, 11)))
def test_any_cuts_and_any_interruptions_make_the_same_recording(tmp_path: Path, cuts: list[int], closes: set[int]) -> None:
    directory = tmp_path / "s"
    shutil.rmtree(directory, ignore_errors=True)
    samples = sound(2, sum(cuts))
    first = 0
    writer = SessionWriter(directory, info(segment_frames=1000))
    for index, cut in enumerate(cuts):
        writer.append(samples[:, first : first + cut])
        first += cut
        assert writer.frames == first
        if index in closes:
            writer.close()
            writer = SessionWriter(directory, info(segment_frames=1000))
    writer.finish()
    np.testing.assert_array_equal(everything(directory), rounded(samples))


def test_a_crash_at_any_byte_of_the_tail_keeps_every_whole_frame(tmp_path: Path) -> None:
    samples = sound(2, 4005)
    record(tmp_path / "s", samples).close()
    tail = (tmp_path / "s/audio/000001.au").read_bytes()
    assert len(tail) == 32 + 5 * 2 * 3
    for size in range(len(tail) + 1):
        crashed = tmp_path / "crashed"
        shutil.rmtree(crashed, ignore_errors=True)
        shutil.copytree(tmp_path / "s", crashed)
        (crashed / "audio/000001.au").write_bytes(tail[:size])
        (crashed / "audio/000001.flac.tmp").write_bytes(b"half")
        kept = 4000 + max(0, size - 32) // 6
        np.testing.assert_array_equal(everything(crashed), rounded(samples)[:, :kept])
        assert recover(crashed) == kept
        np.testing.assert_array_equal(everything(crashed), rounded(samples)[:, :kept])
        assert {path.suffix for path in (crashed / "audio").iterdir()} == {".flac"}


def test_a_crash_between_the_flac_and_the_removal_of_the_tail(tmp_path: Path) -> None:
    samples = sound(12, 5000)
    record(tmp_path / "s", samples, segment_frames=5001).close()
    tail = (tmp_path / "s/audio/000000.au").read_bytes()
    assert recover(tmp_path / "s") == 5000
    (tmp_path / "s/audio/000000.au").write_bytes(tail)
    np.testing.assert_array_equal(everything(tmp_path / "s"), rounded(samples))
    assert recover(tmp_path / "s") == 5000
    assert not list((tmp_path / "s/audio").glob("*.au"))
    # Between the two files of a split segment, the tail still holds everything.
    (tmp_path / "s/audio/000000.au").write_bytes(tail)
    (tmp_path / "s/audio/000000-b.flac").unlink()
    np.testing.assert_array_equal(everything(tmp_path / "s"), rounded(samples))
    assert recover(tmp_path / "s") == 5000
    np.testing.assert_array_equal(everything(tmp_path / "s"), rounded(samples))


def test_kill_9_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    program = f"""
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from pipeline.session import SessionWriter
from pipeline.session_info import SessionInfo
from pipeline.testing import line_array
info = SessionInfo(id="one", source="s", array=line_array(8), started_at=datetime(2026, 1, 1, tzinfo=UTC), segment_frames=5000)
writer = SessionWriter(Path({str(tmp_path / "s")!r}), info)
frame = 0
while True:
    ramp = (np.arange(frame, frame + 160) % 8192).astype(np.float32) / 8192
    writer.append(np.tile(ramp, (8, 1)))
    frame += 160
    print(frame, flush=True)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        reported = 0
        for line in process.stdout:
            reported = int(line)
            if reported >= 24_000:
                break
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    kept = recover(tmp_path / "s")
    assert kept >= reported >= 24_000
    expected = ((np.arange(kept) % 8192) / 8192).astype(np.float32)
    np.testing.assert_array_equal(everything(tmp_path / "s"), np.tile(expected, (8, 1)))
    assert not load_info(tmp_path / "s").complete


def test_a_reader_follows_a_writer(tmp_path: Path) -> None:
    samples = sound(2, 9000)
    writer = SessionWriter(tmp_path / "s", info())
    with SessionReader(tmp_path / "s") as reader:
        assert reader.frames == 0
        for first in range(0, 9000, 450):
            writer.append(samples[:, first : first + 450])
            np.testing.assert_array_equal(reader.read(first - 450, 900), rounded(samples)[:, max(0, first - 450) : first + 450])
        assert reader.frames == 9000
    writer.close()


def test_a_reader_that_stood_in_a_short_segment_sees_it_grow_and_be_sealed(tmp_path: Path) -> None:
    samples = sound(2, 8000)
    record(tmp_path / "s", samples[:, :6000]).finish(complete=False)
    with SessionReader(tmp_path / "s") as reader:
        assert reader.read(5000, 5000).shape == (2, 1000)
        writer = SessionWriter(tmp_path / "s")
        writer.append(samples[:, 6000:])
        writer.finish()
        np.testing.assert_array_equal(reader.read(5000, 5000), rounded(samples)[:, 5000:])
        assert reader.gaps == ()


def test_values_that_are_no_numbers_become_zero_and_a_gap(tmp_path: Path) -> None:
    samples = sound(2, 3200)
    samples[1, 160:320] = np.nan
    samples[0, 300:480] = np.inf
    writer = record(tmp_path / "s", samples, chunk=250)
    writer.finish()
    heard = everything(tmp_path / "s")
    assert not heard[1, 160:320].any()
    assert not heard[0, 300:480].any()
    np.testing.assert_array_equal(heard[0, :300], rounded(samples)[0, :300])
    with SessionReader(tmp_path / "s") as reader:
        assert reader.gaps == (Gap(pts_ns=10_000_000, duration_ns=20_000_000, reason="not a number"),)


def test_clipping_is_counted_and_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    samples = sound(2, 1000)
    samples[0, 10:15] = [1.5, -3.0, 1.0, -1.0, 32767 / 32768]
    writer = record(tmp_path / "s", samples)
    writer.finish()
    assert load_info(tmp_path / "s").n_clipped == 5
    assert everything(tmp_path / "s")[0, 10:15].tolist() == [1 - 2**-23, -1.0, 1 - 2**-23, -1.0, 32767 / 32768]
    assert caplog.messages == ["session one: 5 samples are at full scale, so they were probably cut off; lower the gain of the microphones"]


def test_gaps_are_kept_merged_and_survive_a_torn_line(tmp_path: Path) -> None:
    writer = record(tmp_path / "s", sound(2, 1000))
    writer.mark_gap(Gap(pts_ns=0, duration_ns=50, reason="dropped"))
    writer.mark_gap(Gap(pts_ns=50, duration_ns=50, reason="dropped"))
    writer.mark_gap(Gap(pts_ns=60, duration_ns=10, reason="overrun"))
    writer.close()
    with (tmp_path / "s/gaps.jsonl").open("ab") as file:
        file.write(b'{"pts_ns": 5')
    merged = (Gap(pts_ns=0, duration_ns=100, reason="dropped"), Gap(pts_ns=60, duration_ns=10, reason="overrun"))
    with SessionReader(tmp_path / "s") as reader:
        assert reader.gaps == merged
    writer = SessionWriter(tmp_path / "s")
    writer.mark_gap(Gap(pts_ns=200, duration_ns=1, reason="dropped"))
    writer.close()
    with SessionReader(tmp_path / "s") as reader:
        assert reader.gaps == (*merged, Gap(pts_ns=200, duration_ns=1, reason="dropped"))


def test_a_missing_segment_is_a_gap_and_time_stays_right(tmp_path: Path) -> None:
    samples = sound(2, 9000)
    record(tmp_path / "s", samples).finish()
    (tmp_path / "s/audio/000001.flac").unlink()
    with SessionReader(tmp_path / "s") as reader:
        assert reader.faults() == ["session one: 000001.flac cannot be read, is shorter than it must be, or is missing"]
        heard = reader.read(0, 9000)
        assert reader.gaps == (Gap(pts_ns=250_000_000, duration_ns=250_000_000, reason="unreadable"),)
    expected = rounded(samples)
    expected[:, 4000:8000] = 0
    np.testing.assert_array_equal(heard, expected)


def test_a_damaged_segment_gives_what_can_be_read(tmp_path: Path) -> None:
    samples = sound(2, 45_000)
    record(tmp_path / "s", samples, chunk=5000, segment_frames=40_000).finish()
    path = tmp_path / "s/audio/000000.flac"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 500] = bytes(500)
    path.write_bytes(data)
    with SessionReader(tmp_path / "s") as reader:
        heard = reader.read(0, 45_000)
        (gap,) = reader.gaps
    assert gap.reason == "unreadable"
    assert 0 < gap.duration_ns < 10**9
    first, end = gap.pts_ns * RATE // 10**9, gap.end_ns * RATE // 10**9
    assert first < 20_000 < end
    np.testing.assert_array_equal(heard[:, :first], rounded(samples)[:, :first])
    np.testing.assert_array_equal(heard[:, end:], rounded(samples)[:, end:])
    assert not heard[:, first:end].any()


def test_a_writer_does_not_throw_away_a_damaged_last_segment(tmp_path: Path) -> None:
    samples = sound(2, 5000)
    record(tmp_path / "s", samples).finish(complete=False)
    damaged = tmp_path / "s/audio/000001.flac"
    damaged.write_bytes(b"not flac at all")
    with SessionReader(tmp_path / "s") as reader:
        assert reader.frames == 4000
        assert len(reader.faults()) == 1
    writer = SessionWriter(tmp_path / "s")
    assert writer.frames == 8000
    writer.append(samples[:, :100])
    writer.finish()
    assert damaged.read_bytes() == b"not flac at all"
    with SessionReader(tmp_path / "s") as reader:
        heard = reader.read(0, 9000)
        assert reader.gaps == (Gap(pts_ns=250_000_000, duration_ns=250_000_000, reason="unreadable"),)
    np.testing.assert_array_equal(heard[:, 8000:], rounded(samples)[:, :100])


def test_a_session_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    create_session(tmp_path / "s", info())
    path = tmp_path / "s/session.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 2}))
    for use in (SessionReader, SessionWriter, recover):
        with pytest.raises(SessionError) as caught:
            use(tmp_path / "s")
        assert str(caught.value) == (
            f"{path}: written by a newer Echoic (version 2 of the recording; this one reads up to 1); update Echoic to use it"
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "cannot be read (Expecting property name"),
        ("[]", "expected a session with its version, found '[]'"),
        ('{"version": "x"}', "expected a session with its version"),
        ('{"version": 1, "id": "a"}', "KeyError in its values: 'array'"),
    ],
)
def test_a_damaged_session_json(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "session.json").write_text(text)
    with pytest.raises(SessionError, match=f"^{tmp_path}/session.json: ") as caught:
        load_info(tmp_path)
    assert expected in str(caught.value)


def test_a_directory_without_a_session(tmp_path: Path) -> None:
    with pytest.raises(SessionError) as caught:
        SessionReader(tmp_path)
    assert str(caught.value) == f"{tmp_path}: not a recorded session: there is no session.json"


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s", info())
    with pytest.raises(SessionError) as caught:
        SessionWriter(tmp_path / "s")
    assert str(caught.value) == f"session {tmp_path / 's'} is being recorded by another process; wait until it has ended"
    writer.close()
    writer.close()
    SessionWriter(tmp_path / "s").finish()


def test_another_array_cannot_go_on_with_a_session(tmp_path: Path) -> None:
    create_session(tmp_path / "s", info(2))
    with pytest.raises(SessionError) as caught:
        SessionWriter(tmp_path / "s", info(3))
    assert str(caught.value) == (
        "session one: recorded with array line (2 channels) at 16000 Hz; it cannot go on with array line (3 channels) at 16000 Hz: "
        "begin a new session"
    )
    writer = SessionWriter(tmp_path / "s", info(2))
    with pytest.raises(SessionError) as caught:
        writer.append(sound(3, 10))
    assert str(caught.value) == "session one: expected samples of shape (2, frames), found (3, 10); the array is line"
    writer.close()


def test_a_session_that_was_begun_is_left_as_it_is(tmp_path: Path) -> None:
    record(tmp_path / "s", sound(2, 5000)).finish()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").rglob("*")}
    found = create_session(tmp_path / "s", dataclasses.replace(info(), id="other", source="elsewhere"))
    assert (found.id, found.source, found.complete) == ("one", "room.wav", True)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "s").rglob("*")} == files
    with pytest.raises(SessionError, match="begin a new session"):
        create_session(tmp_path / "s", info(3))


def test_the_start_is_set_once_only(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s", info())
    later = STARTED.replace(minute=46)
    writer.start_at(later)
    writer.append(sound(2, 10))
    writer.start_at(STARTED)
    writer.close()
    assert load_info(tmp_path / "s").started_at == later


def test_a_start_without_offset_is_refused() -> None:
    with pytest.raises(SessionError) as caught:
        SessionInfo(id="a", source="", array=line_array(), started_at=datetime(2026, 1, 1))
    assert str(caught.value) == "session a: started_at needs an offset from UTC, found 2026-01-01T00:00:00"


def test_ids() -> None:
    assert session_id("0123456789abcdef" * 4) == "r-0123456789ab"
    assert live_session_id(STARTED) == "20260131-184502"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("free_bytes", [12_000, 40_000, 90_000, 170_000])
def test_a_full_disk_ends_the_recording_and_keeps_what_there_is(small_disk: Path, free_bytes: int) -> None:
    """A segment takes 72 kB as a tail and some 60 kB as FLAC: the disk fills up in the first tail, in its FLAC, or later."""
    directory = small_disk / "s"
    writer = SessionWriter(directory, info(segment_frames=12_000))
    samples = sound(2, 40_000)
    (small_disk / "ballast").write_bytes(bytes(200 * 1024 - free_bytes))
    with pytest.raises(SessionDiskError) as caught:
        fill(writer, samples)
    written = writer.frames
    assert re.fullmatch(
        r"session one, after \d+\.\d\d s of recording: the disk is full \(No space left on device\)\. "
        r"What was recorded before is whole; make room and run the same command again",
        str(caught.value),
    )
    with pytest.raises(SessionDiskError, match=r"^session one: the recording has ended because the disk failed$"):
        writer.append(samples[:, :10])
    writer.finish()
    kept = everything(directory)
    assert kept.shape[1] == written
    np.testing.assert_array_equal(kept, rounded(samples)[:, : kept.shape[1]])
    assert not load_info(directory).complete
    subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
    writer = SessionWriter(directory)
    assert writer.frames == kept.shape[1]
    writer.append(samples[:, kept.shape[1] :])
    writer.finish()
    np.testing.assert_array_equal(everything(directory), rounded(samples))


def test_a_disk_that_refuses_for_another_reason(tmp_path: Path) -> None:
    """A limit on the length of a file stands for the disk."""
    writer = SessionWriter(tmp_path / "s", info(segment_frames=12_000))
    samples = sound(2, 12_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        with pytest.raises(SessionDiskError) as caught:
            fill(writer, samples, chunk=4900)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == (
        "session one, after 0.31 s of recording: cannot be written ([Errno 27] File too large). What was recorded before is whole"
    )
    writer.close()
    np.testing.assert_array_equal(everything(tmp_path / "s"), rounded(samples)[:, :4900])
