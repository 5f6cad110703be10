"""What somebody said who was not heard: told by others, or refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.question import parse
from stages.recall.reported import reported, teller_in
from stages.recall.search import Ranked
from tests.stages.recall.line_rows import line_row, talk_rows
from tests.stages.recall.small_rooms import Ask, asking
from tests.stages.recall.test_scope import MOMENTS

_WARD = [
    ("Ruth", "Have you spoken to the doctor yet?"),
    ("Colin", "Yes. The doctor said that Mum can go home on Friday."),
    ("Ruth", "And the pacemaker?"),
    ("Colin", "The doctor told me it lasts ten years."),
    ("Walter", "I've got a pacemaker too, mine is the second one."),
    ("Ruth", "We should sell the car."),
    ("Colin", "The lift is out of order, the engineer is coming."),
]


@pytest.fixture
def ask(encoder: MinilmOnnx) -> Iterator[Ask]:
    with asking(encoder, {"s": talk_rows(_WARD)}) as asked:
        yield asked


@pytest.mark.parametrize(
    ("text", "teller"),
    [
        ("What did the doctor say about Walter's pacemaker?", "the doctor"),
        ("Did my sister mention the car?", "my sister"),
        ("Who knows what the engineer said?", "the engineer"),
        ("What did Walter's daughter say?", "Walter's daughter"),
        ("What did our new landlord say about the rent?", "our new landlord"),
        ("What did Anna's sister tell Ben?", "Anna's sister"),
        ("What did the others say?", ""),
        ("What did the nurses say about the lift?", ""),
        ("What did the team say about the logo?", ""),
        ("What did my family think of the flat?", ""),
        ("What did the radio say about Wales?", ""),
        ("What does the recipe ask for?", ""),
        ("What did the letter ask for?", ""),
        ("What did the test say about the allergy?", ""),
        ("What does the director want to cut?", ""),
        ("What did they say about the doctor?", ""),
    ],
)
def test_who_is_no_talker_but_told_something(text: str, teller: str) -> None:
    assert teller_in(text) == teller


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What did the doctor say?", "go home on Friday"),
        ("When did the doctor say Mum can go home?", "go home on Friday"),
        ("What did the doctor say about the pacemaker?", "it lasts ten years"),
    ],
)
def test_others_told_it(ask: Ask, text: str, words: str) -> None:
    assert [words in claim.evidence[0].text for claim in ask(text).claims] == [True]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("What did the doctor say about the car?", "doctor"),
        ("What did the engineer say about the lift?", "The lift is out of order, the engineer is coming."),
        ("What did the vet say about the pacemaker?", "pacemaker"),
    ],
)
def test_what_nobody_told_of_them_is_refused(ask: Ask, text: str, near: str) -> None:
    answer = ask(text)
    who = " ".join(text.split()[2:4])
    assert answer.abstained
    assert answer.text.startswith(
        f'No talker is known as "{who}", and nobody was heard telling what they said about that. The nearest thing '
    )
    assert near in answer.text


_HOME = [
    line_row("My brother told me he got the job in Leeds.", 0.0, speaker="Ruth"),
    line_row("According to the vet the cat has to lose weight.", 4.0, speaker="Colin"),
    line_row("I told my neighbour that the bins are full.", 8.0, speaker="Anna"),
    line_row("My sister is moving to Canada in May.", 12.0, speaker="Anna"),
    line_row("Has the doctor said anything?", 16.0, speaker="Anna"),
]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What did my brother say?", ["the job in Leeds"]),
        ("What did Ruth's brother say?", ["the job in Leeds"]),
        ("What did the vet say?", ["has to lose weight"]),
        ("What did the vet say about the cat?", ["has to lose weight"]),
        ("What did Colin's brother say?", []),
        ("What did the vet say about the dog?", []),
        ("When did the vet say the cat can go home?", []),
        ("What did the neighbour say?", []),
        ("What did my sister say?", []),
        ("What did the doctor say?", []),
    ],
)
def test_a_line_that_says_that_they_said_something_answers_where_nothing_found_does(text: str, words: list[str]) -> None:
    question = parse(text, MOMENTS)
    ranked = Ranked(tuple(_HOME), dict.fromkeys((line.id for line in _HOME), 0.5), {}, {}, {}, ())
    told = [entry.line.text for entry in reported(question, [], ranked)]
    assert [word in text for word, text in zip(words, told, strict=True)] == [True] * len(words)
