"""Support of lines: from which on one is an answer, and how much there is where words are all that can be compared.

With an encoder, facts are judged by fact_support.py and what was talked about by topic_support.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.asked_kind import AskedKind, asked_kind, holds_kind
from stages.recall.question import Question
from stages.recall.terms import coverage, has_amount, has_number, holds, stems

THRESHOLD = 0.5
"""Support below this is no answer."""

_TOLD_BY_A_WORD = {AskedKind.AMOUNT, AskedKind.TIME, AskedKind.NAME, AskedKind.COLOUR}


def word_support(question: Question, line: LineRow, context: Sequence[LineRow]) -> float:
    """0 to 1, as far as words alone can tell; at least THRESHOLD for a line that answers.

    `context` are its neighbours in its conversation, itself among them. A name that was asked for must have been said there, and a number,
    time, name or colour must stand in one of these lines.
    """
    around = frozenset[str]().union(*(_stems_of(other) for other in context))
    own, near = coverage(question.terms, _stems_of(line)), coverage(question.terms, around)
    # Whether Anna mentioned Ben is told by her own words, whoever else named him.
    of_talker = question.intent == "did_anybody" and question.speaker is not None
    if not all(holds(name, _stems_of(line) if of_talker else around) for name in question.names):
        return 0.0
    if not any(holds_wanted(question, other) for other in (line, *context)):
        return 0.0
    if own == 0.0:
        return 0.1 * near
    return 0.6 + 0.3 * own if near == 1.0 else 0.45 * near


def holds_wanted(question: Question, line: LineRow) -> bool:
    """Whether a line has the kind of thing that a question asks for; yes where its words do not tell the kind."""
    if question.wants_amount:
        return has_amount(line.text)
    if question.wants_time:
        return has_number(line.text)
    kind = None if question.about_speech else asked_kind(question.text)
    return kind is None or kind not in _TOLD_BY_A_WORD or holds_kind(kind, line.text)


def _stems_of(line: LineRow) -> frozenset[str]:
    return stems(f"{line.text} {speaker_of(line)}")
