from __future__ import annotations

from stages.answer.extractive import Extractive
from stages.answer.talkers import talkers
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
