from __future__ import annotations

from math import inf

import pytest

from stages.recall.lengths import length_in, length_phrase


@pytest.mark.parametrize(
    ("text", "length_s", "phrase"),
    [
        ("Catch me up in 30 seconds", 30.0, "in 30 seconds"),
        ("Catch me up in ten words", 4.0, "in ten words"),
        ("Catch me up in at most 25 words", 10.0, "in at most 25 words"),
        ("Catch me up in one sentence", 6.0, "in one sentence"),
        ("Catch me up in two sentences", 12.0, "in two sentences"),
        ("Catch me up, short", 30.0, "briefly"),
        ("What did I miss? Keep it short, please.", 30.0, "briefly"),
        ("What did I miss? Be brief.", 30.0, "briefly"),
        ("Catch me up in a few words", 30.0, "briefly"),
        ("Give me a short summary", 30.0, "briefly"),
        ("Catch me up in full", inf, "in full"),
        ("Catch me up on the last ten seconds", None, ""),
        ("Catch me up on the short film", None, ""),
    ],
)
def test_how_long_an_overview_may_be(text: str, length_s: float | None, phrase: str) -> None:
    assert length_in(text, overview=True)[0] == length_s
    assert length_phrase(text) == phrase


def test_words_are_counted_in_an_overview_only() -> None:
    assert length_in("What did Anna say in two words?", overview=False) == (None, "What did Anna say in two words?")


def test_words_are_counted_where_a_question_for_what_was_said_begins_or_ends_with_them() -> None:
    assert length_in("What did they say about the dog in ten words?", overview=False)[0] == 4.0
    assert length_in("In ten words, what did they say about the dog?", overview=False) == (4.0, " , what did they say about the dog?")
    for text in (
        "Who said in ten words what he thinks of it?",
        "What happens in ten words?",
        "What did they say about a tale in ten words of Latin?",
    ):
        assert length_in(text, overview=False) == (None, text)
