"""Of whom a line says what is asked."""

from __future__ import annotations

import pytest

from stages.recall.subjects import of_another, of_other_gender, of_what_was_named


@pytest.mark.parametrize(
    ("asked", "line", "another"),
    [
        ("Will I move to Canada?", "I should ring my daughter. She's thinking of moving to Canada.", True),
        ("Will I move to Canada?", "My daughter is moving to Canada.", True),
        ("Will I move to Canada?", "They want her to move to Canada.", True),
        ("Will I move to Canada?", "She moves in May, and then I move to Canada as well.", False),
        ("Will I move to Canada?", "Moving to Canada, that's my plan.", False),
        ("Will I move to Canada?", "The move to Canada is in May.", False),
        ("Will I move to Canada?", "My wife says that I'm moving to Canada.", False),
        ("Do I want to move to Canada?", "She moves to Canada, so I want a bigger car.", True),
        ("When did I book the show?", "It is booked for eleven.", False),
        ("When did I book the show?", "The show is booked for eleven.", False),
        ("When was I operated?", "They operated on me on Monday.", False),
        ("How old is my dog?", "She is nine.", False),
        ("Do I have a dog?", "She has a dog.", False),
        ("When did I say what he ate?", "The vet says that he ate a candle.", False),
        ("Where am I?", "She is at home.", False),
        ("When do I land?", "My plane lands at six on Friday.", False),
        ("When do I leave?", "My bus leaves at ten.", False),
        ("When do I start?", "That's kind. My course starts in October.", False),
        ("When do I finish work?", "My shift finishes at four, so I can drive you.", False),
        ("When do I start?", "My boss starts on Monday.", True),
        ("When do I leave?", "The neighbours are leaving on Friday.", True),
        ("When do I start?", "My old boss starts on Monday.", True),
        ("When did I move?", "I and my wife moved in May.", False),
        ("When did I move?", "I helped my brother move in May.", False),
        ("When did I leave?", "She took the bag and left.", True),
    ],
)
def test_what_a_talker_says_of_others_is_not_of_the_talker(asked: str, line: str, another: bool) -> None:
    assert of_another(asked, line) == another


@pytest.mark.parametrize(
    ("asked", "line", "other"),
    [
        ("When are Misses Lindqvist's tablets due?", "He had his tablets at twelve, the next ones are due at six.", True),
        ("When are Mister Okafor's tablets due?", "He had his tablets at twelve, the next ones are due at six.", False),
        ("When are Misses Lindqvist's tablets due?", "Her tablets are due at six, his tablets at seven.", False),
        ("When are Misses Lindqvist's tablets due?", "Lindqvist? He gave her his tablets.", False),
        ("When are Misses Lindqvist's tablets due?", "He brings them at six.", False),
        ("When did Mrs Doyle fall?", "He fell on Monday.", True),
        ("When did Mrs Doyle fall?", "She said he fell on Monday.", True),
        ("When did Mrs Doyle fall?", "He said she fell on Monday.", False),
        ("When did Mrs. Doyle fall?", "He fell on Monday.", True),
        ("Did Mr Brown fall on Monday?", "She fell on Monday.", True),
        ("When did Mrs Doyle see him fall?", "He fell on Monday.", False),
        ("Who visited Mrs Doyle?", "He visited after lunch.", False),
        ("When will Mum's glasses come?", "I left his glasses on the table.", True),
        ("What is Mum's doctor called?", "He is called Brown.", False),
        ("When did she fall?", "He fell on Monday.", False),
        ("When does Mum come home?", "He says Mum comes home on Friday.", False),
        ("When will Grandma come home?", "He left, so Grandma comes home on Friday. He comes too.", False),
        ("When will Mum's glasses come?", "Mum, I left his glasses on the table.", False),
        ("When does Mum come home?", "He says my mother comes home on Friday.", False),
        ("When does Mum come home?", "He hopes the old lady comes home on Friday.", False),
        ("When will Mrs Doyle come home?", "He thinks Grandma comes home on Friday.", False),
        ("When did Mrs Doyle fall?", "He thinks Mister Brown fell on Monday.", False),
        ("When does Mum come home?", "He says that comes on Friday.", False),
        ("When does Mum come home?", "He comes home on Friday.", True),
        ("When did Mrs Doyle fall?", "He took the stairs and fell.", True),
    ],
)
def test_a_woman_is_not_he_and_a_man_not_she(asked: str, line: str, other: bool) -> None:
    assert of_other_gender(asked, line) == other


@pytest.mark.parametrize(
    ("asked", "before", "line", "other"),
    [
        ("Did Misses Doyle ruin the armchair?", "Ha! The cat.", "She ruined the green armchair, yes.", True),
        ("Did the cat ruin the armchair?", "Ha! The cat.", "She ruined the green armchair, yes.", False),
        ("Did Misses Doyle ruin the armchair?", "Misses Doyle.", "She ruined the green armchair, yes.", False),
        ("Did Misses Doyle ruin the armchair?", "Ha! The cat.", "I think Misses Doyle ruined the armchair.", False),
        ("Did Misses Doyle ruin the armchair?", "The cat is in the garden.", "She ruined the green armchair, yes.", False),
        ("Did Misses Doyle ruin the armchair?", "", "She ruined the green armchair, yes.", False),
        ("Who ruined the armchair?", "The cat.", "She ruined the green armchair, yes.", False),
        ("Did Misses Doyle ruin the armchair?", "Lovely.", "She ruined the green armchair, yes.", False),
        ("Did Misses Doyle ruin the armchair?", "My goodness!", "She ruined the green armchair, yes.", False),
        ("Did the cat ruin the armchair?", "Oh, Misses Doyle!", "She ruined the green armchair, yes.", True),
        ("Did Emma sell the car?", "Emma and the car?", "She sold it.", False),
    ],
)
def test_a_pronoun_is_who_was_named_right_before(asked: str, before: str, line: str, other: bool) -> None:
    assert of_what_was_named(asked, before, line) == other
