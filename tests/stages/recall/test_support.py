"""Support by words alone, for a recall without an encoder."""

from __future__ import annotations

from stages.memory.rows import LineRow
from stages.recall.question import parse
from stages.recall.support import THRESHOLD, word_support
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.test_scope import MOMENTS

BUS = line_row("The bus leaves at half past eight", 1.0)
OTHER = line_row("It was a lovely evening", 5.0)


def _support(text: str, line: LineRow, *context: LineRow) -> float:
    return word_support(parse(text, MOMENTS), line, (*context, line))


def test_words_that_were_said_support_others_do_not() -> None:
    assert _support("When does the bus leave?", BUS) >= THRESHOLD
    assert _support("When does the plane leave?", BUS) < THRESHOLD
    assert _support("Who talked about the bus?", BUS) >= THRESHOLD


def test_words_beside_a_line_are_not_its_own() -> None:
    assert _support("When does the bus leave?", OTHER, BUS) < THRESHOLD


def test_a_name_must_have_been_said() -> None:
    assert _support("When does the bus leave for Lisbon?", BUS) == 0.0
    assert _support("When does the bus leave for Lisbon?", BUS, line_row("To Lisbon", 0.0)) >= THRESHOLD


def test_the_number_time_or_name_that_is_asked_for_must_have_been_said() -> None:
    assert _support("How much is the bus?", line_row("The bus is cheap")) == 0.0
    assert _support("How much is the bus?", line_row("The bus costs seven euros")) >= THRESHOLD
    assert _support("What is the cat called?", line_row("Somebody saw the cat on Sunday")) == 0.0
    assert _support("What is the cat called?", line_row("The cat is called Peanut")) >= THRESHOLD
    assert _support("When does the bus leave?", line_row("The bus leaves late"), line_row("At nine o'clock", 5.0)) >= THRESHOLD
