from __future__ import annotations

import pytest

from stages.answer.extractive import Extractive
from stages.answer.said_once import says_the_same
from stages.recall.material import Material
from tests.stages.answer.materials import DOGS, SESSIONS, found_material, question, stretch
from tests.stages.recall.line_rows import line_row


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("The ferry leaves on Saturday at nine", "the ferry leaves Saturday at nine.", True),
        ("The ferry leaves on Saturday at nine", "The ferry leaves on Saturday at ten", False),
        ("The ferry leaves on Saturday", "The ferry never leaves on Saturday", False),
        ("The ferry leaves on Saturday", "Does the ferry leave on Saturday?", False),
        ("The roof leaks", "The roof of the old barn leaks since the storm", False),
        ("Oh yes", "Oh yes", False),
    ],
)
def test_near_duplicates(one: str, other: str, same: bool) -> None:
    assert says_the_same(one, other) == same
    assert says_the_same(other, one) == same


def test_who_said_the_same_is_added_to_the_claim_that_told_it() -> None:
    first = line_row("The roof of the barn leaks", 1.0, track="t1", event="s-a")
    again = line_row("the roof of the barn leaks", 30.0, track="t2", azimuth_deg=90.0, event="s-b")
    claims = Extractive().draft(question("Who talked about the roof?"), found_material(first, again, context=()))
    assert [claim.text for claim in claims] == [
        f'At 0:01, speaker-1 (30 degrees) said: "{first.text}" speaker-2 (90 degrees) said the same at 0:30.'
    ]
    assert [evidence.utterance for evidence in claims[0].evidence] == [first.id, again.id]
    facts = Extractive().draft(question("What is wrong with the roof?"), found_material(first, again, context=()))
    assert [claim.evidence for claim in facts] == [claims[0].evidence]


def test_a_quote_of_one_missed_conversation_is_not_given_again_for_the_next() -> None:
    one = (line_row("The bridge to Orlando closes on Friday", 1.0, track="t3", event="s-c"),)
    two = (
        line_row("The bridge to Orlando closes on Friday", 1.5, track="t4", event="s-d"),
        line_row("The taxi costs twenty", 6.0, track="t4", event="s-d"),
    )
    material = Material(attended=(stretch(DOGS),), missed=(stretch(one), stretch(two)), sessions=SESSIONS)
    claims = Extractive().draft(question("What did I miss while I was following the conversation about dogs?"), material)
    assert [claim.text.rpartition(": ")[2] for claim in claims] == [f'"{one[0].text}"', f'"{two[1].text}"']
