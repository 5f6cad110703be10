"""Sound files that are damaged or cut off."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.packets import Float32Array
from pipeline.sound_file import SoundFile, SoundFileError
from pipeline.testing import noise

N_FRAMES = 100_000


@pytest.fixture
def sound() -> Float32Array:
    samples = np.stack([noise(N_FRAMES / 16000, seed=seed, amplitude=0.1) for seed in range(2)])
    return (np.round(samples * 32768) / 32768).astype(np.float32)


def written(path: Path, samples: Float32Array) -> Path:
    soundfile.write(path, samples.T, 16000, subtype="PCM_16")
    return path


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_reads_anywhere(tmp_path: Path, sound: Float32Array, name: str) -> None:
    file = SoundFile(written(tmp_path / name, sound))
    assert (file.n_channels, file.sample_rate_hz, file.n_frames, file.readable_end) == (2, 16000, N_FRAMES, N_FRAMES)
    for first, n_frames in ((0, 100), (50_000, 9000), (70, 100_000), (99_990, 100), (200_000, 10)):
        samples, lost = file.read(first, n_frames)
        np.testing.assert_array_equal(samples, sound[:, first : first + n_frames])
        assert lost == ()
    file.close()


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_file_that_was_cut_off_gives_what_there_is(tmp_path: Path, sound: Float32Array, name: str) -> None:
    path = written(tmp_path / name, sound)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10 + 1])
    file = SoundFile(path)
    assert file.n_frames == N_FRAMES
    samples, lost = file.read(0, N_FRAMES)
    ((start, missing),) = lost
    assert start + missing == N_FRAMES
    assert file.readable_end == start
    # FLAC loses the block in which it was cut, and libsndfile the one before it.
    assert 0 <= N_FRAMES * 0.6 - start < 2 * 4096
    np.testing.assert_array_equal(samples[:, :start], sound[:, :start])
    assert not samples[:, start:].any()
    file.close()


def test_damage_in_the_middle_costs_only_what_is_around_it(tmp_path: Path, sound: Float32Array) -> None:
    path = written(tmp_path / "a.flac", sound)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    path.write_bytes(data)
    file = SoundFile(path)
    samples, lost = file.read(0, N_FRAMES)
    ((start, missing),) = lost
    assert start < N_FRAMES // 2 < start + missing
    assert missing <= 3 * 4096
    expected = sound.copy()
    expected[:, start : start + missing] = 0
    np.testing.assert_array_equal(samples, expected)
    assert file.readable_end == N_FRAMES
    file.close()


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_a_streamed_wav_promises_nothing(tmp_path: Path, sound: Float32Array, size: int) -> None:
    path = written(tmp_path / "a.wav", sound)
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(data)
    file = SoundFile(path)
    assert file.n_frames == file.readable_end
    file.close()


@pytest.mark.parametrize("content", [b"", b"RIFF", b"plain text", b"RIFF\0\0\0\0WAVEfmt "])
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(SoundFileError, match=f"^{path}: "):
        SoundFile(path)
