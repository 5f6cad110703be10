"""The first and the last of what was said."""

from __future__ import annotations

import pytest

from tests.stages.recall.room_memory import Asker


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What was the first thing that was said?", "We finally brought the puppy home"),
        ("What was the last thing?", "That was only a loose heat shield"),
        ("What was the last thing said?", "That was only a loose heat shield"),
        ("The very last sentence?", "That was only a loose heat shield"),
        ("What was the first thing?", "We finally brought the puppy home"),
        ("What was the last thing about the roof?", "Water is coming through the roof"),
        ("What was the last thing speaker-3 said?", "Then I hope that it stays dry"),
        ("What did speaker-4 say first?", "The bus leaves at half past eight"),
        ("What was the last thing that was said about the roof?", "Water is coming through the roof"),
        ("Give me the last thing that was said about the roof", "Water is coming through the roof"),
        ("Tell me the first thing speaker-4 said", "The bus leaves at half past eight"),
        ("Who mentioned the dog first?", "Our dog cried for a whole week"),
        ("When did they last talk about the dog?", "There is a good dog school"),
    ],
)
def test_one_line_is_told(kitchen: Asker, text: str, words: str) -> None:
    answer = kitchen.ask(text)
    assert [evidence.text.startswith(words) or words in evidence.text for claim in answer.claims for evidence in claim.evidence] == [True]
    assert answer.claims[0].evidence[0].utterance in answer.retrieved


def test_what_nobody_said_has_no_first_time(kitchen: Asker) -> None:
    answer = kitchen.ask("Who mentioned the volcano first?")
    assert answer.abstained
    assert answer.retrieved


def test_the_last_of_a_time(kitchen: Asker) -> None:
    last = kitchen.ask("What was the last thing that was said between +0 and +20?").claims[0].evidence[0]
    inside = [line for line in kitchen.room.lines if line.start_ns < 20e9]
    assert last.utterance == max(inside, key=lambda line: line.start_ns).id
