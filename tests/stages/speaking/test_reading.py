"""An answer as a person would read it out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.speaking.reading import sentences


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            'At 0:42, speaker-2 (210 degrees) said: "The ferry leaves at 9:30."',
            ["At 42 seconds, speaker 2, 210 degrees, said: The ferry leaves at 9 30."],
        ),
        (
            'At 1:05 (10:00:03 on 3 May 2026), ann said: "At 12:05, or 7:00."',
            ["At 1 minute and 5 seconds, 10 o'clock on 3 May 2026, ann said: At 12 oh 5, or 7 o'clock."],
        ),
        ("ann talked about dogs (0:05-1:02:40).", ["ann talked about dogs, 5 seconds to 1 hour and 2 minutes and 40 seconds."]),
        ("Nobody spoke for 12.5 s at 90°. Ask again!", ["Nobody spoke for 12.5 seconds at 90 degrees.", "Ask again!"]),
        ("At 0:00, bob (20 degrees) spoke; no words.", ["At the start, bob, 20 degrees, spoke; no words."]),
        ('ann: "We \u2014 I think \u2014 settle ..."', ["ann: We, I think, settle"]),
        ("The budget is 12,500 and 3.5% of it is left.", ["The budget is 12,500 and 3.5% of it is left."]),
        ("\U0001f600 ... (?)", []),
        ("", []),
    ],
)
def test_times_bearings_names_and_quotes(written: str, read: list[str]) -> None:
    assert sentences(written) == read


def test_a_long_sentence_is_parted_at_commas_and_no_word_is_lost() -> None:
    words = [f"word{number}{',' if number % 9 == 0 else ''}" for number in range(200)]
    parts = sentences(" ".join(words))
    assert all(len(part) <= 240 for part in parts)
    assert " ".join(parts).split() == words
    assert all(part.endswith(",") for part in parts[:-1])


@given(st.text(max_size=400))
def test_whatever_was_said_becomes_sentences_that_can_be_spoken(text: str) -> None:
    for part in sentences(text):
        assert any(mark.isalnum() for mark in part)
        assert len(part) <= 240
        assert not set('"()[]<>|*#\u201c\u201d\n') & set(part)
