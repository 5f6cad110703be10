from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.silero import CHUNK_FRAMES, Silero, SileroError, SileroState
from models.weights import path_of
from pipeline.testing import noise, tone


@pytest.fixture(scope="module")
def silero(weights: Path) -> Silero:
    assert weights.is_dir()
    return Silero(path_of("silero_vad.onnx"))


def probabilities(silero: Silero, samples: np.ndarray) -> np.ndarray:
    state = SileroState()
    chunks = range(0, len(samples) - CHUNK_FRAMES + 1, CHUNK_FRAMES)
    return np.array([silero.probability(samples[first : first + CHUNK_FRAMES], state) for first in chunks])


def test_speech_is_told_from_noise_a_tone_and_silence(silero: Silero, shared: Path) -> None:
    speech, _ = soundfile.read(shared / "data/speech/librivox_0870.flac", dtype="float32")
    assert probabilities(silero, speech)[10:-10].mean() > 0.85
    assert probabilities(silero, noise(2.0, amplitude=0.05)).max() < 0.2
    assert probabilities(silero, tone(440, 2.0)).max() < 0.2
    assert probabilities(silero, np.zeros(16000, np.float32)).max() < 0.1


def test_streams_do_not_disturb_each_other(silero: Silero, shared: Path) -> None:
    speech, _ = soundfile.read(shared / "data/speech/librivox_0880.flac", dtype="float32")
    other = noise(len(speech) / 16000)
    alone = probabilities(silero, speech)
    first, second = SileroState(), SileroState()
    mixed = []
    for start in range(0, len(speech) - CHUNK_FRAMES + 1, CHUNK_FRAMES):
        mixed.append(silero.probability(speech[start : start + CHUNK_FRAMES], first))
        silero.probability(other[start : start + CHUNK_FRAMES], second)
    assert np.array_equal(alone, mixed)


def test_a_chunk_of_another_length_is_refused(silero: Silero) -> None:
    with pytest.raises(SileroError) as caught:
        silero.probability(np.zeros(480, np.float32), SileroState())
    assert str(caught.value) == "Silero: a chunk has shape (480,); it must be (512,), at 16000 Hz"
