"""What kind of thing a question asks for, and which lines hold it."""

from __future__ import annotations

import pytest

from stages.recall.asked_kind import AskedKind, asked_kind, holds_kind, tells_circumstance


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("When will the decision about the money be made?", AskedKind.TIME),
        ("Which day will the tradesman look at the boiler?", AskedKind.TIME),
        ("What is the length of the story?", AskedKind.AMOUNT),
        ("How heavy is the largest of the vegetables?", AskedKind.AMOUNT),
        ("Who got the water out of the basement?", AskedKind.PERSON),
        ("Where is the price list?", AskedKind.PLACE),
        ("What name does the cat listen to?", AskedKind.NAME),
        ("What colour is the collar?", AskedKind.COLOUR),
        ("Which spending will be dropped?", None),
    ],
)
def test_the_kind_is_read_from_the_words(text: str, kind: AskedKind | None) -> None:
    assert asked_kind(text) is kind


@pytest.mark.parametrize(
    ("kind", "holding", "lacking"),
    [
        (AskedKind.TIME, "The board votes on Thursday.", "They measured gusts of seventy miles."),
        (AskedKind.TIME, "It rises at about nine, over the church.", "I bake it at two hundred degrees."),
        (AskedKind.TIME, "They open early on Wednesdays.", "At four people it is full."),
        (AskedKind.AMOUNT, "The novel has seven hundred pages.", "The novel is long."),
        (AskedKind.PERSON, "Rosalind has been in charge.", "It was the fog."),
        (AskedKind.PLACE, "It meets in the library.", "It meets on Sunday."),
        (AskedKind.NAME, "We called it Peanut already.", "Somebody saw the cat on Sunday."),
        (AskedKind.COLOUR, "He wears a yellow collar.", "He wears a collar."),
    ],
)
def test_a_line_holds_its_kind(kind: AskedKind, holding: str, lacking: str) -> None:
    assert holds_kind(kind, holding)
    assert not holds_kind(kind, lacking)


def test_a_question_holds_nothing() -> None:
    assert not holds_kind(AskedKind.TIME, "Is it on Thursday?")


@pytest.mark.parametrize(
    ("text", "line", "answers"),
    [
        ("Why is the boiler broken?", "The boiler is broken again.", False),
        ("So why's the boiler broken?", "The boiler is broken since Tuesday.", False),
        ("Why is the boiler broken?", "The boiler is broken because of the frost.", True),
        ("How is the boiler broken?", "The boiler is broken again.", False),
        ("How is the pizza oven heated?", "The pizza oven is heated with wood.", True),
        ("How's the boiler broken?", "The boiler is broken again.", False),
        ("How old is the broken boiler?", "The broken boiler is seven.", True),
        ("How is the lost dog called?", "The lost dog is called Pixel.", True),
        ("How often is the boiler broken?", "The boiler is broken every winter.", True),
        ("Where is the boiler broken?", "The boiler is broken again.", False),
        ("Where does the choir sing?", "The choir will sing in the chapel.", True),
        ("Is the boiler broken?", "The boiler is broken again.", True),
        ("What boiler is broken?", "The boiler is broken again.", True),
    ],
)
def test_a_line_that_only_says_the_words_tells_no_reason_manner_or_place(text: str, line: str, answers: bool) -> None:
    assert tells_circumstance(text, line) is answers
