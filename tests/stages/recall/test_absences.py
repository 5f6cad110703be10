from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stages.memory.attention.attention_row import Attention
from stages.memory.attention.attention_timeline import AttendedSpan
from stages.recall.absences import away_for, is_reason, meant, says_attention
from stages.recall.time_phrase import Moments

ABSENCES = [
    AttendedSpan(Attention("away", n, n + 1, words=words), n, n + 1)
    for n, words in enumerate(["a call with the bank", "on the telephone", "lunch", ""])
]


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("on the phone", ["a call with the bank", "on the telephone"]),
        ("in a call", ["a call with the bank", "on the telephone"]),
        ("at lunch", ["lunch"]),
        ("asleep", []),
        ("away", ["a call with the bank", "on the telephone", "lunch", ""]),
        ("Gone", ["a call with the bank", "on the telephone", "lunch", ""]),
    ],
)
def test_a_question_means_the_absences_with_a_reason_like_its_words(phrase: str, found: list[str]) -> None:
    assert [span.attention.words for span in meant(phrase, ABSENCES)] == found


def test_a_reason_names_all_of_some_words() -> None:
    assert is_reason(("dentist",), "at the dentist's")
    assert not is_reason(("dentist", "monday"), "at the dentist's")
    assert not is_reason((), "at the dentist's")


def test_what_was_followed_is_no_reason_of_an_absence() -> None:
    assert says_attention("What did I miss while I was following the talk about lunch?")
    assert not says_attention("What did I miss while I was at the dentist?")


@pytest.mark.parametrize(
    ("text", "length_s", "amount"),
    [
        ("I was away for a minute, what did I miss?", 60.0, "minute"),
        ("What did I miss while I was on the phone for about ten minutes?", 600.0, "ten minutes"),
        ("I've been gone for half an hour. Catch me up.", 1800.0, "half an hour"),
        ("I just popped out to the kitchen for two minutes, what did I miss?", 120.0, "two minutes"),
        ("I went out a minute ago, what did I miss?", 60.0, "minute"),
    ],
)
def test_who_was_away_for_some_time_was_so_up_to_now(text: str, length_s: float, amount: str) -> None:
    window = away_for(text, Moments(datetime(2026, 3, 2, 10, tzinfo=UTC)))
    assert window is not None
    assert (window.rolling_s, window.end, window.guessed) == (length_s, datetime(2026, 3, 2, 10, tzinfo=UTC), True)
    assert window.note == f"You were away: this is about the last {amount} before now."


@pytest.mark.parametrize("text", ["What did I miss while I was away?", "Was Anna away for a week?", "I was here for an hour"])
def test_other_words_tell_no_absence_of_some_time(text: str) -> None:
    assert away_for(text, Moments(datetime(2026, 3, 2, 10, tzinfo=UTC))) is None
