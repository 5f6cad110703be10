"""What the reader learns straight from the topics: questions for facts with lines that answer, that do not, and that only look like it."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence

import numpy as np

from pipeline.packets import Float32Array
from stages.recall import cues
from stages.recall.terms import content_words
from tools.reader_lessons import Read
from tools.recall_rooms_topics import Fact, Topic

_P_FIXED = 0.2
_P_ASKED = 0.4
_P_BARE = 0.12
_P_REMARK = 0.3
_P_ADDS, _P_BESIDE, _P_LOOKALIKE, _P_NEAR = 0.6, 0.5, 0.7, 0.6
_OTHER_FACTS = 2
_LOOKALIKES = 8
_LEAST_WORDS = 2
"""A question with fewer words of its own ("How expensive was it?") is answered by a line on any topic, as far as can be read."""

Encode = Callable[[Sequence[str]], Float32Array]
_Line = tuple[str, str]


class FactLessons:
    """Rounds of questions for every fact of some topics, each in other words. The same round comes out the same.

    A question stands with one line that answers it, with others of its topic that do not, and mostly with a lookalike: a line on another
    topic that is among those most like the question by its vector, as they are found in a memory that holds many talks. A question
    `near` a fact, which nothing answers, stands with the line that only seems to.
    """

    def __init__(self, known: Sequence[Topic], of: Collection[str], encode: Encode) -> None:
        """`of` names the topics that are taught; `encode` makes vectors of unit length, float32, shape (texts, dimension)."""
        self._topics = [topic for topic in known if topic.name in of]
        self._lookalikes = _lookalikes(self._topics, encode)

    def round(self, number: int) -> tuple[list[Read], list[bool]]:
        """What is read in one round, and whether the line answers the question."""
        draw = random.Random(number)
        read: list[Read] = []
        right: list[bool] = []
        for topic in self._topics:
            for fact in topic.facts:
                question = draw.choice(_questions(fact))
                lines = [(_answer(topic, fact, draw), True), *((line, False) for line in self._others(topic, fact, question, draw))]
                read += [(question, *line) for line, _ in lines]
                right += [is_right for _, is_right in lines]
                if fact.near and draw.random() < _P_NEAR:
                    read.append((draw.choice(fact.near), *_told(topic, fact, draw)))
                    right.append(False)
        return read, right

    def _others(self, topic: Topic, fact: Fact, question: str, draw: random.Random) -> list[_Line]:
        """Lines that do not answer the question for a fact."""
        others = [other for other in topic.facts if other is not fact]
        found = [_told(topic, other, draw) for other in draw.sample(others, min(_OTHER_FACTS, len(others)))]
        if fact.adds is not None and draw.random() < _P_ADDS:
            found.append(("", fact.adds))
        if draw.random() < _P_BESIDE:
            found.append(("", draw.choice((topic.open, fact.then, *topic.fill))))
        alike = self._lookalikes.get(question, ())
        if alike and draw.random() < _P_LOOKALIKE:
            found.append(_told(*draw.choice(alike), draw))
        return found


def _questions(fact: Fact) -> tuple[str, ...]:
    return (*fact.ask, *fact.also)


def _lookalikes(known: Sequence[Topic], encode: Encode) -> dict[str, list[tuple[Topic, Fact]]]:
    """The facts of other topics whose lines are most like a question, by the question."""
    facts = [(topic, fact) for topic in known for fact in topic.facts]
    lines = encode([fact.a.format(v=fact.v[0]) for _, fact in facts])
    asked = [(topic, question) for topic, fact in facts for question in _questions(fact) if _says_enough(question)]
    of_topic = np.array([topic.name for topic, _ in facts])
    found: dict[str, list[tuple[Topic, Fact]]] = {}
    for (topic, question), vector in zip(asked, encode([question for _, question in asked]), strict=True):
        likeness = np.where(of_topic == topic.name, -np.inf, lines @ vector)
        best = np.argsort(-likeness, kind="stable")[:_LOOKALIKES]
        found[question] = [facts[place] for place in best if likeness[place] > -np.inf]
    return found


def _says_enough(question: str) -> bool:
    return len(content_words(question, drop=cues.WH | cues.KIND_WORDS)) >= _LEAST_WORDS


def _answer(topic: Topic, fact: Fact, draw: random.Random) -> _Line:
    """What answers the questions for a fact: its line, or one that gives another value later."""
    if fact.fix is not None and draw.random() < _P_FIXED:
        return "", _with_remark(topic, draw.choice((fact.fix, *fact.fixes)).format(v=draw.choice(fact.v)), draw)
    return _told(topic, fact, draw)


def _told(topic: Topic, fact: Fact, draw: random.Random) -> _Line:
    """A fact as it is told, with what was asked before it: sometimes at length, and sometimes in a word or two."""
    value = draw.choice(fact.v)
    chance = draw.random()
    if fact.q is not None and chance < _P_BARE:
        return fact.q, f"{value[0].upper()}{value[1:]}."
    return fact.q if fact.q is not None and chance < _P_ASKED else "", _with_remark(topic, fact.a.format(v=value), draw)


def _with_remark(topic: Topic, text: str, draw: random.Random) -> str:
    if draw.random() >= _P_REMARK:
        return text
    remark = draw.choice(topic.fill)
    return draw.choice((f"{remark} {text}", f"{text} {remark}"))
