from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.repetition import Loop, find_loop, kept_units, plain, repeats, text_units

DICKENS = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the epoch of "
    "belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness"
)


@pytest.mark.parametrize("text", [DICKENS, "No, no, no, no.", "I came, I came, but late", "very very very good", ""])
def test_what_people_say_is_no_loop(text: str) -> None:
    assert find_loop(text_units(text)) is None


def test_a_phrase_over_and_over_is_a_loop() -> None:
    text = "We begin. " + "It was the sea of truth. " * 3
    assert find_loop(text_units(text)) == Loop(first=2, length=6, times=3)
    assert find_loop(text_units("la " * 6)) == Loop(0, 1, 6)


def test_scripts_without_spaces_are_read_by_character() -> None:
    assert find_loop(text_units("ありがとうございます" * 3)) is not None
    assert find_loop(text_units("ありがとうございます")) is None


def test_plain_words_keep_apostrophes_inside() -> None:
    assert [plain(word) for word in ("Don't,", "'tis", "(Yes!)", "--", "ÉCOLE")] == ["don't", "tis", "yes", "", "école"]


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_what_is_kept_is_in_order_and_has_no_loop(units: list[str]) -> None:
    kept = kept_units(units)
    assert kept == sorted(set(kept))
    assert find_loop([units[index] for index in kept]) is None
    if find_loop(units) is None:
        assert kept == list(range(len(units)))


@given(st.lists(st.sampled_from("abcdefgh"), min_size=4, max_size=12, unique=True), st.integers(3, 9))
def test_a_loop_is_cut_to_its_first_time(phrase: list[str], times: int) -> None:
    assert [(phrase * times)[index] for index in kept_units(phrase * times)] == phrase


def test_a_long_phrase_said_again_is_a_repeat_wherever_it_stands() -> None:
    words = text_units("My dog is happy. Yes, my dog. Yes, my dog. My dog is happy. Yes,")
    assert repeats(words) == [range(10, 15)]
    assert repeats(text_units("a b c d a b c d a b")) == [range(4, 8)]
    assert repeats(text_units("he came home, he came back")) == []


@given(st.lists(st.sampled_from("ab"), max_size=30))
def test_repeats_are_in_order_and_were_said_before(units: list[str]) -> None:
    at = 0
    for repeat in repeats(units):
        assert repeat.start >= max(at, 4)
        assert len(repeat) >= 4
        phrase = units[repeat.start : repeat.stop]
        assert any(units[first : first + len(phrase)] == phrase for first in range(repeat.start - len(phrase) + 1))
        at = repeat.stop
