"""Recordings as sources: every format, rate and array; resumed, paced, interrupted, and in every broken state."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.geometry import GeometryError
from pipeline.packets import AudioBlock, Float32Array, Gap, Packet
from pipeline.pcm import quantise, to_float
from pipeline.session import SessionReader, SessionWriter, recover
from pipeline.session_info import SessionError, SessionInfo, load_info
from pipeline.testing import line_array, noise, run_stage, tone
from stages.capture.file_source import FileSource, array_for, content_hash, probe
from stages.capture.recording import Recording
from stages.capture.source_info import SourceError, fitting_arrays

RATE = 16000


@pytest.fixture
def sound() -> Float32Array:
    return rounded(np.stack([noise(3.3, seed=seed, amplitude=0.1) for seed in range(2)]))


def rounded(samples: Float32Array) -> Float32Array:
    """To 24 bits, because libsndfile rounds differently in each format."""
    return to_float(quantise(samples).levels)


def write(path: Path, samples: Float32Array, rate: int = RATE, subtype: str | None = "PCM_24") -> Path:
    soundfile.write(path, samples.T, rate, subtype=subtype)
    return path


def play(path: Path | str, **settings: Any) -> list[Packet]:
    return run_stage(FileSource(str(path), **settings))["audio"]


def heard(packets: list[Packet]) -> Float32Array:
    return np.concatenate([packet.samples for packet in packets if isinstance(packet, AudioBlock)], axis=1)


def gaps(packets: list[Packet]) -> list[Gap]:
    return [packet for packet in packets if isinstance(packet, Gap)]


def same(left: list[Packet], right: list[Packet]) -> bool:
    def key(packet: Packet) -> tuple[Any, ...]:
        return type(packet), packet.pts_ns, packet.duration_ns, packet.samples.tobytes() if isinstance(packet, AudioBlock) else ""

    return [key(packet) for packet in left] == [key(packet) for packet in right]


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff"])
def test_blocks_hold_the_samples_of_the_file(tmp_path: Path, sound: Float32Array, name: str) -> None:
    packets = play(write(tmp_path / name, sound))
    np.testing.assert_array_equal(heard(packets), sound)
    assert [packet.pts_ns for packet in packets] == [index * 32_000_000 for index in range(104)]
    first = packets[0]
    assert isinstance(first, AudioBlock)
    assert (first.sample_rate_hz, first.array.name, first.samples.shape) == (RATE, "two_lanes", (2, 512))
    assert packets[-1].end_ns == 3_300_000_000


def test_compressed_files_are_played(tmp_path: Path) -> None:
    samples = tone(440.0, 2.0)[None]
    for name in ("a.ogg", "a.mp3"):
        packets = play(write(tmp_path / name, samples, subtype=None))
        assert abs(packets[-1].end_ns - 2 * 10**9) < 0.1 * 10**9
        spectrum = np.abs(np.fft.rfft(heard(packets)[0, 8000:24_000]))
        assert np.argmax(spectrum) == 440


def test_copied_not_copied_and_replayed_are_the_same_bit_for_bit(tmp_path: Path, sound: Float32Array) -> None:
    path = write(tmp_path / "a.wav", sound, rate=44100, subtype="FLOAT")
    copied = play(path, recording=Recording(str(tmp_path / "s")))
    assert load_info(tmp_path / "s").complete
    assert same(copied, play(path, recording=Recording(str(tmp_path / "other")), copy=False))
    assert not (tmp_path / "other").exists()
    path.unlink()
    assert same(copied, play(path, recording=Recording(str(tmp_path / "s")))), "the recording is complete, so the file is not needed"
    assert same(copied, play(tmp_path / "s")), "a recorded session is a source too"
    assert same(copied, play(tmp_path / "s", recording=Recording(str(tmp_path / "s"))))
    assert same(copied, play(tmp_path / "s", recording=Recording(str(tmp_path / "copy"))))
    assert load_info(tmp_path / "copy").started_at == load_info(tmp_path / "s").started_at


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("interrupted_after", [1, 20, 90])
def test_an_interrupted_replay_goes_on_and_ends_up_the_same(tmp_path: Path, sound: Float32Array, rate: int, interrupted_after: int) -> None:
    path = write(tmp_path / "a.wav", np.tile(sound, (1, 3)), rate)
    whole = play(path, recording=Recording(str(tmp_path / "whole")))
    recording = Recording(str(tmp_path / "s"))
    source = FileSource(str(path), recording=recording)
    source.start()
    first = []
    for emit in source.packets():
        first.append(emit.packet)
        if len(first) == interrupted_after:
            source.interrupt()
    source.stop()
    recording.stop()
    assert len(first) < len(whole)
    assert not load_info(tmp_path / "s").complete
    assert same(first, whole[: len(first)])
    assert len(first) == interrupted_after
    assert same(play(path, recording=Recording(str(tmp_path / "s"))), whole)
    assert load_info(tmp_path / "s").complete
    with SessionReader(tmp_path / "s") as reader, SessionReader(tmp_path / "whole") as expected:
        np.testing.assert_array_equal(reader.read(0, 10**6), expected.read(0, 10**6))


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize(("start_s", "first_block"), [(0.0, 0), (0.031, 0), (0.032, 1), (1.5, 46), (3.299, 103), (9.0, 104)])
def test_a_later_start_gives_the_rest_on_the_same_grid(
    tmp_path: Path, sound: Float32Array, copy: bool, start_s: float, first_block: int
) -> None:
    path = write(tmp_path / "a.wav", sound, rate=RATE)
    whole = play(path)
    rest = play(path, start_s=start_s, recording=Recording(str(tmp_path / "s")), copy=copy)
    assert same(rest, whole[first_block:])
    if copy:
        assert same(play(path, start_s=start_s, recording=Recording(str(tmp_path / "s"))), rest)


def test_kill_9_in_the_middle_of_a_replay(tmp_path: Path, sound: Float32Array) -> None:
    path = write(tmp_path / "a.wav", sound, rate=48000)
    whole = play(path)
    program = f"""
from stages.capture.file_source import FileSource
from stages.capture.recording import Recording
source = FileSource({str(path)!r}, recording=Recording({str(tmp_path / "s")!r}), speed=1.0)
source.start()
for emit in source.packets():
    print(emit.packet.end_ns, flush=True)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        reached = 0
        for line in process.stdout:
            reached = int(line)
            if reached >= 500_000_000:
                break
        process.send_signal(signal.SIGKILL)
    kept = recover(tmp_path / "s")
    assert kept * 10**9 // RATE >= reached
    assert same(play(path, recording=Recording(str(tmp_path / "s"))), whole)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 32000, 44100, 48000, 96000])
def test_another_rate_keeps_the_time_of_every_sample(tmp_path: Path, rate: int) -> None:
    """Clicks at known times; a resampler that delayed or dropped anything would move them."""
    samples = np.zeros((1, rate * 2 + 7), dtype=np.float32)
    clicks_s = [0.0, 0.5, 1.25, 1.9]
    for click in clicks_s:
        samples[0, round(click * rate)] = 0.5
    packets = play(write(tmp_path / "a.wav", samples, rate), speed=0)
    got = heard(packets)[0]
    assert len(got) == int((samples.shape[1] * RATE) / rate + 0.5)
    assert packets[-1].end_ns == len(got) * 10**9 // RATE
    for click in clicks_s:
        exact = round(click * rate) / rate
        around = round(exact * RATE)
        window = np.abs(got[max(0, around - 40) : around + 40])
        assert abs(int(np.argmax(window)) + max(0, around - 40) - exact * RATE) <= 1.0, f"the click at {exact} s"


def test_channels_of_the_array_are_picked_in_its_order(tmp_path: Path) -> None:
    samples = np.stack([np.full(2000, (channel + 1) / 16, dtype=np.float32) for channel in range(6)])
    path = write(tmp_path / "six.wav", samples)
    array = tmp_path / "mine.yaml"
    array.write_text("name: mine\nchannels: [3, 1]\npositions_m: [[0, 0, 0], [0.05, 0, 0]]\n")
    packets = play(path, array=str(array), recording=Recording(str(tmp_path / "s")))
    np.testing.assert_array_equal(heard(packets)[:, 0], [4 / 16, 2 / 16])
    assert load_info(tmp_path / "s").array.channels == (3, 1)
    # The channels are not picked a second time.
    np.testing.assert_array_equal(heard(play(tmp_path / "s")), heard(packets))


def test_a_big_array(tmp_path: Path) -> None:
    samples = rounded(np.stack([noise(1.2, seed=seed, amplitude=0.1) for seed in range(12)]))
    array = tmp_path / "big.yaml"
    array.write_text("name: big\npositions_m:\n" + "".join(f"  - [{index * 0.03:.2f}, 0, 0]\n" for index in range(12)))
    packets = play(write(tmp_path / "twelve.wav", samples), array=str(array), recording=Recording(str(tmp_path / "s")))
    np.testing.assert_array_equal(heard(packets), samples)
    assert sorted(path.name for path in (tmp_path / "s/audio").iterdir()) == ["000000-a.flac", "000000-b.flac"]
    assert same(play(tmp_path / "s"), packets)


@pytest.mark.parametrize(
    ("n_channels", "array", "expected"),
    [
        (2, "mono", "2 channels, but array mono needs exactly 1; arrays that fit are stereo, two_lanes"),
        (1, "uma8", "1 channel, but array uma8 needs at least 7; arrays that fit are mono"),
        (4, "", "4 channels, but an array must be named; arrays that fit are respeaker4"),
        (8, "", "8 channels, but an array must be named; arrays that fit are linear8, uma8"),
        (5, "stereo", "5 channels, but array stereo needs exactly 2; no shipped array fits"),
    ],
)
def test_a_file_that_does_not_fit_the_array(tmp_path: Path, n_channels: int, array: str, expected: str) -> None:
    path = write(tmp_path / "a.wav", np.zeros((n_channels, 100), dtype=np.float32))
    for use in (lambda: play(path, array=array), lambda: array_for(path, array), lambda: content_hash(path, array)):
        with pytest.raises(SourceError) as caught:
            use()
        assert str(caught.value) == f"{path}: {expected}, or give the path of a .yaml file with your own"


def test_arrays_that_fit() -> None:
    assert fitting_arrays(7) == ["uma8"]
    assert fitting_arrays(3) == []


def test_an_unknown_array(tmp_path: Path, sound: Float32Array) -> None:
    with pytest.raises(GeometryError, match="array 'umma8' is not known; the arrays are"):
        play(write(tmp_path / "a.wav", sound), array="umma8")


def test_speed_paces(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(440, 0.6)[None])
    begin = time.monotonic()
    play(path, speed=2.0)
    assert 0.29 <= time.monotonic() - begin < 5
    begin = time.monotonic()
    play(path, speed=1.0, start_s=0.3)
    assert 0.28 <= time.monotonic() - begin < 5


def test_an_interrupt_ends_a_paced_replay_at_once(tmp_path: Path) -> None:
    source = FileSource(str(write(tmp_path / "a.wav", tone(440, 60)[None])), speed=0.1)
    source.start()
    threading.Timer(0.8, source.interrupt).start()
    begin = time.monotonic()
    packets = [emit.packet for emit in source.packets()]
    source.stop()
    assert time.monotonic() - begin < 20
    assert 0 < len(packets) < 60


def test_an_interrupt_ends_the_reading_of_a_recording_too(tmp_path: Path, sound: Float32Array) -> None:
    play(write(tmp_path / "a.wav", sound), recording=Recording(str(tmp_path / "s")))
    source = FileSource(str(tmp_path / "s"))
    source.start()
    packets = []
    for emit in source.packets():
        packets.append(emit.packet)
        source.interrupt()
    source.stop()
    assert len(packets) == 1


def test_a_graph_that_stops_in_the_middle_leaves_a_recording_to_go_on_with(tmp_path: Path, sound: Float32Array) -> None:
    path = write(tmp_path / "a.wav", sound)
    recording = Recording(str(tmp_path / "s"))
    source = FileSource(str(path), recording=recording)
    source.start()
    stream = source.packets()
    next(stream)
    del stream
    source.stop()
    recording.stop()
    assert not load_info(tmp_path / "s").complete
    assert same(play(path, recording=Recording(str(tmp_path / "s"))), play(path))


# What is broken


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.touch()
    with pytest.raises(SourceError) as caught:
        probe(path)
    assert str(caught.value) == f"{path}: the file is empty"


def test_a_file_without_samples(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros((1, 0), dtype=np.float32))
    with pytest.raises(SourceError) as caught:
        play(path)
    assert str(caught.value) == f"{path}: there is no sound in it"


def test_a_file_that_was_cut_off_in_its_head(tmp_path: Path, sound: Float32Array) -> None:
    path = write(tmp_path / "a.wav", sound)
    path.write_bytes(path.read_bytes()[:44])
    with pytest.raises(SourceError, match=f"^{path}: "):
        play(path)


@pytest.mark.parametrize(("name", "content"), [("a.wav", b"these are words, not sound\n" * 50), ("a.mp4", bytes(range(256)) * 40)])
def test_a_file_that_is_no_sound(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=f"^{path}: ") as caught:
        probe(path)
    assert len(str(caught.value)) > len(f"{path}: ") + 10


def test_a_file_that_is_not_there_or_may_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        play(tmp_path / "none.wav")
    assert str(caught.value) == f"{tmp_path / 'none.wav'}: cannot be read: No such file or directory"
    with pytest.raises(SourceError) as caught:
        play(tmp_path)
    assert (
        str(caught.value)
        == f"{tmp_path}: a directory, but not a recorded session (there is no session.json); give a sound file or a session"
    )
    with pytest.raises(SourceError) as caught:
        play("")
    assert str(caught.value) == "no recording was named: give its path"


def test_settings_are_checked(tmp_path: Path, sound: Float32Array) -> None:
    path = write(tmp_path / "a.wav", sound)
    with pytest.raises(SourceError) as caught:
        play(path, speed=-1.0)
    assert str(caught.value) == f"{path}: speed and start_s must be at least 0 and block_s from 0.001 to 1, found -1.0, 0.0 and 0.032"


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("rate", [16000, 48000])
def test_a_file_that_was_cut_off_is_kept_as_far_as_it_goes(tmp_path: Path, name: str, rate: int) -> None:
    sound = np.stack([noise(20.0, rate, seed=seed, amplitude=0.1) for seed in range(2)])
    path = write(tmp_path / name, sound, rate)
    whole = play(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    packets = play(path, recording=Recording(str(tmp_path / "s")))
    end_ns = max(packet.end_ns for packet in packets if isinstance(packet, AudioBlock))
    assert 12.5 * 10**9 < end_ns <= 14 * 10**9
    n_whole = end_ns // 32_000_000 - 2
    assert same(packets[:n_whole], whole[:n_whole])
    lost = gaps(packets)
    assert {gap.reason for gap in lost} == {"unreadable"}
    assert lost[-1].end_ns == 20 * 10**9
    assert abs(lost[0].pts_ns - end_ns) <= 10**9 // RATE + 1, "to the frame, which another rate rounds"
    with SessionReader(tmp_path / "s") as reader:
        assert reader.gaps == (Gap(pts_ns=lost[0].pts_ns, duration_ns=20 * 10**9 - lost[0].pts_ns, reason="unreadable"),)
        assert reader.info.complete
    assert same(play(tmp_path / "s"), packets)


def test_damage_in_the_middle_is_a_gap_and_time_goes_on(tmp_path: Path) -> None:
    sound = np.stack([noise(20.0, seed=seed, amplitude=0.1) for seed in range(2)])
    path = write(tmp_path / "a.flac", sound)
    whole = play(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    path.write_bytes(data)
    packets = play(path)
    assert packets[-1].end_ns == 20 * 10**9
    lost = gaps(packets)
    assert lost[0].pts_ns < 10 * 10**9 < lost[-1].end_ns
    assert lost[-1].end_ns - lost[0].pts_ns < 1.5 * 10**9
    assert same(packets[:200], whole[:200])
    assert same(packets[-200:], whole[-200:])


def test_silence_is_legal(tmp_path: Path) -> None:
    packets = play(write(tmp_path / "a.wav", np.zeros((1, RATE), dtype=np.float32)))
    assert len(packets) == 32
    assert not heard(packets).any()


@pytest.mark.parametrize("rate", [16000, 48000])
def test_values_that_are_no_numbers(tmp_path: Path, rate: int) -> None:
    sound = np.stack([noise(2.0, rate, seed=seed, amplitude=0.1) for seed in range(2)])
    clean = heard(play(write(tmp_path / "clean.wav", sound, rate, subtype="FLOAT")))
    sound[1, rate : rate + rate // 100] = np.nan
    packets = play(write(tmp_path / "a.wav", sound, rate, subtype="FLOAT"))
    assert gaps(packets) == [Gap(pts_ns=10**9, duration_ns=10**7, reason="not a number")]
    got = heard(packets)
    assert np.isfinite(got).all()
    np.testing.assert_array_equal(got[0], clean[0])
    np.testing.assert_array_equal(got[:, :15_000], clean[:, :15_000])
    np.testing.assert_array_equal(got[:, 18_000:], clean[:, 18_000:])
    assert np.abs(got[1, 16_010:16_150]).max() < 0.01


def test_clipping_is_counted(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path / "s"))
    play(write(tmp_path / "a.wav", np.clip(3 * tone(100, 1, amplitude=0.5), -1, 1)[None], subtype="FLOAT"), recording=recording)
    assert load_info(tmp_path / "s").n_clipped == recording.n_clipped > 5000


def test_an_array_cannot_be_changed_in_the_middle(tmp_path: Path, sound: Float32Array) -> None:
    path = write(tmp_path / "a.wav", sound)
    info = SessionInfo(id="s", source="x", array=line_array(2), started_at=datetime(2026, 1, 1, tzinfo=UTC))
    SessionWriter(tmp_path / "s", info).close()
    with pytest.raises(SourceError) as caught:
        play(path, array="stereo", recording=Recording(str(tmp_path / "s")))
    assert str(caught.value) == f"{path}: session s was begun with array line, not stereo; begin a new one"
    with pytest.raises(SourceError) as caught:
        array_for(tmp_path / "s", "stereo")
    assert "nothing was recorded in this session" in str(caught.value)
    play(tmp_path / "s", recording=Recording(str(tmp_path / "s")))


def test_a_session_brings_its_own_array(tmp_path: Path, sound: Float32Array) -> None:
    play(write(tmp_path / "a.wav", sound), array="stereo", recording=Recording(str(tmp_path / "s")))
    assert array_for(tmp_path / "s").name == "stereo"
    assert probe(tmp_path / "s").started_at == load_info(tmp_path / "s").started_at
    with pytest.raises(SourceError) as caught:
        play(tmp_path / "s", array="mono")
    assert str(caught.value) == f"{tmp_path / 's'}: recorded with array stereo, so it cannot be heard with array mono; leave the array out"


def test_a_session_of_a_newer_version(tmp_path: Path, sound: Float32Array) -> None:
    play(write(tmp_path / "a.wav", sound), recording=Recording(str(tmp_path / "s")))
    info = tmp_path / "s/session.json"
    info.write_text(info.read_text().replace('"version": 1', '"version": 7'))
    with pytest.raises(SessionError, match="written by a newer Echoic"):
        probe(tmp_path / "s")


# What a recording is


def test_what_a_file_offers(tmp_path: Path, sound: Float32Array) -> None:
    info = probe(write(tmp_path / "a.wav", sound, rate=48000))
    assert (info.n_channels, info.sample_rate_hz, info.n_frames, info.duration_s) == (2, 48000, 52_800, 1.1)


def test_the_hash_is_of_the_content_and_the_array(tmp_path: Path, sound: Float32Array) -> None:
    one = content_hash(write(tmp_path / "a.wav", sound))
    assert len(one) == 64
    assert content_hash(write(tmp_path / "b.flac", sound)) == one
    assert content_hash(tmp_path / "a.wav", "two_lanes") == one
    assert content_hash(tmp_path / "a.wav", "stereo") != one
    assert content_hash(write(tmp_path / "c.wav", sound[::-1])) != one
    assert content_hash(write(tmp_path / "d.wav", sound, rate=8000)) != one
    play(tmp_path / "a.wav", recording=Recording(str(tmp_path / "s")))
    assert content_hash(tmp_path / "s") == one, "its copy at the same rate is the same sound"
    shutil.rmtree(tmp_path / "s")


def test_real_array_recordings(shared: Path) -> None:
    path = shared / "data/array_real/an101-mtms-arr4A.wav"
    assert probe(path).n_channels == 15
    with pytest.raises(SourceError, match="15 channels, but array linear8 needs exactly 8"):
        play(path, array="linear8")
    packets = play(path, array="uma8")
    assert heard(packets).shape == (7, 52_992)
