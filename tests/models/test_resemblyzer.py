from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.resemblyzer import Resemblyzer, ResemblyzerError, mel_frames, unit
from models.weights import path_of


@pytest.fixture(scope="module")
def encoder(weights: Path) -> Resemblyzer:
    assert weights.is_dir()
    return Resemblyzer(path_of("resemblyzer.pt"))


def test_white_noise_fills_all_bands_as_much_as_its_power_says() -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 160000).astype(np.float32)
    bands = mel_frames(samples)
    assert bands.shape == (1001, 40)
    # Each bin of a windowed transform holds the variance times the window's energy; a filter has an area of 1 over hertz, and a
    # bin is 40 Hz wide. The lowest filters are narrower than a bin and only hold what falls on one.
    expected = 0.01 * float(np.sum(np.hanning(401)[:-1] ** 2)) / 40.0
    assert bands[2:-2, 8:].mean() == pytest.approx(expected, rel=0.05)


def test_a_tone_stands_in_its_own_band_and_louder_is_louder() -> None:
    time_s = np.arange(16000) / 16000
    low, high = (mel_frames((0.3 * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)).mean(axis=0) for hertz in (200.0, 3000.0))
    assert int(low.argmax()) < 6 < 25 < int(high.argmax())
    quiet, quieter = (mel_frames((gain * np.sin(2 * np.pi * 300 * time_s)).astype(np.float32)) for gain in (0.01, 0.001))
    assert np.allclose(quiet, quieter, rtol=1e-3), "quiet sound is lifted to one level"


def test_one_person_is_liker_than_two(encoder: Resemblyzer, shared: Path) -> None:
    pieces = {}
    for name, file, first_s in (("a1", "trn03", 9.0), ("a2", "trn03", 24.0), ("b1", "trn06", 13.6), ("b2", "trn06", 17.2)):
        sound, _ = soundfile.read(shared / "data/ami_rttm" / f"{file}.flac", dtype="float32")
        pieces[name] = encoder.voice(sound[int(first_s * 16000) : int((first_s + 2.4) * 16000)])
    assert all(np.linalg.norm(voice) == pytest.approx(1.0, abs=1e-5) for voice in pieces.values())
    same = min(float(pieces["a1"] @ pieces["a2"]), float(pieces["b1"] @ pieces["b2"]))
    assert same > max(float(pieces[one] @ pieces[other]) for one in ("a1", "a2") for other in ("b1", "b2")) + 0.05


def test_the_same_sound_gives_the_same_voice_however_it_is_grouped(encoder: Resemblyzer) -> None:
    sound = np.random.default_rng(2).normal(0, 0.05, 48000).astype(np.float32)
    assert np.array_equal(encoder.voice(sound), encoder.voice(sound.copy()))
    mel = mel_frames(sound)
    together = encoder.voices(mel, np.array([0, 50, 100]))
    assert np.allclose(together[1:2], encoder.voices(mel, np.array([50])), atol=1e-5)


def test_short_sound_and_silence_have_a_voice_without_nan(encoder: Resemblyzer) -> None:
    for sound in (np.zeros(8000, dtype=np.float32), np.ones(1, dtype=np.float32)):
        assert np.isfinite(encoder.voice(sound)).all()
    assert not unit(np.zeros(3)).any()


def test_what_it_cannot_hear_is_said(encoder: Resemblyzer, tmp_path: Path) -> None:
    with pytest.raises(ResemblyzerError, match=re.escape("samples have shape (0,)")):
        encoder.voice(np.zeros(0, dtype=np.float32))
    with pytest.raises(ResemblyzerError, match=re.escape("windows of 160 frames from 0 to 9 do not lie within the 101 frames")):
        encoder.voices(mel_frames(np.zeros(16000, dtype=np.float32)), np.array([0, 9]))
    wrong = tmp_path / "wrong.pt"
    wrong.write_bytes(b"no weights")
    with pytest.raises(ResemblyzerError, match="this is no Resemblyzer encoder"):
        Resemblyzer(wrong)
