"""Words that many patterns share, and what ends in a question."""

from __future__ import annotations

import re

import pytest

from stages.recall.english import ANY_QUESTION_WORD, AUXILIARY, MONTHS, QUESTION_WORD, WEEKDAY, WEEKDAYS, is_question


@pytest.mark.parametrize(
    ("text", "asks"),
    [("When does it start?", True), ("When does it start? \n", True), ("Does it? At nine.", False), ("At nine.", False), ("", False)],
)
def test_a_question_ends_in_its_mark(text: str, asks: bool) -> None:
    assert is_question(text) is asks


@pytest.mark.parametrize("words", [AUXILIARY, QUESTION_WORD, ANY_QUESTION_WORD, WEEKDAY])
def test_words_are_alternatives_of_a_pattern(words: str) -> None:
    pattern = re.compile(rf"(?:{words})\b")
    assert all(pattern.match(f"{word} it") for word in words.split("|"))
    assert pattern.match("thesis") is None


def test_the_days_are_in_order_and_may_is_no_month_in_small_letters() -> None:
    assert (WEEKDAYS[0], WEEKDAYS[-1]) == ("monday", "sunday")
    assert "may" not in MONTHS
    assert len(MONTHS) == 11
