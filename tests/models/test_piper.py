# ruff: noqa: RUF001 - phonemes are meant as they are written
"""Piper's voice: phonemes as it takes them, and sound that lasts as long as its speed says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.piper import PiperError, PiperVoice, phonemes_of
from models.weights import path_of


def test_phonemes_keep_the_melody_of_punctuation_and_numbers_whole() -> None:
    assert phonemes_of("Go home, now?") == "ɡˌoʊ hˈoʊm, nˈaʊ?"
    assert phonemes_of("It is 12.5 at 9:30.").count(".") == 1
    assert phonemes_of("... !") == ""


@pytest.mark.usefixtures("weights")
def test_the_same_words_last_longer_when_they_are_slower() -> None:
    voice = PiperVoice(path_of("piper/en_US-joe-medium.onnx"))
    slow, fast = voice.say("The ferry leaves on Saturday.", 0.6), voice.say("The ferry leaves on Saturday.", 1.8)
    assert slow.dtype == np.float32
    assert len(slow) > 2 * len(fast)
    assert 0.05 < np.abs(fast).max() <= 1.0
    with pytest.raises(PiperError) as caught:
        voice.say("...")
    assert str(caught.value) == "there is nothing to say in '...'"
    with pytest.raises(PiperError, match=r"^'a word a word .*'\.\.\.: \d+ phonemes, at most 600 at once; split the text$"):
        voice.say("a word " * 200)


def test_what_is_no_voice_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.onnx.json").write_text("{}")
    with pytest.raises(PiperError, match=r"x\.onnx\.json cannot be read as the description of a Piper voice: KeyError\('audio'\)"):
        PiperVoice(tmp_path / "x.onnx")
