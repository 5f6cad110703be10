"""The measure itself, with likeness given by hand; that its constants fit the encoder is shown by the rooms."""

from __future__ import annotations

from stages.memory.rows import LineRow
from stages.recall.question import parse
from stages.recall.support import THRESHOLD, Judge
from stages.recall.time_phrase import Moments
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.test_scope import MOMENTS

BUS = line_row("The bus leaves at half past eight", 1.0)
OTHER = line_row("It was a lovely evening", 5.0)


def _support(text: str, line: LineRow, cosine: float, context: tuple[LineRow, ...] = (), kept: float = 0.0) -> float:
    judge = Judge(parse(text, _MOMENTS), {line.id: cosine}, {line.id: cosine}, lambda _text, _line: kept)
    return judge.support(line, (*context, line))


_MOMENTS: Moments = MOMENTS


def test_the_words_and_the_meaning_support() -> None:
    assert _support("When does the bus leave?", BUS, 0.6) > 0.9


def test_the_words_alone_are_no_support() -> None:
    assert _support("When does the bus leave?", BUS, 0.1) < THRESHOLD


def test_a_word_that_nobody_said_asks_for_much_more_likeness() -> None:
    assert _support("When does the plane leave?", OTHER, 0.5) < THRESHOLD
    assert _support("When does the plane leave?", OTHER, 0.7) > THRESHOLD


def test_a_missing_word_that_changes_the_meaning_takes_support_away() -> None:
    assert _support("Who is the bus driver?", BUS, 0.5, kept=0.6) < THRESHOLD
    assert _support("Who is the bus driver?", BUS, 0.5, kept=0.5) > THRESHOLD


def test_a_name_must_have_been_said() -> None:
    assert _support("When does the bus leave for Lisbon?", BUS, 0.9) == 0.0
    assert _support("When does the bus leave for Lisbon?", BUS, 0.9, (line_row("To Lisbon", 0.0),)) > THRESHOLD


def test_an_amount_that_is_not_there_is_missed() -> None:
    cheap = line_row("The bus is cheap", 1.0)
    price = line_row("The bus costs seven euros", 1.0)
    assert _support("How much is the bus?", cheap, 0.4) < THRESHOLD <= _support("How much is the bus?", price, 0.4)


def test_without_an_encoder_words_decide() -> None:
    judge = Judge(parse("When does the bus leave?", _MOMENTS), {}, {}, None)
    assert judge.support(BUS, (BUS,)) >= THRESHOLD
    assert judge.support(OTHER, (BUS, OTHER)) < THRESHOLD


def test_other_words_support_by_the_kind_of_thing_they_hold() -> None:
    vote = line_row("The board votes on the budget on Thursday.", 1.0)
    talk = line_row("The board talks about the budget.", 1.0)
    question = parse("When will the decision about the money be made?", _MOMENTS)
    for cosine, centre, line, supported in ((0.45, 0.45, vote, True), (0.2, 0.2, vote, False), (0.45, 0.45, talk, False)):
        judge = Judge(question, {line.id: cosine}, {line.id: centre}, lambda _text, _line: 0.0)
        assert (judge.support_by_kind(line, (line,), (line,)) >= THRESHOLD) is supported


def test_a_name_that_is_asked_for_is_missed() -> None:
    seen = line_row("Somebody saw the cat on Sunday", 1.0)
    named = line_row("The cat is called Peanut", 1.0)
    assert _support("What is the cat called?", seen, 0.4) < THRESHOLD <= _support("What is the cat called?", named, 0.4)
