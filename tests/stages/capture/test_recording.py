"""The recording as a queue: what a slow reader hears, and what is lost without a disk."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import AudioBlock, Float32Array, Gap
from pipeline.pcm import quantise, to_float
from pipeline.session import SessionReader
from pipeline.session_info import SessionError, SessionInfo
from pipeline.testing import line_array, noise
from stages.capture.recording import Recording

RATE = 16000
BLOCK = 512


def info(n_channels: int = 2) -> SessionInfo:
    started = datetime(2026, 1, 1, tzinfo=UTC)
    return SessionInfo(id="one", source="s", array=line_array(n_channels), started_at=started, segment_frames=20_000)


@pytest.fixture
def sound() -> Float32Array:
    return np.stack([noise(4.0, seed=seed, amplitude=0.1) for seed in range(2)])


def heard(packets: list[AudioBlock | Gap]) -> Float32Array:
    return np.concatenate([packet.samples for packet in packets if isinstance(packet, AudioBlock)], axis=1)


def fill(recording: Recording, sound: Float32Array, chunk: int = 1000) -> None:
    for first in range(0, sound.shape[1], chunk):
        recording.append(sound[:, first : first + chunk])


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_reader_gets_every_sample_while_it_is_recorded(tmp_path: Path, sound: Float32Array, on_disk: bool) -> None:
    recording = Recording(str(tmp_path / "s") if on_disk else "", ring_s=30.0)
    recording.begin(info())
    got: list[AudioBlock | Gap] = []
    reader = threading.Thread(target=lambda: got.extend(recording.blocks(0, BLOCK)))
    reader.start()
    fill(recording, sound, chunk=333)
    recording.end()
    reader.join()
    recording.stop()
    np.testing.assert_array_equal(heard(got), to_float(quantise(sound).levels))
    assert [packet.pts_ns for packet in got] == [index * BLOCK * 10**9 // RATE for index in range(len(got))]
    assert recording.n_overruns == 0


def test_a_reader_behind_the_ring_reads_from_the_disk(tmp_path: Path, sound: Float32Array) -> None:
    recording = Recording(str(tmp_path / "s"), ring_s=0.1)
    recording.begin(info())
    playhead = recording.playhead(0, BLOCK)
    fill(recording, sound)
    assert recording.lag_ns == 4 * 10**9
    got = list(recording.ready(playhead))
    assert recording.lag_ns < BLOCK * 10**9 // RATE
    recording.end()
    got += recording.ready(playhead)
    recording.stop()
    np.testing.assert_array_equal(heard(got), to_float(quantise(sound).levels))
    assert (recording.n_overruns, recording.gaps) == (0, ())


def test_without_a_disk_what_the_ring_lost_is_counted_and_told(sound: Float32Array) -> None:
    recording = Recording(ring_s=1.0)
    recording.begin(info())
    playhead = recording.playhead(0, BLOCK)
    fill(recording, sound)
    recording.end()
    got = list(recording.ready(playhead))
    first = -(-3 * RATE // BLOCK) * BLOCK
    np.testing.assert_array_equal(heard(got), to_float(quantise(sound).levels)[:, first:])
    assert recording.n_overruns == 1
    assert recording.gaps == (Gap(pts_ns=0, duration_ns=first * 10**9 // RATE, reason="overrun"),)
    gaps = [packet for packet in got if isinstance(packet, Gap)]
    assert sum(gap.duration_ns for gap in gaps) == first * 10**9 // RATE
    assert {gap.reason for gap in gaps} == {"overrun"}


def test_the_ring_is_as_large_as_it_is_declared(sound: Float32Array) -> None:
    recording = Recording(ring_s=1.5)
    assert (recording.memory_bytes(), recording.ring_used_bytes()) == (24_000 * 8 * 4, 0)
    recording.begin(info())
    assert recording.memory_bytes() == recording.ring_bytes(2) == 24_000 * 2 * 4
    recording.append(sound[:, :1000])
    assert recording.ring_used_bytes() == 1000 * 2 * 4
    fill(recording, sound)
    assert recording.ring_used_bytes() == recording.memory_bytes()


def test_a_source_that_is_away_for_long_is_one_gap_in_ram(sound: Float32Array) -> None:
    recording = Recording(ring_s=1.0)
    recording.begin(info())
    recording.append_lost(100 * RATE, "source ended")
    recording.append(sound)
    recording.append_lost(10, "source ended")
    recording.append_lost(10, "dropped")
    assert [(gap.reason, gap.pts_ns * RATE // 10**9) for gap in recording.gaps] == [
        ("source ended", 0),
        ("source ended", 104 * RATE),
        ("dropped", 104 * RATE + 10),
    ]
    assert recording.gaps[0].duration_ns == 100 * 10**9


def test_capture_never_waits_for_the_reader(tmp_path: Path, sound: Float32Array) -> None:
    recording = Recording(str(tmp_path / "s"), ring_s=0.1)
    recording.begin(info())
    blocks = recording.blocks(0, BLOCK)
    recording.append(sound[:, :1000])
    next(blocks)
    begin = time.monotonic()
    fill(recording, sound[:, 1000:])
    assert time.monotonic() - begin < 3.0, "the reader stands still in the middle of a block"
    recording.end()
    assert sum(packet.duration_ns for packet in blocks) == 4 * 10**9 - 32 * 10**6
    recording.stop()


def test_a_lost_stretch_keeps_time_and_is_a_gap(tmp_path: Path, sound: Float32Array) -> None:
    recording = Recording(str(tmp_path / "s"))
    recording.begin(info())
    recording.append(sound[:, :5000])
    recording.append_lost(20_000, "dropped")
    recording.append(sound[:, :5000])
    recording.end()
    got = list(recording.blocks(0, BLOCK))
    recording.stop()
    assert sum(packet.duration_ns for packet in got if isinstance(packet, Gap)) == 20_000 * 10**9 // RATE
    last = got[-1]
    assert isinstance(last, AudioBlock)
    assert last.end_ns == 30_000 * 10**9 // RATE
    with SessionReader(tmp_path / "s") as reader:
        assert reader.gaps == (Gap(pts_ns=312_500_000, duration_ns=1_250_000_000, reason="dropped"),)
        np.testing.assert_array_equal(reader.read(25_000, 5000), to_float(quantise(sound[:, :5000]).levels))


def test_it_goes_on_where_it_was_interrupted(tmp_path: Path, sound: Float32Array) -> None:
    recording = Recording(str(tmp_path / "s"))
    assert recording.begin(info()) == 0
    recording.append(sound[:, :30_000])
    recording.stop()
    again = Recording(str(tmp_path / "s"))
    assert again.begin(info()) == 30_000
    playhead = again.playhead(10_000, BLOCK)
    again.append(sound[:, 30_000:])
    again.end()
    got = list(again.ready(playhead))
    again.stop()
    first = 10_000 // BLOCK * BLOCK
    np.testing.assert_array_equal(heard(got), to_float(quantise(sound).levels)[:, first:])


def test_a_complete_session_is_only_read(tmp_path: Path, sound: Float32Array) -> None:
    recording = Recording(str(tmp_path / "s"))
    recording.begin(info())
    fill(recording, sound)
    recording.end()
    recording.stop()
    files = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "s/audio").iterdir()}
    again = Recording(str(tmp_path / "s"))
    assert again.begin(info()) == 64_000
    np.testing.assert_array_equal(heard(list(again.blocks(0, BLOCK))), to_float(quantise(sound).levels))
    with pytest.raises(SessionError) as caught:
        again.append(sound)
    assert str(caught.value) == "session one: the recording has ended; nothing can be added to it"
    again.end()
    again.stop()
    again.stop()
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "s/audio").iterdir()} == files


def test_a_failure_of_capture_reaches_the_reader_after_everything_else(sound: Float32Array) -> None:
    recording = Recording()
    recording.begin(info())
    recording.append(sound)
    recording.end(failure=SessionError("the microphone is gone"))
    got: list[AudioBlock | Gap] = []
    with pytest.raises(SessionError, match=r"^the microphone is gone$"):
        got.extend(recording.blocks(0, BLOCK))
    blocks = recording.blocks(0, BLOCK)
    got = [next(blocks) for _ in range(125)]
    np.testing.assert_array_equal(heard(got), to_float(quantise(sound).levels))


def test_damage_on_the_disk_is_a_gap_for_a_reader_that_needs_it(tmp_path: Path, sound: Float32Array) -> None:
    recording = Recording(str(tmp_path / "s"), ring_s=0.1)
    recording.begin(info())
    fill(recording, sound)
    recording.end()
    (tmp_path / "s/audio/000001.flac").unlink()
    got = list(recording.blocks(0, BLOCK))
    recording.stop()
    gaps = [packet for packet in got if isinstance(packet, Gap)]
    assert {gap.reason for gap in gaps} == {"unreadable"}
    assert (gaps[0].pts_ns, gaps[-1].end_ns) == (1_250_000_000, 2_500_000_000)


def test_nothing_can_be_recorded_before_it_has_begun() -> None:
    with pytest.raises(SessionError) as caught:
        Recording().append(np.zeros((1, 1), dtype=np.float32))
    assert str(caught.value) == "the recording has not begun: a source begins it with what it knows of its session"
    assert Recording().duration_ns == Recording().lag_ns == 0
