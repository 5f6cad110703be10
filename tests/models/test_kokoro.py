# ruff: noqa: RUF001 - phonemes are meant as they are written
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.kokoro import Kokoro, KokoroError, join_groups, spell, with_output
from tools.make_scene import Samples


def test_words_keep_their_place_where_small_ones_melt_together() -> None:
    spelling = spell("One of the dogs barked.")
    parts = [spelling.phonemes[round(start) : round(end)] for start, end in spelling.spans]
    assert parts == ["wˈʌn", "ʌv", "ðə", "dˈɑɡz", "bˈɑɹkt"]
    assert spelling.phonemes.endswith(".")


def test_british_voices_are_spelled_in_british() -> None:
    assert spell("go home", british=True).phonemes == "ɡˌQ hˈQm"
    assert spell("go home", british=False).phonemes == "ɡˌO hˈOm"


def test_a_word_that_is_spelled_as_several_stays_one_word() -> None:
    assert join_groups(["twˈɛnti", "fˈIv", "kˈæts"], ["twˈɛntifˈIv", "kˈæts"]) == [(0, 2, 0, 1), (2, 3, 1, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "there are no words in ''"), ("well ... no", "'well ... no': '...' is not a word; join punctuation to the word before it")],
)
def test_a_text_that_cannot_be_spoken_is_refused(text: str, message: str) -> None:
    with pytest.raises(KokoroError) as caught:
        spell(text)
    assert str(caught.value) == message


def test_espeak_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KokoroError, match="espeak-ng is not installed; it spells what is spoken: apt-get install espeak-ng"):
        spell("hello")


def test_an_output_is_added_by_the_bytes_of_a_message() -> None:
    assert with_output(b"model", "x") == b"model" + bytes([7 << 3 | 2, 5, 12 << 3 | 2, 3, 1 << 3 | 2, 1]) + b"x"


@pytest.mark.usefixtures("weights")
def test_voices_that_are_not_there_are_named() -> None:
    with pytest.raises(KokoroError, match="'Bob' is not the name of a voice"):
        Kokoro().say("hello", "Bob")


@pytest.mark.usefixtures("weights")
def test_a_voice_says_the_same_samples_every_time_and_its_words_are_where_the_sound_is() -> None:
    text = "Seven cats, and six dogs."
    voices = Kokoro()
    first, other, again = voices.say(text, "af_heart"), voices.say("Hello.", "bm_george"), voices.say(text, "af_heart")
    np.testing.assert_array_equal(first.samples, again.samples)
    assert len(other.samples) < len(first.samples)
    assert [word.text for word in first.words] == text.split()
    # The pause after the comma is quiet, and the s of "six" hisses: both are where the words say.
    rate = first.sample_rate_hz
    cats, six = first.words[1], first.words[3]
    hiss = np.diff(first.samples, n=2)

    def level(samples: Samples, start_s: float, end_s: float) -> float:
        return float(np.sqrt(np.mean(samples[int(start_s * rate) : int(end_s * rate)] ** 2)))

    assert level(hiss, six.start_s, six.start_s + 0.08) > 5 * level(hiss, six.start_s + 0.1, six.start_s + 0.16)
    assert level(first.samples, cats.start_s, cats.start_s + 0.3) > 5 * level(first.samples, 0.0, 0.2)
