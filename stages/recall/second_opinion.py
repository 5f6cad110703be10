"""A language model's opinion on which lines answer, where trees and reader leave that in doubt; only where a graph asks for it.

A reader of a hundred million weights does not know all that plain talk means: on talks written out by hand the line that answers is
among the likeliest eight for nearly every question, and recognised for two in three (BENCHMARKS.md). What a model names is quoted as it was
said, so that it decides which line is told, and no word of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stages.memory.rows import LineRow
from stages.recall.question import Question
from stages.recall.reading import asked_before
from stages.recall.search import Ranked

Opinion = Callable[[str, Sequence[tuple[LineRow, str]]], Sequence[int] | None]
"""Which of some lines, each with what was asked before it, answer a question: their places, the best first; None for no opinion."""

MOST_SHOWN = 8
_DOUBT = (0.01, 0.95)
"""Best supports between which a model is asked: outside, trees and reader are right in nearly all."""
_LEAST_SHOWN = 0.001
_ANSWERS = (0.8, 0.75)
_DOES_NOT = 0.4


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
