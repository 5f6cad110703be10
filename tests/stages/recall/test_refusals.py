from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stages.recall.question import parse
from stages.recall.refusals import nothing_heard, refusal_text, unknown_speaker
from stages.recall.scope import scope_of
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.test_scope import ENDS, MOMENTS, SESSIONS


def _refusal(text: str, *, near: bool = True) -> str:
    question = parse(text, MOMENTS)
    scope = scope_of(question, SESSIONS[1:], ENDS)
    return refusal_text(question, line_row("It rained a lot", 62.0) if near else None, scope)


def test_what_was_not_heard_and_what_came_nearest() -> None:
    nearest = 'The nearest thing heard: at 1:02, speaker-1 (30 degrees) said: "It rained a lot"'
    assert _refusal("What did they say about the volcano?") == f'Nobody was heard talking about "volcano". {nearest}'
    assert _refusal("Who won the match?") == f'Nobody was heard saying anything that answers "who won the match". {nearest}'
    assert _refusal("What did speaker-2 say about snow?") == f'speaker-2 was not heard talking about "snow". {nearest}'
    assert _refusal("What did I miss while I was listening to the chess talk?") == (
        f'No conversation that fits "the chess talk" was heard. {nearest}'
    )


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Who won the football match?", "who won the football match"),
        ("Did anybody talk about Paris?", "Paris"),
        ("What did they say about North Harbour in the last hour?", "North Harbour"),
        ("When did somebody mention the Trip to Rome?", "Trip to Rome"),
        ("When does the train to Madrid leave?", "when does the train to Madrid leave"),
        ("Catch me up", ""),
    ],
)
def test_a_refusal_keeps_the_words_of_the_question(text: str, phrase: str) -> None:
    assert parse(text, MOMENTS).phrase == phrase
    if phrase:
        assert f'"{phrase}"' in _refusal(text)


def test_where_the_words_are_not_known_nothing_can_be_told() -> None:
    question = parse("Did anybody talk about Paris?", MOMENTS)
    near = line_row("[speech]", 62.0, confidence=0.0)
    assert refusal_text(question, near, scope_of(question, SESSIONS[1:], ENDS)) == (
        'Nothing can be told on "Paris": at 1:02, speaker-1 (30 degrees) spoke; the words were not transcribed.'
    )


def test_nothing_near() -> None:
    assert _refusal("Who won the match?", near=False).endswith("Nothing near it was heard either.")


def test_other_refusals() -> None:
    assert nothing_heard(None) == "Nothing has been heard yet: the memory is empty."
    assert nothing_heard(datetime(2026, 3, 1, 9, 5, tzinfo=UTC)) == "Nothing had been heard up to 09:05:00 on 1 March 2026."
    assert unknown_speaker("Bob", []) == "No talker is called Bob. No talker has a name yet."


@pytest.mark.parametrize(
    ("text", "near", "said"),
    [
        (
            "Did the engineer come at ten?",
            "The engineer's coming at four",
            'Nothing that was heard answers "did the engineer come at ten".',
        ),
        ("Did Graham refuse?", "What does Graham say?", 'Nothing that was heard answers "did Graham refuse".'),
        (
            "Would speaker-1 go to Canada?",
            "Canada? Would you go?",
            'Nothing that speaker-1 was heard saying answers "would speaker-1 go to Canada".',
        ),
        ("Did speaker-2 go to Rome?", "Rome? Were you there?", 'speaker-2 was not heard talking about "Rome".'),
        ("What did they say about the cat?", "The cat sleeps", 'Nothing that was heard answers "what did they say about the cat".'),
        ("What did my brother say?", "My brother told me he got it.", 'Nothing that was heard answers "what did my brother say".'),
        (
            "What did my brother say?",
            "My brother is ill.",
            'No talker is known as "my brother", and nobody was heard telling what they said.',
        ),
        ("Did anybody talk about the yellow chair?", "The green chair broke", 'Nobody was heard talking about "yellow chair".'),
    ],
)
def test_what_the_nearest_line_names_nobody_is_said_to_have_kept_silent_about(text: str, near: str, said: str) -> None:
    question = parse(text, MOMENTS)
    refused = refusal_text(question, line_row(near, 62.0), scope_of(question, SESSIONS[1:], ENDS))
    assert refused.startswith(f"{said} The nearest thing heard: at 1:02, speaker-1")
