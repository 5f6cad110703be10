from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.packets import NS_PER_S
from stages.memory.attention.attention_row import Attention
from stages.memory.tables.row_writer import utc_ns
from stages.recall.absence_asked import absence_in, when_is_unknown
from stages.recall.question import Question, parse
from stages.recall.time_phrase import Moments
from tests.stages.recall.room_memory import Asker

NOW = datetime(2026, 3, 4, 10, 45, tzinfo=UTC)
MOMENTS = Moments(NOW, NOW, NOW.replace(hour=9))


def _parsed(text: str) -> Question:
    return parse(text, MOMENTS, lambda: ["Anna", "Ben"])


@pytest.mark.parametrize(
    ("text", "absence"),
    [
        ("What did I miss while I was at the dentist?", "at the dentist"),
        ("I was at the dentist. What did I miss?", "at the dentist"),
        ("I was in the kitchen, what did I miss?", "in the kitchen"),
        ("I was just in the kitchen for a minute, anything important?", "in the kitchen"),
        ("What did I miss while I was outside?", "outside"),
        ("What did I miss while I was miles away?", "miles away"),
        ("What did I miss while I was away for some time?", "away"),
        ("What did I miss while I was standing at the door?", "standing at the door"),
        ("What did I miss while I was getting coffee?", "getting coffee"),
        ("What did I miss while I was reading about dogs?", "reading about dogs"),
        ("What did I miss while I was having lunch?", "having lunch"),
        ("What did I miss while I was busy with the dishes?", "busy with the dishes"),
        ("What did I miss while I was with my lawyer?", "with my lawyer"),
        ("What did I miss while I was on the phone with Anna?", "on the phone with Anna"),
        ("What did I miss while I was in the women's room?", "in the women's room"),
        ("What did I miss while I went to the bathroom?", "went to the bathroom"),
        ("I stepped out for a moment, what did I miss?", "stepped out"),
        ("While I was cooking, what did the others talk about?", "cooking"),
    ],
)
def test_being_somewhere_or_doing_something_is_an_absence(text: str, absence: str) -> None:
    question = _parsed(text)
    assert (question.intent, question.absence, question.attended) == ("unservable", absence, None)
    assert question.refusal == when_is_unknown(absence)


@pytest.mark.parametrize(
    ("text", "followed"),
    [
        ("What did I miss while I was listening to the people at the window?", "window"),
        ("What did I miss while I was with the people at the window?", "window"),
        ("What did I miss while I was sitting with the dog people?", "dog"),
        ("What did I miss while I was in the budget discussion?", "budget"),
        ("What did I miss while I was in the conversation about lunch?", "lunch"),
        ("What did I miss while I was having a chat about dogs?", "dogs"),
        ("What did I miss while I was distracted by the dog talk?", "dog"),
        ("What did I miss while I was at the window with Anna?", "Anna"),
        ("I was with Ben, what did I miss?", "Ben"),
        ("What did I miss while I was at 210 degrees?", 210.0),
    ],
)
def test_people_and_talks_were_followed(text: str, followed: str | float) -> None:
    question = _parsed(text)
    assert (question.intent, question.absence) == ("missed", None)
    assert question.attended is not None
    assert (question.attended.topic or question.attended.speaker or question.attended.azimuth_deg) == followed


@pytest.mark.parametrize(
    "text",
    [
        "What did I miss while I was at the dentist in the last ten minutes?",
        "I was at the dentist in the last ten minutes, what did I miss?",
        "What did I miss while I was away in the last ten minutes?",
    ],
)
def test_a_time_in_it_is_the_asked_time(text: str) -> None:
    question = _parsed(text)
    assert (question.intent, question.terms) == ("missed", ())
    assert question.window is not None
    assert question.window.phrase == "in the last ten minutes"


def test_how_a_question_for_something_else_begins_is_left_out() -> None:
    assert absence_in("I was at the door. Who talked about the planetarium?", MOMENTS, tuple) == ("", "Who talked about the planetarium?")
    left = "I left my keys somewhere, who has them?"
    assert absence_in(left, MOMENTS, tuple) == ("", left)


def test_how_the_refusal_goes_on() -> None:
    assert when_is_unknown("at the dentist").startswith("Echoic cannot tell when you were at the dentist; give the time")
    assert when_is_unknown("went to the bathroom").startswith("Echoic cannot tell when you went to the bathroom; give the time")


@pytest.mark.parametrize("asked", ["What did I miss while I was at the dentist?", "I was at the dentist for a bit. What did I miss?"])
def test_a_declared_absence_is_told_and_a_time_is_one(kitchen: Asker, asked: str) -> None:
    assert kitchen.ask(asked).abstained
    timed = kitchen.ask("What did I miss while I was at the dentist in the last three minutes?")
    assert timed.missed or timed.claims
    assert not timed.attended
    away_ns = utc_ns(kitchen.room.started_at)
    kitchen.memory.attention.declare([Attention("away", away_ns, away_ns + 20 * NS_PER_S, words="the dentist")])
    answer = kitchen.ask(asked)
    assert answer.text.startswith("You had declared that you were away (the dentist")
    assert answer.missed
