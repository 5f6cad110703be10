from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recognition import SpokenWord
from models.word_times import active_share, squeezed_words, tightened, whole_words, with_hidden_fade


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


def timed(text: str, *lengths_s: float, start_s: float = 0.0) -> list[SpokenWord]:
    ends_s = list(itertools.accumulate(lengths_s, initial=start_s))
    return [word(name, *times) for name, times in zip(text.split(), itertools.pairwise(ends_s), strict=True)]


def test_a_run_of_words_without_length_is_squeezed_and_what_is_left_behind_it() -> None:
    said = timed("the snow this morning.", 0.1, 0.3, 0.2, 0.4)
    made_up = timed("Yes, my dog. My dog", *[0.02] * 5, start_s=1.0)
    assert squeezed_words(said) == frozenset()
    assert squeezed_words([*said, *made_up]) == frozenset(range(4, 9))
    assert squeezed_words([*said, *made_up, word("Yes,", 1.4, 1.9)]) == frozenset(range(4, 10))
    after = timed("and then we went", 0.2, 0.2, 0.2, 0.3, start_s=1.1)
    assert squeezed_words([*said, *made_up, *after]) == frozenset(range(4, 9))
    assert squeezed_words(timed("one of a kind", 0.3, 0.02, 0.02, 0.3)) == frozenset()
    assert squeezed_words([]) == frozenset()


def test_words_faster_than_speech_are_squeezed_and_the_slow_one_beside_them_is_not() -> None:
    words = timed("morning. extraordinary conversations everywhere tomorrow", 0.3, 0.05, 0.05, 0.05, 0.4)
    assert squeezed_words(words) == frozenset({1, 2, 3})
    assert squeezed_words(timed("extraordinarily complicated", 0.2, 0.3)) == frozenset()


@given(st.lists(st.tuples(st.sampled_from(["I", "went", "tomorrow", "everywhere"]), st.floats(0.15, 1.0)), max_size=20))
def test_words_at_the_pace_of_speech_are_never_squeezed(rows: list[tuple[str, float]]) -> None:
    lengths_s = [max(length_s, len(text) / 30) for text, length_s in rows]
    assert squeezed_words(timed(" ".join(text for text, _ in rows), *lengths_s)) == frozenset()


def test_a_last_word_fades_longer_where_its_end_is_hidden() -> None:
    words = [word("one", 1.0, 1.5), word("two", 1.5, 2.0)]
    for contrast_db, end_s in ((10.0, 2.15), (20.0, 2.15), (23.0, 2.075), (26.0, 2.0), (50.0, 2.0)):
        first, last = with_hidden_fade(words, contrast_db, 3.0)
        assert first == words[0]
        assert last.start_s == 1.5
        assert last.end_s == pytest.approx(end_s)
    assert with_hidden_fade(words, 10.0, 2.1)[-1].end_s == 2.1
    assert with_hidden_fade(words, 10.0, 1.9)[-1].end_s == 2.0
    assert with_hidden_fade([], 10.0, 3.0) == []
