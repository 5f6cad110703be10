"""What is taught with talks written out by hand: which line answers, which takes back, and what a stretch is about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.packets import Float32Array
from stages.recall.reader import whether_about, whether_taken_back
from tools.reader_lessons import Read
from tools.talk_lessons import TalkLessons
from tools.written_talks import Asked, WrittenTalk

_WORDS = ("shed", "cousin", "boat", "price", "harbour", "thursday")


def encode(texts: Sequence[str]) -> Float32Array:
    """Counts of some words, and a little of everything, at unit length."""
    rows: Float32Array = np.array([[0.1, *(text.lower().count(word) for word in _WORDS)] for text in texts], dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


SHED = WrittenTalk(
    name="shed",
    lines=(
        (1, "Ana", "My shed is falling apart."),
        (2, "Ben", "Oh dear. Who mends a shed nowadays?"),
        (3, "Ana", "My cousin."),
        (4, "Ben", "When does the cousin come?"),
        (5, "Ana", "Thursday."),
        (6, "Ben", "I saw the shed from the road."),
        (7, "Ana", "He says Friday suits him better."),
    ),
    asked=(Asked(q="What state is the shed in?", a=(1,)), Asked(q="Who mends it?", a=(3,)), Asked(q="Who built the shed?", near=(1, 3))),
    about=("a broken shed",),
    not_about=("a price",),
    taken_back=((5, 7),),
)
BOAT = WrittenTalk(
    name="boat",
    lines=((1, "Cem", "The boat lies in the harbour."), (2, "Dora", "The shed there is mine, at a good price.")),
    asked=(Asked(q="Where is the boat?", a=(1,)),),
    about=("a boat",),
    not_about=(),
)


def _rounds(n: int = 60) -> list[tuple[Read, bool]]:
    lessons = TalkLessons([SHED, BOAT], encode)
    found = []
    for number in range(n):
        read, right = lessons.round(number)
        assert (read, right) == lessons.round(number)
        found += list(zip(read, right, strict=True))
    return found


def test_lines_that_answer_are_right_and_all_others_wrong() -> None:
    rounds = _rounds()
    state = {(line, right) for (question, _, line), right in rounds if question == "What state is the shed in?"}
    assert ("My shed is falling apart.", True) in state
    assert ("I saw the shed from the road.", False) in state
    assert ("The shed there is mine, at a good price.", False) in state, "a line of another talk"
    assert [line for line, right in state if right] == ["My shed is falling apart."]
    built = {(line, right) for (question, _, line), right in rounds if question == "Who built the shed?"}
    assert built == {("My shed is falling apart.", False), ("My cousin.", False)}


def test_an_answer_of_a_word_stands_with_what_was_asked_before_it() -> None:
    befores = {before for (question, before, line), right in _rounds() if right and question == "Who mends it?"}
    assert befores == {"Who mends a shed nowadays?"}


def test_corrections_are_right_with_what_they_take_back_alone() -> None:
    asked = {(question, line, right) for (question, _, line), right in _rounds() if question.startswith("Was this taken back")}
    later = "He says Friday suits him better."
    assert {one for one in asked if one[2]} == {(whether_taken_back("Thursday."), later, True)}
    assert (whether_taken_back("Thursday."), "I saw the shed from the road.", False) in asked
    assert any(line == later and question != whether_taken_back("Thursday.") for question, line, _ in asked)


def test_a_topic_stands_with_the_stretch_that_is_most_like_it() -> None:
    asked = {(question, line, right) for (question, _, line), right in _rounds(3) if question.startswith("Did they talk about")}
    (broken,) = [line for question, line, right in asked if question == whether_about("a broken shed") and right]
    # The second line, and then its neighbours, the nearest first.
    assert broken == " ".join(SHED.text(number) for number in (2, 3, 1, 4))
    assert {right for question, _, right in asked if question == whether_about("a price")} == {False}


def test_right_and_wrong_are_not_far_apart_in_number() -> None:
    right = [is_right for (question, _, _), is_right in _rounds() if not question.startswith(("Did they", "Was this"))]
    assert 0.3 < np.mean(right) < 0.6
