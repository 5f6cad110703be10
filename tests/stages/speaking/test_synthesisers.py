"""Every voice: it says what it is given, so that a recogniser reads it back."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soxr

from models.ct2_recogniser import Ct2Recogniser
from models.weights import folder_of
from pipeline.packets import Float32Array
from stages.speaking.espeak_ng import EspeakNg
from stages.speaking.kokoro import Kokoro
from stages.speaking.piper import Piper
from stages.speaking.speaking_errors import SpeakingError
from stages.speaking.synthesiser import PAUSE_S, Synthesiser

ANSWER = 'At 0:42, speaker-2 (210 degrees) said: "The ferry leaves on Saturday at half past nine." It costs 12.5 pounds.'


@pytest.fixture(scope="module")
def recogniser(weights: Path) -> Ct2Recogniser:
    assert weights.is_dir()
    return Ct2Recogniser(folder_of("whisper-base"), device="cpu", compute_type="int8", n_threads=1, language="en")


def heard(recogniser: Ct2Recogniser, samples: Float32Array, rate: int) -> set[str]:
    (recognition,) = recogniser.recognise([soxr.resample(samples, rate, 16000).astype(np.float32)])
    return set(re.findall("[a-z0-9.]+", recognition.text.lower().replace(". ", " ")))


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("make", [Piper, Kokoro, EspeakNg])
def test_a_spoken_answer_is_read_back(make: type[Synthesiser], recogniser: Ct2Recogniser) -> None:
    voice = make()
    voice.start()
    voice.start()
    pieces = list(voice.read(ANSWER))
    assert len(pieces) == 2
    for piece in pieces:
        assert piece.dtype == np.float32
        assert 0.05 < np.abs(piece).max() <= 1.0
        assert not piece[-round(PAUSE_S * voice.sample_rate_hz) + 1 :].any()
    words = heard(recogniser, np.concatenate(pieces), voice.sample_rate_hz)
    lacking = {"42", "seconds", "210", "degrees", "said", "ferry", "leaves", "saturday", "half", "past", "costs", "12.5"} - words
    # The robot's voice may cost a word.
    assert len(lacking) <= (3 if make is EspeakNg else 1), (lacking, words)
    assert list(voice.read("\U0001f600 ...")) == []
    voice.stop()
    voice.stop()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Piper(speed=3.0), "Piper: speed 3.0 and n_threads 1; allowed are 0.5 to 2 and at least 1"),
        (lambda: Kokoro(n_threads=0), "Kokoro: speed 1.0 and n_threads 0; allowed are 0.5 to 2 and at least 1"),
        (lambda: EspeakNg(words_per_minute=10), "EspeakNg: words_per_minute is 10; allowed are 80 to 450"),
    ],
)
def test_settings_out_of_range_are_refused(make: type[Synthesiser], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_voices_that_are_not_there_are_named() -> None:
    with pytest.raises(SpeakingError, match=r"^espeak-ng failed on 'yes': .*"):
        EspeakNg(voice="nobody").start()
    with pytest.raises(SpeakingError) as caught:
        Piper().say("yes")
    assert str(caught.value) == "Piper: its voice is not loaded; start() loads it"


def test_espeak_ng_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpeakingError) as caught:
        EspeakNg().start()
    assert str(caught.value) == "espeak-ng is not installed; it spells what is spoken: apt-get install espeak-ng"


def test_a_text_that_looks_like_an_option_is_only_a_text() -> None:
    voice = EspeakNg()
    assert len(voice.say("--version")) > 1000
