"""Questions about sounds: they are found by what people call them, and never stand in the way of what was said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.packets import NS_PER_S
from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.recall.answers import Answer
from stages.recall.hybrid_recall import HybridRecall
from tests.stages.memory.made import ENCODER, STARTED_AT, line, session_row
from tests.stages.memory.made_sounds import sound

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


@pytest.fixture
def recall() -> Iterator[HybridRecall]:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("my phone is on the table in the kitchen", 1.0, 3.0), line("the ferry leaves on saturday", 8.0, 2.0)], 1)
    heard = [
        sound("Telephone bell ringing", 12.0, 3.0, azimuth_deg=200.0),
        sound("Slam", 20.0, azimuth_deg=90.0),
        sound(None, 22.0, seed=4),
        sound(None, 25.0, seed=4),
        sound("Giggle", 30.0, azimuth_deg=None),
        *(sound("Smoke detector, smoke alarm", 40.0 + 5 * n, 1.0, azimuth_deg=120.0) for n in range(7)),
    ]
    for one in heard:
        memory.sounds.add("s1", one)
    memory.sounds.name("sound-1", "coffee machine")
    memory.set_passed("s1", 80 * NS_PER_S)
    yield HybridRecall(memory, ENCODER, Extractive(encoder=ENCODER))
    memory.stop()


def ask(recall: HybridRecall, question: str, at: datetime | None = None) -> Answer:
    return recall.ask(question, at=at, now=NOW)


def sounds_in(answer: Answer) -> list[str]:
    return [e.text for claim in answer.claims for e in claim.evidence if e.speaker == "(not speech)"]


@pytest.mark.parametrize(
    ("question", "label", "start_s"),
    [
        ("When did the door slam?", "Slam", 20.0),
        ("Did anybody hear the phone ring?", "Telephone bell ringing", 12.0),
        ("When did the telephone ring?", "Telephone bell ringing", 12.0),
        ("Did somebody laugh?", "Giggle", 30.0),
        ("Was there any laughter to hear?", "Giggle", 30.0),
        ("When was the coffee machine heard?", "coffee machine", 22.0),
        ("Did you hear a noise at 90 degrees?", "Slam", 20.0),
    ],
)
def test_a_sound_is_found_by_what_people_call_it(recall: HybridRecall, question: str, label: str, start_s: float) -> None:
    answer = ask(recall, question)
    assert not answer.abstained
    assert sounds_in(answer)[0] == label
    evidence = next(e for claim in answer.claims for e in claim.evidence if e.text == label)
    assert evidence.start_ns == round(start_s * NS_PER_S)
    assert f'"{label}" was heard' in answer.text


def test_when_and_where_stand_in_the_answer(recall: HybridRecall) -> None:
    assert 'At 0:20 (10:00:20 on 22 November 2026), "Slam" was heard at 90 degrees.' in ask(recall, "When did the door slam?").text


def test_of_many_some_are_told_with_their_number(recall: HybridRecall) -> None:
    answer = ask(recall, "Did anybody hear the alarm?")
    assert sounds_in(answer) == ["Smoke detector, smoke alarm"] * 5
    assert answer.text.count("one of 7 such sounds") == 1


@pytest.mark.parametrize(
    "question",
    [
        "Who has the phone?",
        "What was said about the phone?",
        "When does the ferry leave?",
        "Where is the phone?",
        "Did a dog bark?",
        "Did speaker-1 hear the alarm?",
        "What did I miss while I was following the conversation about the ferry?",
        "",
    ],
)
def test_other_questions_are_not_about_sounds(recall: HybridRecall, question: str) -> None:
    assert sounds_in(ask(recall, question)) == []


def test_what_was_said_comes_first_and_as_it_would_without_sounds(recall: HybridRecall) -> None:
    without = LongTermMemory(ENCODER)
    without.start()
    without.begin_session(session_row())
    said = [line("my phone is on the table in the kitchen", 1.0, 3.0), line("the ferry leaves on saturday", 8.0, 2.0)]
    without.add_lines("s1", said, 80 * NS_PER_S)
    for question in ("Where is the phone?", "Did anybody hear about the ferry?", "What was said?", "Did you hear the phone?"):
        alone = HybridRecall(without, ENCODER, Extractive(encoder=ENCODER)).ask(question, at=None, now=NOW)
        both = ask(recall, question)
        assert both.claims[: len(alone.claims)] == alone.claims
        assert both.retrieved == alone.retrieved
    without.stop()


def test_nothing_later_than_the_asked_moment_is_told(recall: HybridRecall) -> None:
    assert sounds_in(ask(recall, "When did the door slam?", at=STARTED_AT + timedelta(seconds=15))) == []
    assert sounds_in(ask(recall, "When did the door slam?", at=STARTED_AT + timedelta(seconds=21))) == ["Slam"]
