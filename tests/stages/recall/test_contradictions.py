"""Questions that ask what will be, and those that ask what was."""

from __future__ import annotations

import pytest

from stages.recall.contradictions import asks_what_will_be


@pytest.mark.parametrize(
    "text",
    [
        "What is closed on Friday?",
        "Who's invited on Friday?",
        "When's the pool closed on Friday?",
        "When is the swimming pool closed on Friday?",
        "Where are we invited on Friday?",
        "What is sold on Friday?",
        "Who is being married on Friday?",
        "Where is the market held on Friday?",
        "What is due at four?",
    ],
)
def test_what_is_done_on_a_day_will_be(text: str) -> None:
    assert asks_what_will_be(text)


@pytest.mark.parametrize(
    "text",
    [
        "What's happened on Friday?",
        "Who was invited on Friday?",
        "What sold on Friday?",
        "When was the pool closed on Friday?",
        "Who is the man who called on Friday?",
        "What is it that she needed on Friday?",
        "Who's the one we met on Friday?",
    ],
)
def test_what_was_done_on_a_day_is_past(text: str) -> None:
    assert not asks_what_will_be(text)
