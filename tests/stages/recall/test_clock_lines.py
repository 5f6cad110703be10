"""Times of day and days as something that was told, where nothing was heard at that time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.clock_lines import ClockAsked, names_a_time
from tests.stages.recall.line_rows import talk_rows
from tests.stages.recall.small_rooms import Ask, asking

_WARD = [
    ("Ruth", "The engineer's coming at four, supposedly."),
    ("Colin", "The tablets are due at six."),
    ("Ruth", "Bed four is empty, and we have six teas."),
    ("Colin", "Visiting's until half past seven."),
    ("Ruth", "Always two people with him, he fell on Friday."),
    ("Colin", "He is in no pain."),
    ("Ruth", "The concert is in the old library."),
]


@pytest.fixture
def ask(encoder: MinilmOnnx) -> Iterator[Ask]:
    with asking(encoder, {"s": talk_rows(_WARD)}) as asked:
        yield asked


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What is at four?", "The engineer's coming at four, supposedly."),
        ("What happens at six?", "The tablets are due at six."),
        ("What is due at 6 o'clock?", "The tablets are due at six."),
        ("What is at half past seven?", "Visiting's until half past seven."),
    ],
)
def test_a_time_of_day_that_was_told(ask: Ask, text: str, words: str) -> None:
    assert [claim.evidence[0].text for claim in ask(text).claims] == [words]


def test_what_was_told_of_another_time_is_the_nearest_at_most(ask: Ask) -> None:
    other = ask("What is due at four?")
    assert other.abstained
    assert other.text.endswith('"The engineer\'s coming at four, supposedly."')
    assert ask("What is at seven?").abstained


def test_what_names_no_time_may_tell_the_rest(ask: Ask) -> None:
    assert [claim.evidence[0].text for claim in ask("Where is the concert at four?").claims] == ["The concert is in the old library."]


def test_what_was_said_at_a_time_is_asked_of_that_time(ask: Ask) -> None:
    for text in ("What was said at four?", "What did they talk about at six?"):
        assert ask(text).text.startswith("Nothing was heard in the asked time")
    # The room was heard at ten.
    assert len(ask("What was said at ten?").claims) > 0


def test_the_nearest_line_names_a_day_on_which_nothing_was_heard(ask: Ask) -> None:
    for text in ("Who fell on Friday?", "When did Ruth say that he fell on Friday?"):
        answer = ask(text)
        assert "he fell on Friday" in answer.text
        assert not answer.text.startswith("Nothing was heard in the asked time")
    assert ask("Who sang on Sunday?").text.startswith("Nothing was heard in the asked time")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("At seven I have to feed the baby.", True),
        ("At seven we eat.", True),
        ("Be there at seven please.", True),
        ("The bus at seven is full.", True),
        ("The bus at seven leaves from here.", True),
        ("Doors open at seven sharp.", True),
        ("Meet me at 7 outside the hall.", True),
        ("By seven I am back.", True),
        ("About seven people came.", False),
        ("From seven euros it is dear.", False),
        ("It stands at seven euros.", False),
        ("It stops at seven people.", False),
        ("The bus goes at 7.30.", False),
        ("The bus goes at seven to eight.", False),
        ("Bed seven is free.", False),
    ],
)
def test_a_number_that_counts_nothing_is_a_time(text: str, names: bool) -> None:
    assert ClockAsked(("seven", "7")).is_named_in(text) is names


@pytest.mark.parametrize(
    ("text", "is_past"),
    [
        ("We had dinner at six yesterday.", True),
        ("Last night the shop was closed at six, so I went home.", True),
        ("I am tired. We had dinner at six yesterday.", True),
        # These may speak of something that is still to come.
        ("The flight was at six, we cannot miss it.", False),
        ("They had a yoga class at six on the list.", False),
        ("My interview was at six, I hope I get there in time.", False),
        ("I left at six.", False),
        ("We agreed yesterday to eat at six.", False),
        ("The choir meets at six.", False),
        ("Dinner at six.", False),
        ("We had to leave at six.", False),
        ("They said that dinner was at six.", False),
        ("It was moved, and now it's at six.", False),
        ("We agreed to eat at six.", False),
        ("Lunch is served at six and I had no idea.", False),
        ("The pool was open at six on Sundays.", False),
        ("Doors closed at six.", False),
        ("I was late, dinner at six.", False),
    ],
)
def test_what_plainly_was_at_a_time(text: str, is_past: bool) -> None:
    assert ClockAsked(("six", "6")).is_past_in(text) is is_past


def test_what_was_does_not_answer_what_is_where_something_else_does(encoder: MinilmOnnx) -> None:
    was = ("Ruth", "We had dinner at six yesterday.")
    with asking(encoder, {"s": talk_rows([was, ("Colin", "The choir meets at six in the church.")])}) as asked:
        for text in ("What is at six?", "What happens at six?", "Who meets at six?"):
            assert [claim.evidence[0].text for claim in asked(text).claims] == ["The choir meets at six in the church."]
    with asking(encoder, {"s": talk_rows([was, ("Colin", "Dinner is at seven today.")])}) as asked:
        assert [claim.evidence[0].text for claim in asked("When is dinner?").claims] == ["Dinner is at seven today."]
    with asking(encoder, {"s": talk_rows([was, ("Colin", "I am tired.")])}) as asked:
        assert "dinner at six" in asked("What is at six?").text
    opened = ("Ruth", "The library was open at six yesterday, I went past it.")
    with asking(encoder, {"s": talk_rows([opened, ("Colin", "The coach leaves at six tomorrow.")])}) as asked:
        assert [claim.evidence[0].text for claim in asked("What is open at six?").claims] == [opened[1]]


def test_a_line_names_some_time() -> None:
    assert names_a_time("At seven we eat.")
    assert names_a_time("The bus goes at half past seven.")
    assert not names_a_time("About seven people came.")
