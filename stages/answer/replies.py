"""Questions that were asked in the room and what was answered: which line belongs to the one that holds what was asked for."""

from __future__ import annotations

import re

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow
from stages.recall.english import is_question
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
    after = _of_one_talk(_after(found.line, found), found)
    # Where two speak at once, who takes up a word of the question answers it: the other may be asked by somebody else.
    words = content_terms(asked)
    at_once = [line for line in after if line.start_ns < after[0].end_ns]
    return sorted(at_once, key=lambda line: not any(word in stems(line.text) for word in words))[:1]


def question_before(found: Found, question: Question) -> LineRow | None:
    """What another person had asked right before a line, where that has words of the question which the line itself lacks.

    Who asks what one talker said gets that talker's lines alone.
    """
    before = [line for line in found.context if line.start_ns < found.line.start_ns and not is_untranscribed(line)]
    if not before or question.speaker is not None:
        return None
    asked = before[-1]
    if asked.track == found.line.track or not is_question(asked.text) or found.line.start_ns - asked.end_ns > _REPLY_NS:
        return None
    if not _of_one_talk([asked], found):
        return None
    talk = {line.id for line in found.talk}
    if talk and asked.id not in talk and any(line.id not in talk | {found.line.id} for line in _after(asked, found)):
        # Somebody outside the talk of the line may have answered: the question is not known to be of that talk.
        return None
    said = stems(found.line.text)
    return asked if coverage(question.terms, said | stems(asked.text)) > coverage(question.terms, said) else None


def _after(asked: LineRow, found: Found) -> list[LineRow]:
    """What others said right after a question, among the lines around a found one."""
    return [
        line
        for line in found.context
        if line.start_ns > asked.start_ns
        and line.track != asked.track
        and line.start_ns - asked.end_ns <= _REPLY_NS
        and not is_untranscribed(line)
    ]


def _of_one_talk(others: list[LineRow], found: Found) -> list[LineRow]:
    """Those of other lines that may belong to the conversation of a found one: two that go on at once stand side by side.

    An event may hold both, before it is heard who talks with whom; `found.talk` tells them apart by what was said later, where it is known.
    That knows too little of a whole room's talk, which holds people who were elsewhere before and after: where none of the lines is of the
    talk, those of the event may be.
    """
    line = found.line
    if found.talk:
        ids = {one.id for one in found.talk}
        known = [one for one in others if one.id in ids]
        return known or [one for one in others if line.event is not None and one.event == line.event]
    heard = {(one.track, one.event) for one in (*found.context, *found.conversation)}
    events = {event for track, event in heard if track == line.track}
    return [
        other
        for other in others
        if line.event is None or other.event in {None, line.event} or any((other.track, event) in heard for event in events)
    ]
