"""Words that were misheard count where they sound like what is asked, and answers say that this is not certain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.rows import LineRow
from stages.recall.misheard import sounds_like
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.small_rooms import asking


def unsure_of(line: LineRow, *words: str) -> LineRow:
    """The same line where the recogniser was not sure of some of its words."""
    return replace(line, words=tuple(word._replace(probability=0.3 if word.text in words else 0.95) for word in line.words))


COST = unsure_of(line_row("my cost to restore smells of the land.", 2.0, event="s-1"), "cost", "to")
LAWYER = line_row("My lawyer says that I should stay calm.", 12.0, track="t2", azimuth_deg=200.0, event="s-2")


@pytest.mark.parametrize(
    ("text", "words", "alike"),
    [
        # As Whisper base wrote what Kokoro's voices said.
        ("my cost to restore smells of the land.", ["costume"], True),
        ("have read the text for twice and remember now.", ["textbook"], True),
        ("have been staring at the spread cheat since breakfast.", ["spreadsheet"], True),
        ("the band is called the Fox Gloves", ["foxgloves"], True),
        ("the leaking plan at Arium", ["leaking", "planetarium"], True),
        ("the plan at Arium", ["leaking", "planetarium"], False),
        # What was said is not misheard, and short words sound like too many others.
        ("My costume still smells.", ["costume"], False),
        ("You can complain at the side.", ["site"], False),
        # Small words alone stand for nothing.
        ("that is kinder to the knees.", ["thaddeus"], False),
        ("My racket needs new strings.", ["racket", "ferry"], False),
        ("", ["costume"], False),
        ("312 !", ["costume"], False),
    ],
)
def test_what_sounds_like_a_word(text: str, words: list[str], alike: bool) -> None:
    assert sounds_like(text, words) is alike


def test_what_came_first_goes_by_a_mention_that_was_misheard_where_there_is_no_other(encoder: MinilmOnnx) -> None:
    with asking(encoder, {"s": [COST, LAWYER]}) as ask:
        answer = ask("What came first, the lawyer or the costume?")
    assert answer.text.startswith("The costume came first, as it seems. The costume may have come up at 0:02 ")
    assert [evidence.text for evidence in answer.claims[0].evidence] == [COST.text, LAWYER.text]
    said = line_row("My costume still smells of the last owner.", 30.0, event="s-1")
    with asking(encoder, {"s": [COST, LAWYER, said]}) as ask:
        surely = ask("What came first, the lawyer or the costume?")
    assert surely.text.startswith("The lawyer came first. ")
    assert answer.claims[0].confidence < surely.claims[0].confidence


def test_words_that_were_surely_recognised_are_no_other_words(encoder: MinilmOnnx) -> None:
    sure = line_row(COST.text, 2.0, event="s-1")
    with asking(encoder, {"s": [sure, LAWYER]}) as ask:
        assert ask("What came first, the lawyer or the costume?").abstained
        assert ask("How often was the word costume said?").abstained


def test_what_came_after_something_is_not_told_of_what_may_have_been_misheard(encoder: MinilmOnnx) -> None:
    with asking(encoder, {"s": [COST, LAWYER]}) as ask:
        assert ask("What was said after the costume?").abstained


def test_a_mention_that_was_misheard_is_counted_and_told_as_not_certain(encoder: MinilmOnnx) -> None:
    later = unsure_of(line_row("Then a cost tomb was torn.", 50.0, event="s-1"), "tomb")
    with asking(encoder, {"s": [COST, LAWYER, later]}) as ask:
        answer = ask("How often was the word costume said?")
    assert answer.text.startswith("2 lines of 1 talker (speaker-1 (30 degrees)) may have come to it, at 0:02 and 0:50. ")
    assert answer.text.endswith(" It is not certain that it was named at 0:02 and 0:50, where what was recognised sounds like it.")
    assert [evidence.text for evidence in answer.claims[0].evidence] == [COST.text, later.text]


def test_an_edge_is_none_that_may_have_been_misheard(encoder: MinilmOnnx) -> None:
    with asking(encoder, {"s": [COST, LAWYER]}) as ask:
        assert ask("Who mentioned the costume first?").abstained
