"""Questions that ask for several things: what they fall into, and that each part is answered or said not to be."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from stages.recall.answers import Answer
from stages.recall.parts import parts_in
from stages.recall.time_phrase import Moments
from tests.stages.recall.room_memory import Asker

NOW = datetime(2026, 3, 4, 10, 45, tzinfo=timezone(timedelta(hours=1)))
MOMENTS = Moments(NOW, NOW - timedelta(minutes=5), NOW - timedelta(minutes=45))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "What did they say about the dentist and about the new flat?",
            ["What did they say about the dentist?", "What did they say about the new flat?"],
        ),
        (
            "Did anybody mention the cake, the wine or the match in the last hour?",
            [f"Did anybody mention the {what} in the last hour?" for what in ("cake", "wine", "match")],
        ),
        ("Did Anna or Ben mention Brahms?", ["Did Anna mention Brahms?", "Did Ben mention Brahms?"]),
        (
            "What did the project manager and Anna say about costs?",
            ["What did the project manager say about costs?", "What did Anna say about costs?"],
        ),
        ("When does the bus leave, and how much are the tickets?", ["When does the bus leave?", "how much are the tickets?"]),
        ("When does the bus leave and who drives?", ["When does the bus leave?", "who drives?"]),
        (
            "What did they say about Anna's dog and when will she leave?",
            ["What did they say about Anna's dog?", "when will Anna leave?"],
        ),
        ("Who is Martin and where is he sitting?", ["Who is Martin?", "where is Martin sitting?"]),
        # Whom they greeted is not certainly who is meant, and a day is nobody.
        ("Who greeted Tess and where was she?", None),
        ("What happens on Tuesday and where is he?", None),
        ("Who is speaker-4, and where was he?", ["Who is speaker-4?", "where was speaker-4?"]),
        ("How often were the vote and the break mentioned?", ["How often were the vote mentioned?", "How often were the break mentioned?"]),
        (
            "Who talked about the budget and the vote, and where in the room?",
            ["Who talked about the budget, and where in the room?", "Who talked about the vote, and where in the room?"],
        ),
        ("Who talked about the budget, and where in the room?", None),
        ("When and where did they talk about the museum?", None),
        ("What was said between ten and half past?", None),
        ("Where did Anna and Ben go?", None),
        ("What did they say about a, b, c and d?", None),
        ("What did they say about me and you?", None),
        ("Did Paul and Paula mention the alarm?", None),
    ],
)
def test_what_a_question_falls_into(text: str, parts: list[str] | None) -> None:
    found = parts_in(text, MOMENTS, lambda: ["Anna", "Project Manager"])
    assert (None if found is None else list(found.texts)) == parts


def _sections(kitchen: Asker, answer: Answer) -> list[str]:
    return [kitchen.room.section_of(claim.evidence[0].utterance) for claim in answer.claims]


def test_both_parts_are_answered(kitchen: Asker) -> None:
    answer = kitchen.ask("What did they say about the trainer and about the planetarium?")
    assert answer.intent == "what"
    assert _sections(kitchen, answer) == ["dogs", "museum"]
    assert "I need a trainer" in answer.claims[0].text
    assert "planetarium show" in answer.claims[1].text
    lines = [evidence.utterance for claim in answer.claims for evidence in claim.evidence]
    assert set(lines[:2]) <= set(answer.retrieved[:8])


def test_a_part_of_which_nobody_spoke_is_told(kitchen: Asker) -> None:
    for text in ("What did they say about the tickets and about the volcano?", "What did they say about the volcano and the tickets?"):
        answer = kitchen.ask(text)
        assert _sections(kitchen, answer) == ["museum"], answer.text
        assert answer.text.endswith('Nobody was heard talking about "volcano".')


def test_where_all_parts_are_of_one_talk_the_first_round_is_enough(kitchen: Asker) -> None:
    whole = kitchen.ask("What did they say about the buckets and the leak?")
    assert _sections(kitchen, whole) == ["roof"]
    assert len(whole.claims) == 1


def test_where_no_part_was_heard_it_is_declined_with_each(kitchen: Asker) -> None:
    answer = kitchen.ask("Did anybody mention the volcano or the submarine?")
    assert answer.abstained
    assert answer.retrieved
    assert answer.text.startswith('Nobody was heard talking about "volcano". Nobody was heard talking about "submarine". The nearest')


def test_each_of_two_talkers(kitchen: Asker) -> None:
    answer = kitchen.ask("Did speaker-2 or speaker-4 mention the tickets?")
    assert {evidence.speaker for claim in answer.claims for evidence in claim.evidence} == {"speaker-4"}
    assert answer.text.startswith("Yes: ")
    assert 'speaker-2 was not heard talking about "tickets".' in answer.text


def test_two_questions_in_one(kitchen: Asker) -> None:
    answer = kitchen.ask("When does the bus leave, and how much did the repair of the brakes cost?")
    assert "half past eight" in answer.claims[0].text
    assert "four hundred euros" in answer.claims[-1].text


def test_the_same_line_is_told_once(kitchen: Asker) -> None:
    answer = kitchen.ask("Did anybody mention the trainer for a dog or a trainer?")
    cited = [tuple(evidence.utterance for evidence in claim.evidence) for claim in answer.claims]
    assert len(cited) == len(set(cited)) == 1


def test_he_is_who_was_named_in_the_same_question(kitchen: Asker) -> None:
    kitchen.ask("What did speaker-1 say?")
    answer = kitchen.ask("Who is speaker-2 and what did he say?")
    assert '"he" is read as' not in answer.text
    assert answer.claims
