from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.talk_score import TALK, TalkScore
from models.weights import path_of
from models.yamnet import Yamnet, class_names
from pipeline.testing import noise
from tests.sound_fields import RATE_HZ, clip

pytestmark = pytest.mark.usefixtures("weights")


@pytest.fixture(scope="module")
def talk() -> TalkScore:
    return TalkScore(Yamnet(path_of("yamnet/model.zip")), class_names(path_of("yamnet/class_map.csv")))


@pytest.mark.parametrize("name", ["librivox_0880", "LJ002-0020", "jfk"])
@pytest.mark.parametrize("level", [1.0, 0.01])
def test_people_talk_at_any_level(talk: TalkScore, shared: Path, name: str, level: float) -> None:
    score = talk.of(np.float32(level) * clip(shared, name)[RATE_HZ // 2 : 3 * RATE_HZ // 2])
    assert score is not None
    assert score > 0.5


def test_a_first_word_after_silence_is_enough(talk: TalkScore, shared: Path) -> None:
    speech = clip(shared, "librivox_0880")
    first = int(np.argmax(np.abs(speech) > 0.02))
    score = talk.of(speech[max(0, first - 8000) : first + 4000])
    assert score is not None
    assert score > 0.2


def test_dishes_and_noise_are_nobody(talk: TalkScore, shared: Path) -> None:
    dishes, rate_hz = soundfile.read(shared / "data" / "noise" / "doing_the_dishes.wav", dtype="float32")
    assert rate_hz == RATE_HZ
    scores = [talk.of(dishes[first * RATE_HZ : (first + 1) * RATE_HZ]) for first in range(0, 60, 3)]
    assert np.median([score for score in scores if score is not None]) < 0.1
    assert (talk.of(noise(1.0, amplitude=0.05)) or 0.0) < 0.2
    assert (talk.of(np.zeros(0, dtype=np.float32)) or 0.0) < 0.2


def test_what_music_hides_is_not_told(talk: TalkScore) -> None:
    times = np.arange(RATE_HZ) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * pitch * n * times) / n for pitch in (220.0, 275.0, 330.0) for n in range(1, 9)) * np.exp(-times / 0.6)
    assert talk.of(np.asarray(0.05 * chord, dtype=np.float32)) is None


def test_the_kinds_of_talking_are_classes() -> None:
    assert set(TALK) <= set(class_names(path_of("yamnet/class_map.csv")))
