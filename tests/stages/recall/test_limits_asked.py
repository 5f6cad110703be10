"""The beginning of a session, an absence of some time, and a length in words, end to end."""

from __future__ import annotations

import pytest

from stages.memory.attention.attention_row import Attention
from stages.memory.tables.row_writer import utc_ns
from tests.stages.recall.room_memory import Asker


def test_the_first_minute_is_that_of_the_session(kitchen: Asker) -> None:
    answer = kitchen.ask("What was said in the first ten seconds?")
    assert "puppy" in answer.text
    assert all(evidence.start_ns < 10 * 10**9 for claim in answer.claims for evidence in claim.evidence)
    assert (
        kitchen.ask("Um, so, what was said, you know, in the first ten seconds?").text
        == f'Read as "What was said in the first ten seconds?" {answer.text}'
    )


@pytest.mark.parametrize(
    "text",
    ["What was said in the second minute?", "What was said in the second half?", "Um, well, what was said, you know, in the last third?"],
)
def test_a_part_of_the_session_is_read(kitchen: Asker, text: str) -> None:
    answer = kitchen.ask(text)
    assert answer.claims
    least_ns = 60 * 10**9 if "minute" in text else 20 * 10**9
    assert all(evidence.end_ns > least_ns for claim in answer.claims for evidence in claim.evidence)


def test_a_minute_in_which_nothing_was_heard_is_told(kitchen: Asker) -> None:
    assert kitchen.ask("What was said in the third minute?").text.startswith('Nothing was heard in the asked time ("in the third minute")')


def test_minutes_before_something_that_was_said_are_refused(kitchen: Asker) -> None:
    answer = kitchen.ask("What was said in the last 10 seconds before the leak?")
    assert answer.text.startswith(
        'Echoic cannot tell when that was: "the last 10 seconds before the leak"; ask "What was said before the leak?", or give the time'
    )


@pytest.mark.parametrize("text", ["I was away for a minute, what did I miss?", "What did I miss while I was away for a minute?"])
def test_who_was_away_for_a_minute_missed_the_last_one(kitchen: Asker, text: str) -> None:
    answer = kitchen.ask(text)
    assert answer.text.startswith("You were away: this is about the last minute before now. ")
    last = kitchen.ask("What did I miss in the last minute?")
    assert [claim.text for claim in answer.claims] == [claim.text for claim in last.claims]


def test_a_declared_absence_goes_before_the_last_minute(kitchen: Asker) -> None:
    start_ns = utc_ns(kitchen.room.started_at)
    kitchen.memory.attention.declare([Attention("away", start_ns, start_ns + 30 * 10**9, session=kitchen.room.name)])
    answer = kitchen.ask("What did I miss while I was away for a minute?")
    assert "this is about the last minute" not in answer.text
    assert "0:30" in answer.text


@pytest.mark.parametrize(("length", "n_words"), [("ten words", 10), ("20 words", 20), ("one sentence", 15)])
def test_a_length_in_words_is_kept(kitchen: Asker, length: str, n_words: int) -> None:
    answer = kitchen.ask(f"Catch me up in {length}")
    assert len(answer.claims) == 1
    assert len(answer.text.split()) <= n_words
    assert answer.text.count(".") == 1
    assert answer.claims[0].evidence


@pytest.mark.parametrize(
    "text",
    [
        "Tell me in ten words what they said about the puppy",
        "What did they say about the puppy in ten words?",
        "In ten words, what did they say about the puppy?",
        "Tell me about the puppy in ten words",
    ],
)
def test_a_length_in_words_is_kept_of_a_topic_too(kitchen: Asker, text: str) -> None:
    answer = kitchen.ask(text)
    assert "puppy" in answer.text
    assert len(answer.text.split()) <= 10
    assert answer.claims[0].evidence


@pytest.mark.parametrize("text", ["What was said in ten words?", "What did speaker-1 say, in ten words?"])
def test_all_that_was_said_is_told_in_words(kitchen: Asker, text: str) -> None:
    answer = kitchen.ask(text)
    assert answer.claims
    assert len(answer.text.split()) <= 10


def test_that_an_answer_cannot_be_shorter_is_told(kitchen: Asker) -> None:
    assert kitchen.ask("Did anybody mention the puppy, in three words?").text.endswith('can be given ("in three words").')
    assert "shorter" not in kitchen.ask("What did they say about the puppy in sixty words?").text
    assert "what fits of everything" in kitchen.ask("What did I miss, in ten words?").text
    refused = kitchen.ask("Tell me in ten words what they said about the volcano")
    assert refused.text.startswith('Nobody was heard talking about "volcano".')


def test_two_sentences_are_one_stretch_and_a_quote(kitchen: Asker) -> None:
    answer = kitchen.ask("Catch me up in two sentences")
    assert len(answer.claims) == 1
    assert "agreed" not in answer.text
