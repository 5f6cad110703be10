"""What the reader learns from: questions with lines that answer them, and with lines that only look as if they did."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stages.recall.boosted_trees import BoostedTrees
from tools.fit_examples import Example

_HARD = 3
_NEAR_HARD = 2
_P_NEAR = 0.25
_P_OF_ANOTHER_TOPIC = 0.5
_P_ALSO = 0.6
_P_LEFT_OUT = 0.3
_P_EXCHANGED = 0.15
_EASY_QUESTIONS = 16
_P_OWN_LINE = 0.6

Read = tuple[str, str, str]
"""A question, what was asked right before a line, and the line."""
_Line = tuple[str, str]


class Rounds(Protocol):
    """Lessons of one kind."""

    def round(self, number: int) -> tuple[list[Read], list[bool]]:
        """What is read in one round, from 0, and whether the line answers the question."""


class SomeOf:
    """Rounds of some of the pairs of each round of others. The same round comes out the same."""

    def __init__(self, lessons: Rounds, n_each: int) -> None:
        self._lessons = lessons
        self._n_each = n_each

    def round(self, number: int) -> tuple[list[Read], list[bool]]:
        """What is read in one round, and whether the line answers the question."""
        read, right = self._lessons.round(number)
        places = sorted(random.Random(number).sample(range(len(read)), min(self._n_each, len(read))))
        return [read[place] for place in places], [right[place] for place in places]


@dataclass(frozen=True)
class _Lesson:
    example: Example
    right: tuple[_Line, ...]
    wrong: tuple[_Line, ...]


class Lessons:
    """Rounds of lessons, each asked in other words. The same round comes out the same.

    Every question stands with the lines that answer it, the likeliest that do not by the trees, and half of the time with a line of
    another topic that answers a question that begins alike: any price looks like the asked one. Of four questions one is exchanged for
    one `near` it that nothing answers. What was asked before is often left out or exchanged: in generated rooms it tells too much, as no
    talk begins with a fact there. `easy` has what is easier told apart, to begin with.
    """

    def __init__(self, seen: Sequence[Example], trees: BoostedTrees, n_each: int | None = None) -> None:
        """`n_each` is how many pairs a round has at most; None: all."""
        self._n_each = n_each
        self._lessons: list[_Lesson] = []
        self._alike: dict[str, list[tuple[str, _Line]]] = defaultdict(list)
        for example in seen:
            order = np.argsort(-trees.log_odds(example.rows), kind="stable")
            wrong = [place for place in order if not example.right[place] and not example.related[place]]
            right = tuple(example.lines[place] for place in np.flatnonzero(example.right))
            self._lessons.append(_Lesson(example, right, tuple(example.lines[place] for place in wrong[:_HARD])))
            for beginning in _beginnings(example.question) if example.kind != "when said" else ():
                self._alike[beginning] += [(example.topic, line) for line in right]
        self._befores = [before for lesson in self._lessons for before, _ in (*lesson.right, *lesson.wrong)]

    def round(self, number: int) -> tuple[list[Read], list[bool]]:
        """What is read in one round, and whether the line answers the question."""
        draw = random.Random(number)
        read: list[Read] = []
        right: list[bool] = []
        for lesson in self._lessons:
            question, answers, others = self._asked(lesson, draw)
            lines = [(line, True) for line in answers] + [(line, False) for line in others]
            for line, is_right in [*lines, *((line, False) for line in self._of_another_topic(question, lesson.example.topic, draw))]:
                read.append((question, before_of(line[0], self._befores, draw), line[1]))
                right.append(is_right)
        n_kept = len(read) if self._n_each is None else min(self._n_each, len(read))
        kept = sorted(draw.sample(range(len(read)), n_kept))
        return [read[place] for place in kept], [right[place] for place in kept]

    def easy(self, number: int) -> tuple[list[Read], list[bool]]:
        """What is read in one easy step: questions with a line that answers and with any other, without what was asked before."""
        draw = random.Random(number)
        answered = [lesson for lesson in self._lessons if lesson.right and lesson.wrong]
        read: list[Read] = []
        for lesson in draw.sample(answered, min(_EASY_QUESTIONS, len(answered))):
            question = lesson.example.question
            read += [(question, "", lesson.right[0][1]), (question, "", self._any_other(lesson.example, draw))]
        return read, [True, False] * (len(read) // 2)

    def _any_other(self, example: Example, draw: random.Random) -> str:
        """A line that does not answer, found for the same question or for one on another topic."""
        own = [example.lines[place] for place in np.flatnonzero(~(example.right | example.related))]
        other = draw.choice(self._lessons).example
        is_of_another = other.topic != example.topic and draw.random() >= _P_OWN_LINE
        return draw.choice(other.lines if is_of_another else own)[1]

    def _asked(self, lesson: _Lesson, draw: random.Random) -> tuple[str, tuple[_Line, ...], tuple[_Line, ...]]:
        """A question, the lines that answer it, and others."""
        example = lesson.example
        if example.near and draw.random() < _P_NEAR:
            return draw.choice(example.near), (), (*lesson.right, *lesson.wrong[:_NEAR_HARD])
        question = draw.choice(example.also) if example.also and draw.random() < _P_ALSO else example.question
        return question, lesson.right, lesson.wrong

    def _of_another_topic(self, question: str, topic: str, draw: random.Random) -> list[_Line]:
        if draw.random() >= _P_OF_ANOTHER_TOPIC:
            return []
        alike = next((self._alike[beginning] for beginning in _beginnings(question) if beginning in self._alike), [])
        other, line = draw.choice(alike) if alike else (topic, ("", ""))
        return [line] if other != topic else []


def before_of(before: str, others: Sequence[str], draw: random.Random) -> str:
    """What was asked before a line, often left out or exchanged for another one's."""
    chance = draw.random()
    if chance < _P_LEFT_OUT:
        return ""
    return draw.choice(others) if chance < _P_LEFT_OUT + _P_EXCHANGED else before


def _beginnings(question: str) -> tuple[str, str]:
    """The first two words of a question, and the first."""
    words = question.lower().split()
    return " ".join(words[:2]), words[0]
