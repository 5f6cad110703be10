from __future__ import annotations

import pytest

from stages.answer.claim_check import check, is_negated, problem, proving
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


BOILER = [
    line_row("We could not repair the boiler, but the plumber comes on Tuesday", 1.0),
    line_row("If it rains the picnic is cancelled", 8.0, track="t2"),
    line_row("Is the museum free on Sundays?", 12.0),
    line_row("Yes, the first Sunday of the month is free", 15.0, track="t2"),
    line_row("Anna will take the night shift instead of Tom", 19.0),
    line_row("We heard that the bridge is closed", 24.0),
]


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("The plumber comes on Tuesday.", None),
        ("They repaired the boiler.", "a negation that does not agree"),
        ("They could not repair the boiler.", None),
        ("The picnic is cancelled.", "a condition that was left out"),
        ("The picnic is cancelled if it rains.", None),
        ("The museum is free on the first Sunday of the month.", None),
        ("Tom will take the night shift instead of Anna.", "names that changed places"),
        ("Anna will take the night shift instead of Tom.", None),
        ("The bridge is closed.", "words of another sentence told as a fact"),
        ("They heard that the bridge is closed.", None),
        ("They agreed that the plumber comes on Tuesday.", "an agreement that nobody made"),
    ],
)
def test_what_was_meant_must_be_kept(sentence: str, fault: str | None) -> None:
    assert problem(sentence, BOILER, "", None) == fault


def test_words_stay_with_the_talker_who_said_them() -> None:
    assert problem("speaker-1 said that Anna will take the night shift.", BOILER, "", None) is None
    assert problem("speaker-2 said that Anna will take the night shift.", BOILER, "", None) == "words told as another talker's"
    assert problem("speaker-2 said that Anna will take the night shift.", BOILER[4:5], "", None, BOILER) == "words told as another talker's"


def test_a_question_is_no_fact() -> None:
    assert problem("The museum is free on Sundays.", BOILER[2:3], "", None) == "a question told as a fact"
    assert problem("They asked whether the museum is free on Sundays.", BOILER[2:3], "", None) is None


def test_what_was_agreed_may_be_told_as_agreed() -> None:
    talk = [line_row("Let's meet at the old mill at noon", 1.0), line_row("Okay, perfect", 4.5, track="t2")]
    assert problem("They agreed to meet at the old mill at noon.", talk, "", None) is None
    assert problem("They agreed to meet at the old mill at noon.", talk[:1], "", None) == "an agreement that nobody made"


def test_the_score_falls_with_every_word_that_was_not_said(encoder: MinilmOnnx) -> None:
    exact = check("The ferry leaves on Saturday at half past nine.", FERRY[1:2], "", None)
    loose = check("The old ferry leaves the harbour on Saturday at half past nine.", FERRY[1:2], "", None)
    assert (exact.fault, exact.score) == (None, 1.0)
    assert loose.fault is None
    assert loose.score < 0.8
    assert 0.9 < check("The ferry leaves on Saturday at half past nine.", FERRY[1:2], "", encoder).score <= 1.0
    assert check("The ferry leaves on Sunday at ten.", FERRY[1:2], "", encoder).score == 0.0


def test_the_fewest_lines_that_prove_a_sentence() -> None:
    assert proving("The ferry leaves on Saturday and a ticket is eighteen dollars.", FERRY) == [FERRY[1], FERRY[2]]
    assert proving("A ticket is eighteen dollars.", FERRY) == [FERRY[2]]
    assert proving("It is so.", FERRY) == list(FERRY)


def test_a_talkers_i_is_not_the_answerers() -> None:
    hedge = [line_row("The hedge behind my house has grown")]
    assert problem("The hedge behind my house has grown.", hedge, "", None) == "a talker's own words told as the answerer's"
    assert problem("The hedge behind the house has grown.", hedge, "", None) is None
