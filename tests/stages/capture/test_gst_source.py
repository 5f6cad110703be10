"""Live sound through real GStreamer pipelines: in real time, lost, reconnected, refused; and nothing left behind."""

from __future__ import annotations

import gc
import logging
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from pipeline.packets import AudioBlock, Float32Array, Gap, Packet
from pipeline.pcm import quantise, to_float
from pipeline.session import SessionReader
from pipeline.session_info import SessionDiskError
from pipeline.testing import noise
from stages.capture.file_source import FileSource
from stages.capture.gst_source import GstSource
from stages.capture.recording import Recording
from stages.capture.source_info import SourceError

RATE = 16000
LIVE = "audiotestsrc is-live=true samplesperbuffer=160 ! audio/x-raw,rate=16000"


@pytest.fixture(autouse=True)
def _no_threads_left() -> Any:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def sound() -> Float32Array:
    return to_float(quantise(np.stack([noise(1.5, seed=seed, amplitude=0.1) for seed in range(8)])).levels)


@pytest.fixture
def wav(tmp_path: Path, sound: Float32Array) -> Path:
    soundfile.write(tmp_path / "eight.wav", sound.T, RATE, subtype="PCM_24", format="WAVEX")
    return tmp_path / "eight.wav"


def capture(pipeline: str, array: str = "mono", **settings: Any) -> list[Packet]:
    source = GstSource(pipeline, array, **settings)
    source.start()
    try:
        return [emit.packet for emit in source.packets()]
    finally:
        source.stop()
        source.recording.stop()


def heard(packets: list[Packet]) -> Float32Array:
    return np.concatenate([packet.samples for packet in packets if isinstance(packet, AudioBlock)], axis=1)


def gaps(packets: list[Packet]) -> list[Gap]:
    return [packet for packet in packets if isinstance(packet, Gap)]


def test_a_file_is_played_in_real_time_and_recorded_bit_for_bit(tmp_path: Path, wav: Path, sound: Float32Array) -> None:
    begin, started = time.monotonic(), datetime.now(UTC)
    packets = capture(f"filesrc location={wav} ! decodebin", "linear8", recording=Recording(str(tmp_path / "s")))
    assert 1.4 < time.monotonic() - begin < 10.0
    np.testing.assert_array_equal(heard(packets), sound)
    assert [packet.pts_ns for packet in packets] == [index * 32_000_000 for index in range(47)]
    with SessionReader(tmp_path / "s") as reader:
        assert reader.info.complete
        assert abs(reader.info.started_at - started) < timedelta(seconds=3)
        np.testing.assert_array_equal(reader.read(0, 10**6), sound)
    replayed = FileSource(str(tmp_path / "s"))
    replayed.start()
    np.testing.assert_array_equal(heard([emit.packet for emit in replayed.packets()]), sound)
    replayed.stop()


def test_as_fast_as_it_can(wav: Path, sound: Float32Array) -> None:
    np.testing.assert_array_equal(heard(capture(f"filesrc location={wav} ! wavparse", "linear8", real_time=False)), sound)
    begin = time.monotonic()
    packets = capture("audiotestsrc num-buffers=300 samplesperbuffer=1600 ! audio/x-raw,rate=16000", real_time=False)
    assert packets[-1].end_ns == 30 * 10**9
    assert time.monotonic() - begin < 15


def test_channels_of_the_array_are_picked(wav: Path, sound: Float32Array) -> None:
    np.testing.assert_array_equal(heard(capture(f"filesrc location={wav} ! wavparse", "uma8", real_time=False)), sound[:7])


def test_another_rate_is_resampled(tmp_path: Path) -> None:
    samples = noise(1.0, 48_000)
    soundfile.write(tmp_path / "a.wav", samples, 48_000)
    packets = capture(f"filesrc location={tmp_path / 'a.wav'} ! wavparse", real_time=False)
    assert abs(heard(packets).shape[1] - RATE) <= 2


def test_a_live_source_runs_in_real_time_and_ends_when_interrupted(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path / "s"))
    source = GstSource(LIVE, "linear8", recording=recording)
    source.start()
    packets = []
    begin = time.monotonic()
    for emit in source.packets():
        packets.append(emit.packet)
        assert recording.lag_ns < 3 * 10**9
        if len(packets) == 25:
            source.interrupt()
    taken_s = time.monotonic() - begin
    recording.stop()
    assert 0.7 < taken_s < 8
    assert gaps(packets) == []
    with SessionReader(tmp_path / "s") as reader:
        assert reader.info.complete
        assert reader.frames == heard(packets).shape[1] >= 25 * 512
        np.testing.assert_array_equal(reader.read(0, 10**6), heard(packets))


def test_stopping_while_nobody_reads(tmp_path: Path) -> None:
    source = GstSource(LIVE, "mono", recording=Recording(str(tmp_path / "s")))
    source.start()
    stream = source.packets()
    next(stream)
    source.stop()
    source.stop()
    rest = [emit.packet for emit in stream]
    assert isinstance(rest[-1], AudioBlock)
    source.recording.stop()
    with SessionReader(tmp_path / "s") as reader:
        assert reader.info.complete


def test_a_graph_that_is_slow_loses_nothing(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path / "s"), ring_s=0.2)
    source = GstSource(f"{LIVE} ! identity", "mono", recording=recording)
    source.start()
    packets: list[Packet] = []
    for emit in source.packets():
        packets.append(emit.packet)
        if len(packets) == 2:
            time.sleep(1.0)
            assert recording.lag_ns > 0.6 * 10**9
            source.interrupt()
    recording.stop()
    assert gaps(packets) == []
    with SessionReader(tmp_path / "s") as reader:
        np.testing.assert_array_equal(reader.read(0, 10**6), heard(packets))


# A source that dies


def test_a_source_that_fails_keeps_what_was_captured(tmp_path: Path) -> None:
    source = GstSource(f"{LIVE} ! identity error-after=60", "mono", recording=Recording(str(tmp_path / "s")), retries=0)
    source.start()
    packets: list[Packet] = []
    with pytest.raises(SourceError) as caught:
        packets.extend(emit.packet for emit in source.packets())
    source.recording.stop()
    assert str(caught.value) == f"source '{LIVE} ! identity error-after=60': Failed after iterations as requested"
    with SessionReader(tmp_path / "s") as reader:
        assert reader.frames == 59 * 160
        assert reader.info.complete


def test_everything_before_a_failure_reaches_the_graph() -> None:
    source = GstSource(f"{LIVE} ! identity error-after=60", "mono", retries=0)
    source.start()
    packets: list[Packet] = []
    stream = source.packets()
    with pytest.raises(SourceError):
        collect(stream, packets)
    assert heard(packets).shape[1] == 59 * 160


def collect(stream: Any, packets: list[Packet]) -> None:
    for emit in stream:
        packets.append(emit.packet)  # noqa: PERF401 - what came before an error must be kept


def test_a_live_source_that_fails_is_opened_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    source = GstSource(f"{LIVE} ! identity error-after=30", "mono", Recording(str(tmp_path / "s")), retries=2, reconnect_s=0.3)
    source.start()
    packets: list[Packet] = []
    begin = time.monotonic()
    with pytest.raises(SourceError, match="Failed after iterations as requested"):
        collect(source.packets(), packets)
    taken_s = time.monotonic() - begin
    source.recording.stop()
    assert source.n_reconnects == 2
    lost = gaps(packets)
    assert {gap.reason for gap in lost} == {"source ended"}
    assert 0.6 <= sum(gap.duration_ns for gap in lost) / 10**9 < 5
    with SessionReader(tmp_path / "s") as reader:
        assert len(reader.gaps) == 2
        # Three times 29 buffers of 10 ms, the rest was lost, and session time has kept up with the world.
        duration_s = reader.duration_ns / 10**9
        assert duration_s - sum(gap.duration_ns for gap in reader.gaps) / 10**9 == pytest.approx(0.87, abs=0.001)
        assert duration_s == pytest.approx(taken_s, abs=2.0)
    assert caplog.messages[0] == (
        f"source '{LIVE} ! identity error-after=30': Failed after iterations as requested; trying again in 0.3 s (1 of 2)"
    )


def test_an_end_may_be_a_loss_too() -> None:
    packets: list[Packet] = []
    source = GstSource(f"{LIVE.replace('is-live', 'num-buffers=20 is-live')}", "mono", retries=1, reconnect_s=0.2, retry_at_end=True)
    source.start()
    with pytest.raises(SourceError, match="the stream has ended"):
        collect(source.packets(), packets)
    assert {gap.reason for gap in gaps(packets)} == {"source ended"}
    packets = capture(LIVE.replace("is-live", "num-buffers=20 is-live"))
    assert heard(packets).shape[1] == 3200


def test_a_file_that_fails_is_not_tried_again() -> None:
    source = GstSource("audiotestsrc ! identity error-after=10", "mono", real_time=False)
    source.start()
    with pytest.raises(SourceError, match="Failed after iterations"):
        list(source.packets())
    assert source.n_reconnects == 0


def test_an_interrupt_ends_the_waiting_for_a_source() -> None:
    source = GstSource(f"{LIVE} ! identity error-after=20", "mono", reconnect_s=60.0)
    source.start()
    threading.Timer(1.0, source.interrupt).start()
    begin = time.monotonic()
    packets = [emit.packet for emit in source.packets()]
    assert time.monotonic() - begin < 5
    assert sum(gap.duration_ns for gap in gaps(packets)) > 0.2 * 10**9
    time.sleep(0.05)


def test_a_full_disk_ends_the_capture_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(str(tmp_path / "s"))
    source = GstSource(LIVE, "mono", recording=recording)
    source.start()
    appended = recording.append

    def refuse(samples: Float32Array) -> None:
        if recording.frames >= 8000:
            raise SessionDiskError("session s: the disk is full")
        appended(samples)

    monkeypatch.setattr(recording, "append", refuse)
    packets: list[Packet] = []
    with pytest.raises(SessionDiskError, match="the disk is full"):
        collect(source.packets(), packets)
    recording.stop()
    assert heard(packets).shape[1] == 8000
    with SessionReader(tmp_path / "s") as reader:
        assert reader.frames == 8000
        assert not reader.info.complete


# Time


def test_samples_that_the_source_lost_are_a_gap_of_the_right_length(tmp_path: Path) -> None:
    """A valve that shuts for a while stands for a device that drops: its timestamps go on."""
    recording = Recording(str(tmp_path / "s"))
    source = GstSource(f"{LIVE} ! valve name=valve", "mono", recording=recording)
    source.start()
    packets: list[Packet] = []
    for emit in source.packets():
        packets.append(emit.packet)
        if len(packets) == 10:
            set_on_pipeline(source, "valve", "drop", True)
            threading.Timer(0.5, set_on_pipeline, (source, "valve", "drop", False)).start()
        if len(packets) == 40:
            source.interrupt()
    recording.stop()
    (gap,) = recording.gaps
    assert gap.reason == "dropped"
    assert 0.4 < gap.duration_ns / 10**9 < 4.0
    assert sum(packet.duration_ns for packet in gaps(packets)) == gap.duration_ns
    with SessionReader(tmp_path / "s") as reader:
        first, end = gap.pts_ns * RATE // 10**9, gap.end_ns * RATE // 10**9
        assert not reader.read(first, end - first).any()
        assert reader.read(first - 100, 100).any()
        assert reader.read(end, 100).any()


def set_on_pipeline(source: GstSource, element: str, name: str, value: bool) -> None:
    assert source.playing is not None
    source.playing.element(element).set_property(name, value)


# What cannot be used


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ("audiotestsc", 'GStreamer says no element "audiotestsc"; did you mean audiotestsrc?'),
        ("zzqqxx", 'GStreamer says no element "zzqqxx"; see what there is with: gst-inspect-1.0'),
        ("nicesrc", 'GStreamer says no element "nicesrc"; install it: apt-get install gstreamer1.0-nice'),
        (
            "audiotestsrc wave=loud",
            'GStreamer says could not set property "wave" in element "audiotestsrc" to "loud"; write it as for gst-launch-1.0, '
            "without a sink; try it with: gst-launch-1.0 audiotestsrc wave=loud ! fakesink",
        ),
        (
            "audiotestsrc ! audio/x-raw,channels=3",
            "it does not give what is needed (echoic_filter can't handle caps audio/x-raw, channels=(int)3)",
        ),
        ("videotestsrc", "it does not give what is needed (could not link videotestsrc0 to echoic_filter)"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused_at_the_start(pipeline: str, expected: str) -> None:
    with pytest.raises(SourceError) as caught:
        GstSource(pipeline, "mono").start()
    assert re.sub(r"src\d+", "src0", str(caught.value)) == f"source {pipeline!r}: {expected}"


def test_what_cannot_be_opened_says_why(wav: Path) -> None:
    with pytest.raises(SourceError) as caught:
        capture("filesrc location=/nowhere.wav ! decodebin")
    assert str(caught.value) == "source 'filesrc location=/nowhere.wav ! decodebin': Resource not found (No such file \"/nowhere.wav\")"
    description = f"filesrc location={wav} ! wavparse"
    with pytest.raises(SourceError) as caught:
        capture(description, "stereo")
    assert str(caught.value).startswith(
        f"source {description!r}: there is no sound in it with 2 channels, which the array needs; it offers audio/x-raw, "
    )
    assert "channels=(int)8" in str(caught.value)


def test_a_source_that_gives_nothing_has_failed() -> None:
    """Such as decodebin when it has swallowed the error of a demuxer."""
    with pytest.raises(SourceError) as caught:
        capture("appsrc is-live=true", patience_s=0.3)
    assert str(caught.value) == "source 'appsrc is-live=true': it has given nothing for 0.3 s"


def test_a_live_source_begins_a_new_session(tmp_path: Path) -> None:
    description = "audiotestsrc num-buffers=10"
    capture(description, recording=Recording(str(tmp_path / "s")), real_time=False)
    with pytest.raises(SourceError) as caught:
        capture(description, recording=Recording(str(tmp_path / "s")), real_time=False)
    assert str(caught.value) == f"source {description!r}: session s holds 0.6 s already; a live source begins a new session"


# Nothing is left behind


def test_many_starts_leave_nothing_behind() -> None:
    process = psutil.Process()

    def many(n: int) -> None:
        for _ in range(n):
            capture("audiotestsrc num-buffers=5 ! audio/x-raw,rate=16000,channels=8", "linear8", real_time=False)
        gc.collect()

    many(10)
    before, files = process.memory_info().rss, process.num_fds()
    many(40)
    assert process.memory_info().rss - before < 8 * 2**20
    assert process.num_fds() <= files + 2
    assert process.num_threads() < 40


def test_a_long_capture_keeps_its_memory(tmp_path: Path) -> None:
    """Three minutes of eight channels beside a video branch, as fast as it goes; the ring and the segment are full after 30 s."""
    process = psutil.Process()
    pipeline = (
        "videotestsrc num-buffers=200 ! fakesink audiotestsrc num-buffers=1800 samplesperbuffer=1600 ! audio/x-raw,rate=16000,channels=8"
    )
    source = GstSource(pipeline, "linear8", recording=Recording(str(tmp_path / "s")), real_time=False)
    source.start()
    after_a_minute = 0
    for emit in source.packets():
        if emit.packet.pts_ns == 64 * 10**9:
            gc.collect()
            after_a_minute = process.memory_info().rss
    gc.collect()
    source.recording.stop()
    assert after_a_minute > 0
    assert process.memory_info().rss - after_a_minute < 20 * 2**20
    with SessionReader(tmp_path / "s") as reader:
        assert reader.frames == 180 * RATE


@pytest.mark.parametrize(("n_channels", "array"), [(2, "two_lanes"), (4, "respeaker4"), (7, "uma8"), (8, "linear8")])
def test_the_microphones_of_a_flac_file_keep_their_order(tmp_path: Path, sound: Float32Array, n_channels: int, array: str) -> None:
    soundfile.write(tmp_path / "array.flac", sound[:n_channels].T, RATE, subtype="PCM_24")
    packets = capture(f"filesrc location={tmp_path}/array.flac ! decodebin", array, real_time=False)
    np.testing.assert_array_equal(heard(packets), sound[:n_channels])


@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
def test_seven_channels_need_no_loudspeaker_positions(tmp_path: Path, sound: Float32Array, form: str) -> None:
    soundfile.write(tmp_path / "seven.wav", sound[:7].T, RATE, subtype="PCM_24", format=form)
    packets = capture(f"filesrc location={tmp_path}/seven.wav ! wavparse", "uma8", real_time=False)
    np.testing.assert_array_equal(heard(packets), sound[:7])
