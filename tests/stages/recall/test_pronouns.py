"""Questions that leave to the last answer whom and what they mean: "What else did she say?", "What did they answer?", "When is it?"."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stages.recall.answers import Answer, Evidence
from tests.stages.recall.room_memory import Asker

BUS = "When does the bus leave?"


def _shown(answer: Answer) -> list[Evidence]:
    return [evidence for claim in answer.claims for evidence in claim.evidence]


@pytest.mark.parametrize(
    ("text", "intent"),
    [("What else did she say?", "what"), ("What else has he said about it?", "what"), ("And what did she say then?", "what")],
)
def test_she_is_who_was_cited_last(kitchen: Asker, text: str, intent: str) -> None:
    bus = kitchen.ask(BUS).claims[0].evidence[0]
    answer = kitchen.ask(text)
    assert answer.intent == intent
    assert not answer.abstained, answer.text
    assert {evidence.speaker for evidence in _shown(answer)} == {"speaker-4"}
    assert bus.utterance not in {evidence.utterance for evidence in _shown(answer)}
    assert answer.text.startswith(f'"{"he" if " he " in text else "she"}" is read as speaker-4, whom the last answer cited.')


def test_what_else_was_said_of_something_else_leaves_out_what_was_told(kitchen: Asker) -> None:
    roof = kitchen.ask("What did they say about the roof?")
    more = kitchen.ask("What else did they say about the roof?")
    assert not more.abstained, more.text
    told = [evidence.text for evidence in _shown(roof) if evidence.text in roof.text]
    assert told
    assert not [text for text in told if text in more.text]
    assert {kitchen.room.section_of(evidence.utterance) for evidence in _shown(more)} == {"roof"}


def test_more_of_it_is_of_the_same_conversation(kitchen: Asker) -> None:
    bus = kitchen.ask(BUS).claims[0].evidence[0]
    more = _shown(kitchen.ask("Tell me more about it"))
    assert {kitchen.room.section_of(evidence.utterance) for evidence in more} == {"museum"}
    assert {evidence.speaker for evidence in more} == {"speaker-3", "speaker-4"}
    assert bus.utterance not in {evidence.utterance for evidence in more}


@pytest.mark.parametrize("text", ["What did she answer?", "What was the answer?", "How did they react to that?"])
def test_an_answer_is_the_next_turn_of_somebody_else_in_that_conversation(kitchen: Asker, text: str) -> None:
    # While it was answered, the others talked on about the puppy.
    kitchen.ask("What did speaker-4 say about the bus?")
    answer = kitchen.ask(text)
    assert [evidence.text for evidence in _shown(answer)] == ["How many parents are coming along to help?"]


def test_whom_a_reply_is_asked_of_must_have_replied(kitchen: Asker) -> None:
    kitchen.ask("What did speaker-4 say about the bus?")
    assert kitchen.ask("What did speaker-1 answer?").text == "Nobody was heard answering that."


def test_she_may_be_asked_about_something_else(kitchen: Asker) -> None:
    kitchen.ask(BUS)
    answer = kitchen.ask("What did she say about the tickets?")
    assert {evidence.speaker for evidence in _shown(answer)} == {"speaker-4"}
    assert "six euros" in answer.text
    refused = kitchen.ask("Did she mention the puppy?")
    assert refused.abstained
    assert refused.text.startswith('"she" is read as speaker-4')


def test_it_is_looked_for_where_the_last_answer_was(kitchen: Asker) -> None:
    kitchen.ask("How much did the repair of the brakes cost?")
    assert "loose heat shield" in kitchen.ask("What was it?").text


@pytest.mark.parametrize("text", ["What else did she say?", "What was the answer?", "Tell me more"])
def test_without_an_answer_before_there_is_nobody_to_mean(kitchen: Asker, text: str) -> None:
    assert kitchen.ask(text).text.startswith("This goes on from an earlier question, but none was answered in the last 30 minutes")
    kitchen.ask(BUS)
    later = kitchen.recall.ask(text, now=kitchen.now + timedelta(minutes=31))
    assert later.text.startswith("This goes on from an earlier question")


def test_what_stands_by_itself_needs_no_answer_before(kitchen: Asker) -> None:
    assert "six euros" in kitchen.ask("What did she say about the tickets?").text
    assert not kitchen.ask("What else did speaker-3 say?").abstained


def test_who_else_took_part(kitchen: Asker) -> None:
    kitchen.ask(BUS)
    assert {evidence.speaker for evidence in _shown(kitchen.ask("Who else?"))} == {"speaker-3"}
    assert kitchen.ask("What about speaker-2?").abstained is False
