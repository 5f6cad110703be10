"""What was told nearly word for word, asked for by what was said, who asked it, or what it is true of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall import cues
from stages.recall.fact_support import _tells_subject
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.small_rooms import Ask, asking

_BOILER = [
    ("Emma", "The boiler is broken again."),
    ("Farid", "Did you call the landlord?"),
    ("Emma", "Twice, he says the plumber comes on Thursday morning."),
    ("Farid", "My brother has a van, he can take you to the baths."),
    ("Emma", "No way, I have to go at five today."),
]
_ALARM = [
    ("Carla", "By the way, was there an alarm this morning?"),
    ("David", "Yes, the fire alarm went off at nine, it was only a test."),
    ("Carla", "So nobody had to go down to the courtyard?"),
    ("David", "Nobody at all."),
]


@pytest.fixture
def ask(encoder: MinilmOnnx) -> Iterator[Ask]:
    rows = [
        line_row(text, 4.0 * n, track=f"t{who}", speaker=who, event=event)
        for talk, event in ((_BOILER, "boiler"), (_ALARM, "alarm"))
        for n, (who, text) in enumerate(talk)
    ]
    with asking(encoder, {"s": rows}) as asked:
        yield asked


def _quoted(ask: Ask, text: str) -> list[str]:
    return [claim.evidence[0].text for claim in ask(text).claims]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What is broken?", "The boiler is broken again."),
        ("What's broken?", "The boiler is broken again."),
        ("Who goes at five?", "No way, I have to go at five today."),
        ("Who was it that has a van?", "My brother has a van, he can take you to the baths."),
        ("Does Farid have a van?", "My brother has a van, he can take you to the baths."),
        ("Who asked about the alarm?", "By the way, was there an alarm this morning?"),
        ("Did anybody ask about the landlord?", "Did you call the landlord?"),
        ("Who said 'courtyard'?", "So nobody had to go down to the courtyard?"),
        ('Who said "no way"?', "No way, I have to go at five today."),
        ("When did they say the word plumber?", "Twice, he says the plumber comes on Thursday morning."),
        ("What did Farid ask Emma?", "Did you call the landlord?"),
        ("What did Farid ask?", "Did you call the landlord?"),
    ],
)
def test_it_is_told(ask: Ask, text: str, words: str) -> None:
    answer = ask(text)
    assert answer.question == text
    assert _quoted(ask, text) == [words]
    assert answer.claims[0].evidence[0].utterance in answer.retrieved


@pytest.mark.parametrize(
    "text",
    ["Who said 'banana'?", "Who asked about the election?", "What is painted?", "Does Emma have a horse?", "What did Emma ask Carla?"],
)
def test_what_nobody_said_is_refused(ask: Ask, text: str) -> None:
    assert ask(text).abstained


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("What is broken?", "Nothing is broken."),
        ("What is broken?", "If the lamp is broken, we sit in the dark."),
        ("Who goes at five?", "I never go at five."),
        ("What is broken?", "It is broken."),
        ("What is good?", "Pixel is a good name."),
        ("Who has the van?", "Who has the van?"),
    ],
)
def test_what_denies_it_or_has_no_subject_does_not_tell_it(asked: str, text: str) -> None:
    assert not _tells_subject(asked, text)
    assert _tells_subject("Who buys the drinks?", "David buys the drinks, as always")


def test_who_is_there_asks_who_was_heard() -> None:
    for text in ("who's there", "Who's here?", "Who is there?", "How many people are there?"):
        assert cues.PRESENT.match(text)
