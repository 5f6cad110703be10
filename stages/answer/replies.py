"""Questions that were asked in the room and what was answered: which line belongs to the one that holds what was asked for."""

from __future__ import annotations

import re

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow
from stages.recall.material import Found
from stages.recall.question import Question
from stages.recall.terms import content_terms, coverage, stems
from stages.recall.untranscribed import is_untranscribed

_REPLY_NS = nanoseconds(8.0)


def reply_to(found: Found, question: Question) -> list[LineRow]:
    """What another person said right after a line that is a question, or that has the topic but not the fact; none for another line."""
    asked = re.split(r"(?<=[.!?])\s+", found.line.text.rstrip())[-1]
    if not asked.endswith("?") or question.speaker is not None:
        return []
    if asked != found.line.text.rstrip() and content_terms(asked) and not coverage(question.terms, stems(asked)):
        # What was asked at the end of the line is something else.
        return []
    after = [
        line
        for line in found.context
        if line.start_ns > found.line.start_ns
        and line.track != found.line.track
        and line.start_ns - found.line.end_ns <= _REPLY_NS
        and not is_untranscribed(line)
        and _in_one_talk(line, found)
    ]
    return after[:1]


def question_before(found: Found, question: Question) -> LineRow | None:
    """What another person had asked right before a line, where that has words of the question which the line itself lacks.

    Who asks what one talker said gets that talker's lines alone.
    """
    before = [line for line in found.context if line.start_ns < found.line.start_ns and not is_untranscribed(line)]
    if not before or question.speaker is not None:
        return None
    asked = before[-1]
    if asked.track == found.line.track or not asked.text.rstrip().endswith("?") or found.line.start_ns - asked.end_ns > _REPLY_NS:
        return None
    if not _in_one_talk(asked, found):
        return None
    said = stems(found.line.text)
    return asked if coverage(question.terms, said | stems(asked.text)) > coverage(question.terms, said) else None


def _in_one_talk(other: LineRow, found: Found) -> bool:
    """Whether another line may belong to the conversation of a found one: two that go on at once stand side by side.

    An event may hold both, before it is heard who talks with whom; `found.talk` tells them apart by what was said later, where it is known.
    """
    line = found.line
    if found.talk:
        return other.id in {one.id for one in found.talk}
    if line.event is None or other.event in {None, line.event}:
        return True
    heard = {(one.track, one.event) for one in (*found.context, *found.conversation)}
    return any(track == line.track and (other.track, event) in heard for track, event in heard)
