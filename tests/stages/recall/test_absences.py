from __future__ import annotations

import pytest

from stages.memory.attention.attention_row import Attention
from stages.memory.attention.attention_timeline import AttendedSpan
from stages.recall.absences import is_reason, meant, says_attention

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
