from __future__ import annotations

from math import inf

import pytest

from stages.answer.length_budget import most_words, shows_agreed


@pytest.mark.parametrize(
    ("length_s", "words", "agreed"), [(4.0, 10, False), (0.4, 1, False), (6.0, 15, False), (12.0, None, False), (30.0, None, True)]
)
def test_a_short_answer_has_no_quote_and_a_longer_one_tells_what_was_agreed(length_s: float, words: int | None, agreed: bool) -> None:
    assert (most_words(length_s), shows_agreed(length_s)) == (words, agreed)


@pytest.mark.parametrize("length_s", [None, inf])
def test_without_a_bound_all_is_told(length_s: float | None) -> None:
    assert most_words(length_s) is None
    assert shows_agreed(length_s)
