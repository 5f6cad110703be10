"""What will be on a day, asked with nothing else than the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.day_asked import day_asked, tells_of
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.small_rooms import STARTED, Ask, asking

SAID = [
    ("Nine weeks. We are picking her up on Saturday.", "t1"),
    ("Our old spaniel chewed through two sofas.", "t2"),
    ("Since Thursday I only shower cold.", "t1"),
    ("He says the plumber comes on Thursday morning.", "t1"),
    ("You can shower at my place until then.", "t2"),
    ("We went to the lake on Sunday.", "t1"),
    ("On Saturday I have to work, too.", "t2"),
]


@pytest.fixture
def ask(encoder: MinilmOnnx) -> Iterator[Ask]:
    """A Monday, of which two minutes were heard."""
    rows = [line_row(text, 4.0 * place, track=track, event="e1") for place, (text, track) in enumerate(SAID)]
    with asking(encoder, {"s": rows}) as asked:
        yield asked


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("What will be on Thursday?", [3]),
        ("What is on Saturday?", [0, 6]),
        ("What's happening on Saturday?", [0, 6]),
        ("What happens on Thursday morning?", [3]),
        ("What's planned for Saturday?", [0, 6]),
        ("What do we have on Thursday?", [3]),
        ("What are the plans for Saturday?", [0, 6]),
    ],
)
def test_what_was_said_of_a_day_of_which_nothing_was_heard(ask: Ask, text: str, places: list[int]) -> None:
    answer = ask(text)
    assert [claim.evidence[0].text for claim in answer.claims] == [SAID[place][0] for place in places]


@pytest.mark.parametrize(
    "text", ["What will be on Friday?", "What is on Sunday?", "What is on Thursday evening?", "What happened on Saturday?"]
)
def test_where_nobody_named_the_day_it_is_a_time_in_which_nothing_was_heard(ask: Ask, text: str) -> None:
    answer = ask(text)
    assert answer.abstained
    assert answer.text.startswith("Nothing was heard in the asked time")


def test_what_is_planned_for_a_day_that_nobody_named(ask: Ask) -> None:
    assert ask("What's planned for Sunday?").abstained


def test_a_day_that_was_heard_keeps_its_overview(encoder: MinilmOnnx) -> None:
    before = [line_row("The plumber comes on Sunday.", 1.0, track="t1", session="before", event="e1")]
    rows = [line_row("On Sunday we bake.", 1.0, track="t2", event="e2")]
    assert (STARTED - timedelta(days=1)).strftime("%A") == "Sunday"
    with asking(encoder, {"before": before, "s": rows}) as ask:
        for text in ("What happened on Sunday?", "What is on Sunday?"):
            assert [claim.evidence[0].text for claim in ask(text).claims] == ["The plumber comes on Sunday."]


def test_what_was_said_in_the_last_week_goes_before_what_was_said_of_other_weeks(encoder: MinilmOnnx) -> None:
    said = {9: "The band plays on Friday.", 0: "The choir sings on Friday."}
    rows = {
        f"s{age}": [line_row(said.get(age, "We bake."), 1.0, track="t1", session=f"s{age}", event=f"e{age}")] for age in reversed(range(10))
    }
    for sessions, told in ((rows, said[0]), ({**rows, "s0": []}, said[9])):
        with asking(encoder, {name: lines for name, lines in sessions.items() if lines}) as ask:
            assert [claim.evidence[0].text for claim in ask("What's planned for Friday?").claims] == [told]


def test_a_question_of_a_day_goes_with_its_answer(kitchen: Asker) -> None:
    answer = kitchen.ask("What happens on Friday?")
    assert answer.claims[0].evidence[0].text == "So are we still taking the class to the science museum on Friday?"
    assert 'answered: "Yes. The bus leaves at half past eight in front of the school."' in answer.text


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("What is on Saturday?", ("saturday", "")),
        ("And what's on this Thursday evening?", ("thursday", "evening")),
        ("What was planned for Sunday?", ("sunday", "")),
        ("What happened on Saturday?", ("", "")),
        ("What was on Saturday?", ("", "")),
        ("What does the plumber do on Thursday?", ("", "")),
        ("What did they say on Friday?", ("", "")),
    ],
)
def test_the_day_that_is_asked(text: str, asked: tuple[str, str]) -> None:
    assert day_asked(text) == asked


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("They moved it to Thursday.", True),
        ("He said that he comes on Thursday.", True),
        ("On Thursday we meet at the lake.", True),
        ("Thursday then.", True),
        ("We booked the hall for Thursday.", True),
        ("We agreed to meet on Thursday.", True),
        ("The ferry leaves on Thursday at half past nine.", True),
        ("The engineer said Thursday.", True),
        ("They said the pool opens Thursday.", True),
        ("I read that the library is closed on Thursday.", True),
        ("We agreed on Thursday.", True),
        ("We booked the hall, Thursday at six.", True),
        ("They put it off, Thursday instead.", True),
        ("She told me that she saw him on Thursday.", False),
        ("The library was closed on Thursday.", False),
        ("I saw her on Thursday.", False),
        ("We went to church on Thursday.", False),
        ("On Thursday we met at the lake.", False),
        ("It has rained since Thursday.", False),
        ("Last Thursday was fine.", False),
        ("He is free on Thursdays.", False),
    ],
)
def test_what_tells_of_a_day_to_come(text: str, tells: bool) -> None:
    assert tells_of("thursday", "", text) is tells
