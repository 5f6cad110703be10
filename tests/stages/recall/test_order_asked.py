"""What was said after, or before, something else."""

from __future__ import annotations

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.order_asked import OrderAsked, order_in
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.small_rooms import asking

SAID = [
    line_row("The boiler in the cellar is broken again.", 1.0, track="t1", speaker="Emma", event="home"),
    line_row("Did you call the landlord about the boiler?", 6.0, track="t2", speaker="Farid", event="home", azimuth_deg=60.0),
    line_row("The chemistry exam is tomorrow.", 72.0, track="t1", speaker="Emma", event="home"),
    line_row("Is it hard?", 75.0, track="t2", speaker="Farid", event="home", azimuth_deg=60.0),
    line_row("Half of the people failed it.", 78.0, track="t1", speaker="Emma", event="home"),
    line_row("You will pass it.", 82.0, track="t2", speaker="Farid", event="home", azimuth_deg=60.0),
    line_row("Good night then.", 118.0, track="t2", speaker="Farid", event="late", azimuth_deg=60.0),
]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "What did Farid say after Emma mentioned the exam?",
            OrderAsked("around_after", ("the exam",), talker="Emma", main="What did Farid say "),
        ),
        (
            "What was said before emma brought up the exam?",
            OrderAsked("around_before", ("the exam",), talker="Emma", main="What was said "),
        ),
        ("What did Farid say after Zoe mentioned the exam?", OrderAsked("around_after", ("the exam",), "Zoe", "", "What did Farid say ")),
        (
            "What did they say about the boiler after the exam came up?",
            OrderAsked(
                "around_after",
                ("the exam",),
                asks="What did they say about the boiler?",
                main="What did they say about the boiler",
            ),
        ),
        (
            "What did they decide before the vote?",
            OrderAsked("around_before", ("the vote",), asks="What did they decide?", main="What did they decide"),
        ),
        (
            "Was anything agreed after Emma mentioned the exam?",
            OrderAsked("around_after", ("the exam",), "Emma", "Was anything agreed?", "Was anything agreed"),
        ),
        (
            "Who talked about the boiler before Emma mentioned the exam?",
            OrderAsked("around_before", ("the exam",), "Emma", "Who talked about the boiler?", "Who talked about the boiler"),
        ),
    ],
)
def test_who_brought_it_up_and_what_is_asked_beside_it(text: str, asked: OrderAsked) -> None:
    assert order_in(text, lambda: ["Emma", "Farid"]) == asked


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("What did they talk about after the vote?", "the vote"),
        ("What was said after they mentioned the vote?", "the vote"),
        ("What was said after the waiter mentioned the soup?", "the waiter mentioned the soup"),
    ],
)
def test_nobody_who_is_known_brought_it_up(text: str, topic: str) -> None:
    asked = order_in(text, lambda: ["Emma", "Farid"])
    assert asked is not None
    assert (asked.topics, asked.talker, asked.asks) == ((topic,), None, "")


def test_what_somebody_said_after_somebody_else_named_it(encoder: MinilmOnnx) -> None:
    with asking(encoder, {"s": SAID}) as ask:
        after = ask("What did Farid say after Emma mentioned the exam?")
        never = ask("What did Emma say after Farid said good night?")
        stranger = ask("What did Farid say after Zoe mentioned the exam?")
    assert [evidence.text for claim in after.claims for evidence in claim.evidence] == ["Is it hard?", "You will pass it."]
    assert never.abstained
    assert stranger.text.startswith("No talker is called Zoe.")


def test_who_was_not_heard_after_it(encoder: MinilmOnnx) -> None:
    with asking(encoder, {"s": SAID[:3]}) as ask:
        answer = ask("What did Farid say after Emma mentioned the exam?")
    assert answer.abstained
    assert answer.text == 'Farid was not heard after "the exam" came up.'


def test_what_was_said_of_one_thing_after_another_came_up(encoder: MinilmOnnx) -> None:
    with asking(encoder, {"s": SAID}) as ask:
        gone = ask("What did they say about the boiler after the exam came up?")
        before = ask("What did they say about the boiler before the exam came up?")
    assert gone.abstained
    assert gone.text.startswith('After "the exam" came up: Nobody was heard talking about "boiler".')
    assert "cellar" not in gone.text
    assert {evidence.text for claim in before.claims for evidence in claim.evidence} <= {line.text for line in SAID[:2]}
    assert before.claims
