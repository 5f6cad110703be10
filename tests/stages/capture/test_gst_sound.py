"""Files that only GStreamer can decode: made here by GStreamer, and a real video."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.packets import AudioBlock, Float32Array, Gap, Packet
from pipeline.testing import noise, run_stage
from stages.capture.container import is_cut_off
from stages.capture.file_source import FileSource, content_hash, probe
from stages.capture.gst_pipeline import load_gst
from stages.capture.recording import Recording
from stages.capture.source_info import SourceError

RATE = 16000


def convert(source: Path, target: Path, chain: str) -> Path:
    """Write a file with a GStreamer pipeline."""
    gst = load_gst("test")
    pipeline = gst.parse_launch(f"filesrc location={source} ! wavparse ! audioconvert ! {chain} ! filesink location={target}")
    pipeline.set_state(gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(20 * 10**9, gst.MessageType.EOS | gst.MessageType.ERROR)
    pipeline.set_state(gst.State.NULL)
    assert message is not None
    assert message.type == gst.MessageType.EOS, message.parse_error()
    return target


@pytest.fixture
def sound() -> Float32Array:
    samples = np.stack([noise(6.0, seed=seed, amplitude=0.1) for seed in range(2)])
    return (np.round(samples * 2**15) / 2**15).astype(np.float32)


@pytest.fixture
def wav(tmp_path: Path, sound: Float32Array) -> Path:
    soundfile.write(tmp_path / "a.wav", sound.T, RATE, subtype="PCM_16")
    return tmp_path / "a.wav"


def play(path: Path, **settings: Any) -> list[Packet]:
    return run_stage(FileSource(str(path), **settings))["audio"]


def heard(packets: list[Packet]) -> Float32Array:
    return np.concatenate([packet.samples for packet in packets if isinstance(packet, AudioBlock)], axis=1)


def test_a_lossless_video_container_gives_the_very_samples(tmp_path: Path, wav: Path, sound: Float32Array) -> None:
    path = convert(wav, tmp_path / "a.mkv", "flacenc ! matroskamux")
    info = probe(path)
    assert (info.n_channels, info.sample_rate_hz) == (2, RATE)
    packets = play(path, recording=Recording(str(tmp_path / "s")))
    np.testing.assert_array_equal(heard(packets)[:, : sound.shape[1]], sound)
    resumed = play(path, start_s=4.0)
    np.testing.assert_array_equal(heard(resumed), heard(packets)[:, 4 * RATE :])
    assert content_hash(path) == content_hash(path)


def test_aac_in_mp4_keeps_its_time(tmp_path: Path) -> None:
    samples = np.zeros((1, 48_000 * 4), dtype=np.float32)
    for second in (1, 2, 3):
        samples[0, second * 48_000 : second * 48_000 + 240] = noise(0.005, 48_000, 0.5)[:240]
    soundfile.write(tmp_path / "b.wav", samples.T, 48_000)
    packets = play(convert(tmp_path / "b.wav", tmp_path / "b.mp4", "avenc_aac ! mp4mux"), array="mono")
    got = np.abs(heard(packets)[0])
    for second in (1, 2, 3):
        around = got[second * RATE - 1600 : second * RATE + 1600]
        # The encoder's priming (1024 samples at 48 kHz, 21 ms) is all that may move it.
        assert abs(int(np.argmax(around)) - 1600) < 0.03 * RATE


def test_a_real_video_is_probed(shared: Path) -> None:
    path = shared / "data/media/bigbuckbunny.mp4"
    assert (probe(path).n_channels, probe(path).sample_rate_hz) == (6, 48_000)
    with pytest.raises(SourceError) as caught:
        play(path)
    assert str(caught.value) == (
        f"{path}: 6 channels, but an array must be named; no shipped array fits, or give the path of a .yaml file with your own"
    )


def test_a_picture_has_no_sound(shared: Path) -> None:
    path = shared / "data/media/coffee.png"
    with pytest.raises(SourceError) as caught:
        probe(path)
    assert str(caught.value) == f"{path}: there is no sound in it that GStreamer can decode"


@pytest.mark.parametrize("chain", ["flacenc ! matroskamux", "avenc_aac ! mp4mux faststart=true", "opusenc ! matroskamux"])
def test_a_video_that_was_cut_off_gives_what_there_is(tmp_path: Path, wav: Path, chain: str) -> None:
    path = convert(wav, tmp_path / "a.bin", f"audioresample ! {chain}")
    whole = play(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    packets = play(path)
    blocks = [packet for packet in packets if isinstance(packet, AudioBlock)]
    assert 2 * 10**9 < blocks[-1].end_ns < 5 * 10**9
    np.testing.assert_array_equal(heard(packets[:60]), heard(whole[:60]))
    lost = [packet for packet in packets if isinstance(packet, Gap)]
    assert {gap.reason for gap in lost} == {"unreadable"}
    assert lost[0].pts_ns == blocks[-1].end_ns
    assert abs(lost[-1].end_ns - 6 * 10**9) < 0.1 * 10**9


def test_which_files_were_cut_off(tmp_path: Path, wav: Path) -> None:
    for chain in (
        "flacenc ! matroskamux",
        "matroskamux streamable=true",
        "avenc_aac ! mp4mux",
        "avenc_aac ! mp4mux fragment-duration=1000",
    ):
        path = convert(wav, tmp_path / "a.bin", chain)
        assert not is_cut_off(path)
        data = path.read_bytes()
        for share in (0.999, 0.5, 0.1):
            path.write_bytes(data[: int(len(data) * share)])
            assert is_cut_off(path) == ("streamable" not in chain), "a stream does not say how long it is"
    for data in (b"", b"\x1a\x45\xdf\xa3", b"\0\0\0\x08ftyp\0\0\0\0junk", b"anything else"):
        path.write_bytes(data)
        assert not is_cut_off(path)


def test_a_video_without_its_index_cannot_be_used(tmp_path: Path, wav: Path) -> None:
    path = convert(wav, tmp_path / "a.mp4", "avenc_aac ! mp4mux")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError) as caught:
        probe(path)
    assert str(caught.value) == f"{path}: the file was cut off, and what is there cannot be played without the rest"


def test_every_file_is_let_go_of(tmp_path: Path, wav: Path) -> None:
    path = convert(wav, tmp_path / "a.mkv", "flacenc ! matroskamux")
    for _ in range(5):
        probe(path)
    open_files = [link.resolve().name for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert "a.mkv" not in open_files
