from __future__ import annotations

import pytest

from stages.answer.extractive import Extractive
from stages.answer.talkers import asks_who_said, asks_who_was_not_told, asks_who_was_told, talkers
from stages.recall.material import Found, Material
from tests.stages.answer.materials import DOGS, FERRY, SESSIONS, question
from tests.stages.recall.line_rows import line_row


def test_everybody_near_the_found_line_took_part_but_nobody_of_another_event() -> None:
    later = line_row("The roof leaks", 40.0, track="t5", event="s-dogs")
    found = Found(DOGS[0], 1.0, 0.9, 1.0, (), (*DOGS, later, FERRY[0]))
    assert talkers([found], 3) == list(DOGS)
    assert talkers([found], 1) == [DOGS[0]]


def test_who_talked_names_all_with_their_bearings_and_a_line_of_each() -> None:
    material = Material(found=(Found(DOGS[0], 1.0, 0.9, 1.0, DOGS, DOGS),), sessions=SESSIONS)
    claims = Extractive().compose(question("Who talked about the dog, and where?"), material)
    assert [claim.text for claim in claims] == [
        "speaker-1 (30 degrees) and speaker-2 (75 degrees) talked about it. "
        'At 0:01, speaker-1 (30 degrees) said: "My dog ran away in the park yesterday"'
    ]
    assert [entry.text for entry in claims[0].evidence] == [line.text for line in DOGS]


def test_who_shares_an_event_by_a_mistake_did_not_take_part() -> None:
    guest = line_row("The board votes on Thursday", 6.0, track="t8", event="s-dogs")
    group = (Found(DOGS[0], 1.0, 0.9, 1.0, DOGS, (*DOGS, guest), DOGS), Found(guest, 0.9, 0.9, 0.0, DOGS, (*DOGS, guest)))
    claims = Extractive().compose(question("Who talked about the dog, and where?"), Material(found=group, sessions=SESSIONS))
    assert [entry.text for entry in claims[0].evidence] == [line.text for line in DOGS]
    assert "speaker-8" not in claims[0].text


def test_who_said_something_is_not_who_was_there() -> None:
    group = (Found(DOGS[0], 1.0, 0.9, 1.0, DOGS, DOGS), Found(DOGS[1], 0.9, 0.9, 0.0, DOGS, DOGS))
    material = Material(found=group, sessions=SESSIONS)
    for text in ("Who said something about the dog?", "Who mentioned the dog?"):
        claim = Extractive().compose(question(text), material)[0]
        assert [entry.text for entry in claim.evidence] == [DOGS[0].text]
        assert "speaker-2" not in claim.text
    # In other words than those of the question everybody of the talk may have said it.
    asked = Material(found=(Found(DOGS[0], 1.0, 0.9, 0.0, DOGS, DOGS), group[1]), sessions=SESSIONS)
    claim = Extractive().compose(question("Who said something about the dog?"), asked)[0]
    assert [entry.text for entry in claim.evidence] == [line.text for line in DOGS]


def test_who_was_told_are_those_who_took_part_besides_the_one_who_said_it() -> None:
    material = Material(found=(Found(DOGS[0], 1.0, 0.9, 1.0, DOGS, DOGS),), sessions=SESSIONS)
    for text in ("Who was told about the dog?", "Who has been told about the dog?", "Whom did they tell about the dog?"):
        claim = Extractive().compose(question(text), material)[0]
        assert claim.text == (
            "speaker-2 (75 degrees) took part in the talk when it was said. "
            'At 0:01, speaker-1 (30 degrees) said: "My dog ran away in the park yesterday"'
        )
        assert [entry.text for entry in claim.evidence] == [line.text for line in DOGS]
    # Who replied stands in the talk alone where one person's lines were searched.
    asked = Material(found=(Found(DOGS[0], 1.0, 0.9, 1.0, DOGS[:1], DOGS[:1], DOGS),), sessions=SESSIONS)
    claim = Extractive().compose(question("Who was told about the dog?"), asked)[0]
    assert claim.text.startswith("speaker-2 (75 degrees) took part in the talk when it was said. ")
    alone = Material(found=(Found(DOGS[0], 1.0, 0.9, 1.0, DOGS[:1], DOGS[:1]),), sessions=SESSIONS)
    claim = Extractive().compose(question("Who was told about the dog?"), alone)[0]
    assert claim.text == (
        'Nobody else was heard there when it was said. At 0:01, speaker-1 (30 degrees) said: "My dog ran away in the park yesterday"'
    )
    assert question("Who was told that the dog ran away?").about_speech


@pytest.mark.parametrize(
    ("text", "said", "told"),
    [
        ("Who told them about it?", True, False),
        ("Who else mentioned it?", True, False),
        ("Who was saying something about it?", True, False),
        ("Who was told about it?", False, True),
        ("Who had already told them about it?", True, False),
        ("Who has been told about it?", False, True),
        ("Who was already told about it?", False, True),
        ("Who did Anna Berg tell about it?", False, True),
        ("Who was mentioned in the talk about it?", False, False),
        ("Who talked about it?", False, False),
    ],
)
def test_who_said_it_and_who_was_told_are_two_questions(text: str, said: bool, told: bool) -> None:
    assert (asks_who_said(text), asks_who_was_told(text)) == (said, told)


@pytest.mark.parametrize(
    ("text", "is_asked"),
    [
        ("Who was not told about it?", True),
        ("Who wasn't told about it?", True),
        ("Who has never been told about it?", True),
        ("Who did Anna not tell about it?", True),
        ("Who didn't Anna tell about it?", True),
        ("Who was told nothing?", True),
        ("Who was told about it?", False),
        ("Who did not tell them about it?", False),
        ("Who was told that it is not here?", False),
    ],
)
def test_nothing_that_was_heard_tells_who_was_not_told(text: str, is_asked: bool) -> None:
    assert asks_who_was_not_told(text) == is_asked
    assert (question(text).intent == "unservable") == is_asked
