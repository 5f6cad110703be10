"""What was followed is what people talked about, and never a talk that is merely the nearest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stages.memory.attention.attention_row import Attention
from stages.memory.tables.row_writer import utc_ns
from stages.recall.attention_words import not_certain
from stages.recall.heeding import Heeding
from stages.recall.missed import missed
from stages.recall.question import Attended
from stages.recall.salience import Vocabulary
from stages.recall.stretches import stretches_of
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.test_heeding import ROOM, heeding


@pytest.mark.parametrize("topic", ["tax returns", "cats", "holidays", "the election", "quantum physics", "the new kitchen", "gardening"])
def test_a_topic_that_nobody_talked_about_was_not_followed(kitchen: Asker, topic: str) -> None:
    answer = kitchen.ask(f"What did I miss while I was following the conversation about {topic}?")
    assert answer.abstained
    assert not answer.attended
    assert answer.text.startswith(f'No conversation that fits "the conversation about {topic}" was heard.')


@pytest.mark.parametrize("topic", ["dogs", "the puppy", "the car repair", "the school trip", "the leak in the roof"])
def test_a_topic_that_was_talked_about_was_followed(kitchen: Asker, topic: str) -> None:
    answer = kitchen.ask(f"What did I miss while I was following the conversation about {topic}?")
    assert answer.attended
    assert not_certain(f"the conversation about {topic}") not in answer.text


def test_a_declared_topic_that_nobody_talked_about_hides_nothing(kitchen: Asker) -> None:
    started_ns = utc_ns(kitchen.room.started_at)
    end_ns = utc_ns(kitchen.room.started_at + timedelta(seconds=300))
    kitchen.memory.attention.declare([Attention("topic", started_ns, end_ns, words="cats")])
    answer = kitchen.ask("What did I miss?")
    assert "nothing that fits was heard" in answer.text
    assert {evidence.speaker for claim in answer.claims for evidence in claim.evidence} >= {"speaker-1", "speaker-3"}


def test_what_is_likely_but_not_certain_is_said_to_be_so() -> None:
    stretches = stretches_of(ROOM)
    followed = [stretch for stretch in stretches if stretch.event == "dogs"]
    made: Heeding = heeding()
    lost = missed(stretches, followed, Vocabulary(ROOM))
    heeded = made.asked(Attended("the talk about cats", "cats", ("cat",)), followed, lost, is_sure=False)
    assert heeded.notes == ('As you said, you followed "the talk about cats".', not_certain("the talk about cats"))


def test_following_the_conversation_says_nothing_of_which_one(kitchen: Asker) -> None:
    answer = kitchen.ask("What did I miss while I was following the conversation?")
    assert answer.text.startswith("You did not say what you followed, so this is everything that was heard.")
    assert {evidence.speaker for claim in answer.claims for evidence in claim.evidence} >= {"speaker-1", "speaker-3"}


@pytest.mark.parametrize(
    "text",
    [
        "While I was miles away, what did I miss while speaker-1 and speaker-2 were going on about that puppy",
        "What did I miss while they were on about the puppy?",
        "What did I miss while speaker-1 was talking?",
    ],
)
def test_the_talk_of_those_who_are_named_was_not_missed(kitchen: Asker, text: str) -> None:
    answer = kitchen.ask(text)
    assert {line.speaker for stretch in answer.attended for line in stretch.lines} == {"speaker-1", "speaker-2"}
    assert {evidence.speaker for claim in answer.claims for evidence in claim.evidence} == {"speaker-3", "speaker-4"}
