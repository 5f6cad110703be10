"""The lines that hold the fact that a question asks for."""

from __future__ import annotations

from stages.recall.fact_support import fact_support, judged_lines
from stages.recall.material import Found
from stages.recall.question import Question
from stages.recall.reader import Reader
from stages.recall.search import Ranked
from stages.recall.second_opinion import Opinion, with_opinion
from stages.recall.support import THRESHOLD
from stages.recall.terms import coverage, stems


def lines_with_fact(question: Question, ranked: Ranked, reader: Reader | None = None, opinion: Opinion | None = None) -> list[Found]:
    """The lines of a search that answer, the surest first; none where nothing that was found does."""
    lines = judged_lines(ranked)
    supports = fact_support(question, ranked, lines, reader)
    if opinion is not None:
        supports = with_opinion(question, ranked, lines, supports, opinion)
    found = [
        Found(
            line=line,
            score=ranked.scores[line.id],
            support=support,
            named=coverage(question.terms, stems(line.text)),
            context=ranked.context(line),
            conversation=ranked.stretch(line),
        )
        for line, support in zip(lines, supports, strict=True)
        if support >= THRESHOLD
    ]
    return sorted(found, key=lambda entry: (-entry.support, -entry.score, entry.line.id))
