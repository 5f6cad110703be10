from __future__ import annotations

import numpy as np
import pytest

from models.kokoro import SpokenWord
from tools.word_times import envelope, matched, same_words, tighten

RATE_HZ = 16000


def bursts(*spans_s: tuple[float, float], duration_s: float = 2.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    samples = np.zeros(round(duration_s * RATE_HZ), dtype=np.float32)
    for start_s, end_s in spans_s:
        n = round((end_s - start_s) * RATE_HZ)
        samples[round(start_s * RATE_HZ) :][:n] = 0.3 * np.sin(2 * np.pi * 500 * np.arange(n) / RATE_HZ)
    return samples


def test_the_envelope_is_relative_to_its_peak() -> None:
    level = envelope(0.01 * bursts((0.5, 1.0)), RATE_HZ)
    assert level.max() == pytest.approx(1.0)
    assert level[: int(0.4 * RATE_HZ)].max() < 1e-6


def test_a_pause_belongs_to_no_word() -> None:
    words = [SpokenWord("one", 0.25, 0.6), SpokenWord("two.", 0.6, 1.0), SpokenWord("three", 1.0, 1.9)]
    tight = tighten(words, bursts((0.2, 0.8), (1.1, 1.5)), RATE_HZ)
    expected = [("one", 0.2, 0.6), ("two.", 0.6, 0.8), ("three", 1.1, 1.5)]
    for word, (text, start_s, end_s) in zip(tight, expected, strict=True):
        assert word.text == text
        assert (word.start_s, word.end_s) == pytest.approx((start_s, end_s), abs=0.011)


def test_a_word_keeps_at_least_60_ms() -> None:
    tight = tighten([SpokenWord("The", 0.1, 0.31), SpokenWord("cat", 0.31, 0.7)], bursts((0.3, 0.7)), RATE_HZ)
    assert tight[0].end_s - tight[0].start_s == pytest.approx(0.06)
    assert tight[1].start_s == tight[0].end_s


def test_words_that_were_heard_otherwise_share_the_time_that_is_left() -> None:
    heard = [SpokenWord("the", 0.0, 0.2), SpokenWord("fairy", 0.2, 0.5), SpokenWord("leaves", 0.5, 0.9), SpokenWord("9", 1.2, 1.6)]
    words = matched("The ferry leaves at nine.", heard, 2.0)
    assert [(word.text, word.start_s) for word in words[:3]] == [("The", 0.0), ("ferry", 0.2), ("leaves", 0.5)]
    assert [word.text for word in words[3:]] == ["at", "nine."]
    assert (words[3].start_s, words[4].end_s) == (1.2, 1.6)
    assert words[3].end_s == words[4].start_s


def test_words_that_nobody_heard_stand_between_their_neighbours() -> None:
    words = matched("we go home", [SpokenWord("we", 0.1, 0.3), SpokenWord("home", 0.8, 1.2)], 2.0)
    assert [(word.text, word.start_s, word.end_s) for word in words] == [("we", 0.1, 0.3), ("go", 0.3, 0.8), ("home", 0.8, 1.2)]


def test_numbers_and_spelling_do_not_make_words_different() -> None:
    assert same_words("At half past nine for 18 dollars!", "at half past 9 for eighteen dollars")
    assert not same_words("the hall", "the hole")
