"""A language model's opinion on which lines answer, where trees and reader leave that in doubt; only where a graph asks for it.

A reader of a hundred million weights does not know all that plain talk means: on talks written out by hand the line that answers is
among the likeliest eight for nearly every question, and recognised for two in three (BENCHMARKS.md). What a model names is quoted as it was
said, so that it decides which line is told, and no word of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from stages.memory.rows import LineRow
from stages.recall.question import Question
from stages.recall.reader import whether_about
from stages.recall.reading import asked_before
from stages.recall.search import Ranked
from stages.recall.topic_reading import told_around
from stages.recall.topic_support import Judged

Opinion = Callable[[str, Sequence[tuple[LineRow, str]]], Sequence[int] | None]
"""Which of some lines, each with what was asked before it, answer a question: their places, the best first; None for no opinion."""

MOST_SHOWN = 8
_DOUBT = (0.01, 0.95)
"""Best supports between which a model is asked: outside, trees and reader are right in nearly all."""
_LEAST_SHOWN = 0.001
_ANSWERS = (0.8, 0.75)
_DOES_NOT = 0.4
_MOST_ASKED = 2
_MOST_STRETCHES = 4


class TopicOpinion:
    """Has a model say which stretches of talk are about a topic, for one search, at most twice."""

    def __init__(self, topic: str, opinion: Opinion | None) -> None:
        self._asked = whether_about(topic)
        self._opinion = opinion
        self._left = _MOST_ASKED

    def least(self, least: float) -> float:
        """The support from which on a stretch is worth a look, where without a model it is `least`."""
        return least if self._opinion is None or not self._left else min(least, _DOUBT[0])

    def supports(self, talks: Sequence[Judged], supports: Mapping[int, float], peaks: Mapping[int, int]) -> dict[int, float]:
        """The support of stretches, 0 to 1, by the number of their talk, after a model was asked; the same where that is not in doubt.

        `peaks` are the places of the lines around which they lie.
        """
        doubted = [number for number, support in supports.items() if _DOUBT[0] <= support <= _DOUBT[1]]
        shown = sorted(doubted, key=lambda number: -supports[number])[:_MOST_STRETCHES]
        if self._opinion is None or not self._left or not shown:
            return dict(supports)
        self._left -= 1
        told = [(replace(talks[number].lines[peaks[number]], text=told_around(talks[number], peaks[number])), "") for number in shown]
        named = self._opinion(self._asked, told)
        if named is None:
            return dict(supports)
        found = {number: min(support, _DOES_NOT) if number in shown else support for number, support in supports.items()}
        found.update((shown[at], max(supports[shown[at]], _ANSWERS[min(rank, 1)])) for rank, at in enumerate(named))
        return found


def with_opinion(question: Question, ranked: Ranked, lines: Sequence[LineRow], supports: Sequence[float], opinion: Opinion) -> list[float]:
    """The supports of lines after a model was asked about the likeliest of them; the same where that is not in doubt."""
    if not lines or not _DOUBT[0] <= max(supports) <= _DOUBT[1]:
        return list(supports)
    likely = sorted((place for place in range(len(lines)) if supports[place] >= _LEAST_SHOWN), key=lambda place: -supports[place])
    shown = likely[:MOST_SHOWN]
    named = opinion(question.text, [(lines[place], asked_before(ranked, lines[place])) for place in shown])
    if named is None:
        return list(supports)
    found = [min(support, _DOES_NOT) for support in supports]
    for rank, at in enumerate(named):
        found[shown[at]] = max(supports[shown[at]], _ANSWERS[min(rank, 1)])
    return found
