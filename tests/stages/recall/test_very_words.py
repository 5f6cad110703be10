"""Counts and orders go by the very words, not by words that are like them."""

from __future__ import annotations

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.question import parse
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.small_rooms import asking
from tests.stages.recall.test_scope import MOMENTS

CLUB = [
    line_row("The book club meets at my house.", 1.0),
    line_row("Which books are we going to read?", 6.0, track="t2"),
    line_row("I have booked a table for us afterwards.", 12.0),
]


@pytest.mark.parametrize("text", ["How often was the word book said?", "How many times did somebody mention the book?"])
def test_a_noun_is_counted_in_its_own_form(encoder: MinilmOnnx, text: str) -> None:
    with asking(encoder, {"s": CLUB}) as ask:
        answer = ask(text)
    assert [evidence.text for evidence in answer.claims[0].evidence] == [CLUB[0].text, CLUB[1].text]


def test_a_verb_is_counted_in_all_its_forms(encoder: MinilmOnnx) -> None:
    said = [line_row("I promised to call her.", 1.0), line_row("Somebody calls me all the time.", 6.0, track="t2")]
    with asking(encoder, {"s": said}) as ask:
        answer = ask("How often did anybody say that they called?")
        fact = ask("How often did somebody call?")
    assert [evidence.text for evidence in answer.claims[0].evidence] == [line.text for line in said]
    assert [evidence.text for evidence in fact.claims[0].evidence] == [said[1].text]


def test_how_often_something_was_is_counted_where_nobody_told(encoder: MinilmOnnx) -> None:
    said = [line_row("The alarm went off, I was asleep.", 1.0), line_row("And then the alarm went off at noon.", 6.0, track="t2")]
    with asking(encoder, {"s": said}) as ask:
        answer = ask("How often did the alarm go off?")
    assert answer.claims
    assert {evidence.text for claim in answer.claims for evidence in claim.evidence} <= {line.text for line in said}


def test_a_thing_came_up_when_it_was_named(encoder: MinilmOnnx) -> None:
    said = [
        line_row("At the restaurant my mouth was watering.", 1.0, track="t2"),
        line_row("My costume still smells of the last owner.", 3.0, track="t3", azimuth_deg=200.0),
        line_row("The waiter recited the whole menu like a poem.", 6.0),
    ]
    with asking(encoder, {"s": said}) as ask:
        answer = ask("What came first, the waiter or the costume?")
    # "Watering" may be a misheard waiter, but not where somebody said "waiter".
    assert answer.text.startswith("The costume came first.")


def test_very_words_that_nobody_said_are_told_as_they_were_asked(encoder: MinilmOnnx) -> None:
    with asking(encoder, {"s": CLUB}) as ask:
        assert ask('Who said "thank you kindly"?').text.startswith('Nobody was heard saying "thank you kindly".')


def test_a_noun_came_up_when_it_was_named_in_its_own_form(encoder: MinilmOnnx) -> None:
    said = [
        line_row("The cellar door is broken and has to be repaired.", 1.0, track="t2"),
        line_row("I vote for the oak kitchen.", 30.0, track="t3", azimuth_deg=200.0),
        line_row("Let us have a break, I need a coffee.", 60.0),
    ]
    with asking(encoder, {"s": said}) as ask:
        answer = ask("What came first, the vote or the break?")
    assert answer.text.startswith("The vote came first.")


POLITE = [
    line_row("That is kind, thank you.", 1.0, speaker="Emma"),
    line_row("Say hello to your sister, and thank her for the cake.", 6.0, track="t2", speaker="Farid"),
    line_row("Good luck tomorrow!", 12.0, speaker="Emma"),
]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Who said thank you?", 0),
        ("So who else said thank you", 0),
        ("When did Emma say thank you?", 0),
        ("Did anybody say thank you?", 0),
        ("Who said hello?", 1),
        ("Who was it that said good luck?", 2),
    ],
)
def test_what_is_only_said_is_asked_for_without_quotes_too(encoder: MinilmOnnx, text: str, said: int) -> None:
    with asking(encoder, {"s": POLITE}) as ask:
        answer = ask(text)
    assert [evidence.text for claim in answer.claims for evidence in claim.evidence] == [POLITE[said].text]


@pytest.mark.parametrize("text", ["Who said sorry?", "Did anybody say sorry?"])
def test_what_nobody_said_so_is_refused(encoder: MinilmOnnx, text: str) -> None:
    with asking(encoder, {"s": POLITE}) as ask:
        answer = ask(text)
    assert answer.abstained
    assert "in the asked time" not in answer.text


@pytest.mark.parametrize(
    "text", ["What did Emma say please?", "Who said hello to your sister?", "Who said sorry for the noise?", "Who said that please?"]
)
def test_a_request_and_what_has_more_to_it_are_no_very_words(text: str) -> None:
    assert parse(text, MOMENTS, lambda: ["Emma", "Farid"]).very_words == ""
