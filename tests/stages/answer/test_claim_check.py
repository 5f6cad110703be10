from __future__ import annotations

import pytest

from stages.answer.claim_check import is_negated, problem
from stages.memory.minilm_onnx import MinilmOnnx
from tests.stages.answer.materials import FERRY
from tests.stages.recall.line_rows import line_row

MEETING = [line_row("We will not cancel the meeting on Monday")]


@pytest.mark.parametrize(
    "sentence",
    [
        "The ferry leaves on Saturday at half past nine.",
        "It leaves on Saturday at half past 9.",
        "speaker-4 says that the ferry leaves on Saturday.",
    ],
)
def test_what_was_said_in_other_words_holds(sentence: str, encoder: MinilmOnnx) -> None:
    assert problem(sentence, FERRY, "When does the ferry leave?", encoder) is None


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("The ferry leaves on Saturday at ten.", "numbers that were not said: 10"),
        ("The ferry to Dublin leaves on Saturday.", "names that were not said: Dublin"),
        ("The ferry does not leave on Saturday.", "a negation that does not agree"),
        ("The captain promised a refund and free breakfast.", "too many words that were not said"),
    ],
)
def test_what_was_added_is_told(sentence: str, fault: str) -> None:
    assert problem(sentence, FERRY, "When does the ferry leave?", None) == fault


def test_a_denial_may_not_become_a_statement() -> None:
    assert problem("The meeting on Monday will cancel.", MEETING, "", None) == "a negation that does not agree"
    assert problem("They will not cancel the meeting on Monday.", MEETING, "", None) is None
    assert is_negated("I don't know")
    assert not is_negated("I know")


def test_the_same_words_with_another_meaning_are_told(encoder: MinilmOnnx) -> None:
    lines = [line_row("Ticket"), line_row("My cat likes the dollars in the wallet and the old ferry on the wall", 2.0)]
    assert problem("Ticket dollars.", lines, "What is the price of a ticket?", encoder) in {None, "another meaning than what was said"}
    assert problem("Yes.", MEETING, "", encoder) is not None


def test_numbers_of_the_question_are_no_evidence() -> None:
    assert problem("The ferry leaves at ten.", FERRY, "Does the ferry leave at ten?", None) == "numbers that were not said: 10"
