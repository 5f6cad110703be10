"""Questions for facts with lines of generated topics: what answers, what does not, and what only looks as if it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.packets import Float32Array
from tools.fact_lessons import FactLessons
from tools.reader_lessons import Read
from tools.recall_rooms_topics import Fact, Topic, topics

_WORDS = ("harp", "piano", "boat", "fox", "cost", "bought")


def encode(texts: Sequence[str]) -> Float32Array:
    """Counts of some words, and a little of everything, at unit length."""
    rows: Float32Array = np.array([[0.1, *(text.lower().count(word) for word in _WORDS)] for text in texts], dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def fact(thing: str, number: int, **others: object) -> Fact:
    return Fact.model_validate(
        {
            "a": f"The {thing} cost {{v}} pounds.",
            "then": "I see.",
            "ask": (f"What did the {thing} from shop {number} cost?", f"What was paid for the {thing} in shop {number}?"),
            "that": f"what the {thing} had cost",
            "v": ("ten", "twenty"),
            "q": f"What about the {thing}?",
            "fix": f"No, {{v}} is what the {thing} cost.",
            "near": (f"Who sold the {thing}?",),
            "adds": f"The {thing} is old.",
        }
        | others
    )


def topic(thing: str) -> Topic:
    fill = tuple(f"{thing} remark {number}." for number in range(4))
    facts = (
        fact(thing, 1),
        fact(thing, 2, a=f"Ben brought the {thing} on {{v}}.", v=("Monday", "Friday"), fix=None),
        fact(thing, 3, near=()),
    )
    return Topic(name=f"a_{thing}", like="a_thing", about=(thing, thing), thing=thing, open=f"My {thing}.", fill=fill, facts=facts)


@pytest.fixture(scope="module")
def rounds() -> list[tuple[Read, bool]]:
    lessons = FactLessons([topic("harp"), topic("piano"), topic("boat"), topic("fox")], {"a_harp", "a_piano", "a_boat"}, encode)
    found = []
    for number in range(40):
        read, right = lessons.round(number)
        assert len(read) == len(right)
        found += list(zip(read, right, strict=True))
    return found


def test_every_fact_is_asked_for_once_a_round_with_one_line_that_answers(rounds: list[tuple[Read, bool]]) -> None:
    right = [read for read, is_right in rounds if is_right]
    assert len(right) == 40 * 3 * 3
    of_facts = Counter(
        (thing, shop) for question, _, _ in right for thing in _WORDS[:3] if thing in question for shop in "123" if shop in question
    )
    assert len(of_facts) == 3 * 3
    assert set(of_facts.values()) == {40}
    for question, _, line in right:
        thing = next(word for word in ("harp", "piano", "boat") if word in question)
        values = ("monday", "friday") if "shop 2" in question else ("ten", "twenty")
        assert any(value in line.lower() for value in values)
        assert thing in line or line in {"Ten.", "Twenty.", "Monday.", "Friday."}
    assert any(line.startswith("No, ") for _, _, line in right)
    assert any(before and line in {"Ten.", "Twenty."} for _, before, line in right)


def test_what_does_not_answer_is_said_in_the_same_topic_or_by_a_lookalike(rounds: list[tuple[Read, bool]]) -> None:
    wrong = [read for read, is_right in rounds if not is_right]
    near = [line for question, _, line in wrong if question.startswith("Who sold")]
    assert near
    assert all(" cost " in line or line in {"Ten.", "Twenty."} or "brought" in line or line in {"Monday.", "Friday."} for line in near)
    assert any(line.endswith("is old.") for _, _, line in wrong)
    assert any(line == "I see." for _, _, line in wrong)
    assert not any("fox" in question or "fox" in line for question, _, line in wrong)


def test_a_lookalike_is_among_the_lines_most_like_the_question() -> None:
    # Eight of twelve facts of other topics cost something, as is asked; the others do not.
    things = ("harp", "piano", "boat", "fox", "chair", "lamp")
    known = [topic(thing) for thing in things]
    lessons = FactLessons(known, {one.name for one in known}, encode)
    read = [one for number in range(40) for one in lessons.round(number)[0]]
    asked = [(question, before, line) for question, before, line in read if "the harp from shop" in question]
    alike = [(before, line) for _, before, line in asked if "harp" not in line and "harp" not in before]
    assert len(alike) > len(asked) / 20
    assert not any("brought" in line for _, line in alike)


def test_the_same_round_comes_out_the_same_and_another_is_another() -> None:
    lessons = FactLessons([topic("harp"), topic("piano")], {"a_harp", "a_piano"}, encode)
    assert lessons.round(3) == lessons.round(3)
    assert lessons.round(3) != lessons.round(4)


def test_a_question_with_one_word_of_its_own_has_no_lookalike() -> None:
    bare = topic("harp").model_copy(
        update={"facts": tuple(fact("harp", 1, ask=("How expensive was it?", "What did it cost?")) for _ in range(3))}
    )
    lessons = FactLessons([bare, topic("piano")], {"a_harp", "a_piano"}, encode)
    read = [one for number in range(20) for one in lessons.round(number)[0]]
    assert not any("piano" in line for question, _, line in read if question in {"How expensive was it?", "What did it cost?"})


def test_every_topic_that_is_written_down_gives_lessons() -> None:
    known = topics()[:4]
    read, right = FactLessons(known, {one.name for one in known}, encode).round(0)
    assert sum(right) == sum(len(one.facts) for one in known)
    assert not any("{v}" in line for _, _, line in read)
