"""What was told of a day or a time of day at which nothing was heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from stages.recall.answering_lines import AnsweringLines
from stages.recall.clock_lines import clock_asked, names_a_time, with_clock
from stages.recall.day_asked import day_asked, tells_of
from stages.recall.english import is_question
from stages.recall.judged_lines import JudgedLines
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Material
from stages.recall.plain_lines import as_said, as_they_are, spoken_around
from stages.recall.question import Question
from stages.recall.refusals import refusal_text
from stages.recall.scope import Scope
from stages.recall.terms import coverage, stems, tokens
from stages.recall.untranscribed import is_untranscribed

_MOST_OF_DAY = 12
_MOST_AT_CLOCK = 5
_WEEK = timedelta(days=7)


class DatedLines:
    """The way of questions that lines answer by the day or the time of day that they name."""

    def __init__(self, lookup: Lookup, judged_lines: JudgedLines, answering_lines: AnsweringLines) -> None:
        self._lookup = lookup
        self._judged_lines = judged_lines
        self._answering_lines = answering_lines

    def of_day(self, question: Question, scope: Scope, now: datetime) -> Outcome | None:
        """What was said of the day of which a question asks what will be; None where it asks for none or nobody said anything.

        A Friday is the next one for who says it: what was said in the last seven days goes before what was said of others.
        """
        day, part = day_asked(question.text)
        said = self._lookup.memory.lines_saying([day], at=self._lookup.at) if day else []
        said = [line for line in said if scope.allows(line) and not is_untranscribed(line) and tells_of(day, part, line.text)]
        lines = [line for line in said if now - scope.sessions[line.session].moment(line.start_ns) <= _WEEK] or said
        if not lines:
            return None
        lines.sort(key=lambda line: (scope.sessions[line.session].moment(line.start_ns), line.id))
        around = spoken_around(self._lookup, lines)
        talk = {line.id: around.get(line.id, ()) for line in lines}
        found = [as_said(line, talk[line.id], context=talk[line.id]) for line in lines[-_MOST_OF_DAY:]]
        spans = tuple((line.session, line.start_ns, line.end_ns) for line in lines)
        material = Material(found=tuple(self._judged_lines.with_corrections(question, found)), sessions=scope.sessions)
        return Outcome(material, tuple(line.id for line in lines), spans=spans)

    def at_clock(self, question: Question, scope: Scope) -> Outcome | None:
        """Lines that answer and name the asked time of day, at which nothing was heard; None where no line names it."""
        asked = clock_asked(question) if scope.window is None else None
        if asked is None:
            return None
        said = {line.id: line for word in asked.words for line in self._lookup.memory.lines_saying(tokens(word), at=self._lookup.at)}
        lines = [line for line in said.values() if scope.allows(line) and asked.is_named_in(line.text) and not is_question(line.text)]
        if not lines or not question.terms:
            still = [line for line in lines if not asked.is_past_in(line.text)] or lines
            return as_they_are(still[-_MOST_AT_CLOCK:], scope)
        outcome = self._answering_lines.told(with_clock(question, asked), scope)
        found = [entry for entry in outcome.material.found if asked.is_named_in(entry.line.text)]
        found = [entry for entry in found if not asked.is_past_in(entry.line.text)] or found
        if (
            not found
            and question.intent != "where"
            and (told := [line for line in lines if coverage(question.terms, stems(line.text)) == 1.0])
        ):
            told = [line for line in told if not asked.is_past_in(line.text)] or told
            return as_they_are(told[-_MOST_AT_CLOCK:], scope)
        # Where the concert at eight is may be told by who names no time.
        found = found or [
            entry for entry in self._answering_lines.told(question, scope).material.found if not names_a_time(entry.line.text)
        ]
        if found:
            return replace(outcome, material=replace(outcome.material, found=tuple(found)), refused=None)
        ids = tuple(dict.fromkeys([*(line.id for line in lines), *outcome.retrieved]))
        return Outcome(Material(sessions=scope.sessions), ids, refused=refusal_text(question, lines[0], scope))
