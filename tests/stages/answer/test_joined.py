"""Statements joined by "and", each with a value of its own."""

from __future__ import annotations

import pytest

from stages.answer.claim_check import problem
from stages.answer.corrections import correction_of, says_again
from stages.answer.joined import gives_other_value, is_of_another, statement_of, statements
from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.terms import content_terms
from tests.stages.recall.line_rows import line_row, talk_rows
from tests.stages.recall.small_rooms import asking

_BUS = "The bus leaves at nine and lunch is at one."


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (_BUS, ("The bus leaves at nine", "lunch is at one.")),
        ("Rehearsal starts at ten, and the van picks us up at four.", ("Rehearsal starts at ten", "the van picks us up at four.")),
        (
            "The museum opens at eleven and the tickets cost twelve euros.",
            ("The museum opens at eleven", "the tickets cost twelve euros."),
        ),
        ("Beds five and six are free.", None),
        ("The bus leaves at nine and the driver is new.", None),
        ("The bus leaves at nine and it is back at one.", None),
        ("We have lunch at one and leave at two.", None),
        ("Lunch and dinner are at one and at seven.", None),
        ("It costs two hundred and forty euros.", None),
        ("The bus leaves at nine and is back at one.", None),
    ],
)
def test_where_each_statement_has_its_value(text: str, parts: tuple[str, ...] | None) -> None:
    assert statements(text) == (parts or (text,))


def test_the_statement_that_is_of_a_thing() -> None:
    assert statement_of(_BUS, content_terms("When is lunch?")) == "lunch is at one."
    assert statement_of(_BUS, content_terms("When does the ferry leave?")) == "The bus leaves at nine"
    assert statement_of(_BUS, content_terms("When is dinner?")) == _BUS
    assert statement_of(_BUS, content_terms("Is lunch before the bus?")) == _BUS


def test_a_correction_is_of_one_of_them() -> None:
    line = line_row(_BUS, 1.0)
    nine = line_row("Lunch is at nine now, they moved it, I was wrong.", 10.0)
    assert correction_of(line, (line, nine)) == nine
    same = line_row("So lunch is at one, I was wrong about the rest.", 10.0)
    assert correction_of(line, (line, same)) is None
    assert says_again(_BUS, "So lunch is at one.")
    assert is_of_another(_BUS, content_terms("When does the bus leave?"), nine.text)
    assert not is_of_another(_BUS, content_terms("When is lunch?"), nine.text)
    assert not is_of_another(_BUS, content_terms("When does the bus leave?"), "Sorry, at ten.")
    # What corrects both, or names the other one in passing, is of what is asked too.
    for both in ("No, it goes at ten, and lunch is at two.", "Sorry, it's at seven, we need time after lunch."):
        assert not is_of_another(_BUS, content_terms("When does the bus leave?"), both)
    two = "Emma arrives on Monday and Jack arrives on Wednesday."
    assert is_of_another(two, content_terms("When does Emma arrive?"), "No, Jack comes on Thursday.")


def test_a_sentence_that_gives_it_to_the_other_does_not_hold() -> None:
    line = line_row(_BUS, 1.0)
    assert problem("Lunch is at nine.", [line], "When is lunch?", None) == "a value of something else"
    assert problem("Lunch is at one.", [line], "When is lunch?", None) is None
    assert problem("The bus leaves at nine and lunch is at one.", [line], "When is lunch?", None) is None
    assert not gives_other_value("Lunch is at nine.", [_BUS, "Lunch is at nine now."])
    assert not gives_other_value("Dinner is at nine.", [_BUS])


def test_what_is_asked_of_one_is_not_taken_back_by_what_corrects_the_other(encoder: MinilmOnnx) -> None:
    back = "Lunch is at nine now, they moved it, so I was wrong."
    with asking(encoder, {"s": talk_rows([("Anna", _BUS), ("Ben", "The garden is lovely."), ("Anna", back)])}) as ask:
        assert "taken back" not in ask("When does the bus leave?").text
        assert back in ask("When is lunch?").text
        assert [claim.evidence[0].text for claim in ask("What is at one?").claims] == [_BUS]
