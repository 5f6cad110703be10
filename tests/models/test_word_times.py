from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recognition import SpokenWord
from models.word_times import active_share, tightened, whole_words


def word(text: str, start_s: float, end_s: float) -> SpokenWord:
    return SpokenWord(text, start_s, end_s, 0.9)


def steps(*spans: tuple[float, float], length_s: float = 5.0) -> np.ndarray:
    active = np.zeros(round(length_s * 100), dtype=bool)
    for start_s, end_s in spans:
        active[round(start_s * 100) : round(end_s * 100)] = True
    return active


def test_punctuation_belongs_to_its_word_and_takes_no_time() -> None:
    pieces = [
        word(" He", 0, 0.2),
        word(" said", 0.2, 0.4),
        word(",", 0.4, 0.9),
        word(" “", 0.9, 1.0),
        word("no", 1.0, 1.2),
        word(".”", 1.2, 2),
    ]
    words = whole_words(pieces)
    assert [w.text for w in words] == ["He", "said,", "“no.”"]
    assert [(w.start_s, w.end_s) for w in words] == [(0, 0.2), (0.2, 0.4), (1.0, 1.2)]


def test_marks_alone_are_no_words() -> None:
    assert whole_words([word("...", 0, 1), word(" -", 1, 2)]) == []


def test_a_pause_is_taken_off_the_word_that_it_was_given_to() -> None:
    first, second = tightened([word("one", 1.0, 1.5), word("two", 1.5, 3.0)], steps((1.0, 1.5), (2.6, 3.0)))
    assert (first.start_s, first.end_s) == (1.0, 1.5)
    assert (second.start_s, second.end_s) == pytest.approx((2.6, 3.0))


def test_the_end_of_a_word_before_a_pause_goes_back_to_it() -> None:
    first, second = tightened([word("Americans", 1.0, 1.5), word("ask", 1.5, 3.0)], steps((1.0, 1.7), (2.5, 3.0)))
    assert first.end_s == pytest.approx(1.7)
    assert second.start_s == pytest.approx(2.5)


def test_a_stop_inside_a_word_is_no_pause() -> None:
    (only,) = tightened([word("active", 1.0, 1.8)], steps((1.0, 1.3), (1.4, 1.8)))
    assert (only.start_s, only.end_s) == (1.0, 1.8)


def test_a_word_in_silence_keeps_its_times() -> None:
    (only,) = tightened([word("ghost", 1.0, 1.8)], steps((3.0, 4.0)))
    assert (only.start_s, only.end_s) == (1.0, 1.8)
    assert active_share(only, steps((3.0, 4.0))) == 0.0
    assert active_share(word("half", 1.0, 2.0), steps((1.5, 4.0))) == 0.5
    assert active_share(word("past the end", 7.0, 8.0), steps((1.5, 4.0))) == 0.0


@given(st.lists(st.floats(0, 5), min_size=2, max_size=20), st.lists(st.booleans(), min_size=1, max_size=500))
def test_words_stay_in_order_and_do_not_overlap(borders: list[float], active: list[bool]) -> None:
    borders.sort()
    words = [word("w", start, end) for start, end in itertools.pairwise(borders)]
    result = tightened(words, np.array(active))
    assert len(result) == len(words)
    assert all(w.start_s < w.end_s for w in result)
    assert all(a.start_s <= b.start_s for a, b in itertools.pairwise(result))
