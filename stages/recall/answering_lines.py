"""The lines that answer a question, as they will be quoted, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stages.recall.clock_lines import names_a_time, was_at_some_time
from stages.recall.contradictions import asks_what_will_be
from stages.recall.judged_lines import JudgedLines
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Found, Material
from stages.recall.misheard import misheard
from stages.recall.played_lines import PlayedLines
from stages.recall.question import Question
from stages.recall.refusals import not_together, refusal_text
from stages.recall.reported import speaks_of
from stages.recall.scope import Scope
from stages.recall.together import said_together
from stages.recall.untranscribed import is_untranscribed
from stages.recall.worded_lines import said_in_words


class AnsweringLines:
    """The way of questions that one line, or a few, answer."""

    def __init__(self, lookup: Lookup, judged_lines: JudgedLines, played_lines: PlayedLines) -> None:
        self._lookup = lookup
        self._judged_lines = judged_lines
        self._played_lines = played_lines

    def told(self, question: Question, scope: Scope) -> Outcome:
        """The lines of the scope that answer; a refusal with the nearest one where none does."""
        if question.every and question.about_speech and (told := self._played_lines.about(question, scope)) is not None:
            return told
        ranked = self._judged_lines.ranked(question, scope)
        found = self._judged_lines.judged(question, ranked)
        if question.wants_time and asks_what_will_be(question.text):
            still = [entry.named for entry in found if names_a_time(entry.line.text) and not was_at_some_time(entry.line.text)]
            now = max(still, default=-1.0)
            found = [entry for entry in found if entry.named > now or not was_at_some_time(entry.line.text)]
        if question.intent == "count":
            said = {line.id for line in said_in_words(question, [entry.line for entry in found])}
            found = [entry for entry in found if entry.line.id in said]
            if not found and not question.edge:
                found = misheard(self._lookup.memory, question.gist.split(), ranked.lines, self._lookup.at)
        retrieved = tuple(dict.fromkeys([*(entry.line.id for entry in found), *(line.id for line in ranked.lines)]))
        material = Material(found=tuple(found), sessions=scope.sessions)
        spans = tuple((entry.line.session, entry.line.start_ns, entry.line.end_ns) for entry in found)
        if found and scope.talkers and not (found := self._between(found, scope)):
            return Outcome(Material(sessions=scope.sessions), retrieved, refused=not_together(question, material.found[0].line, scope))
        if found:
            return Outcome(replace(material, found=tuple(self._judged_lines.with_corrections(question, found))), retrieved, spans=spans)
        heard = [line for line in ranked.lines if not question.teller or speaks_of(question.teller, line)] or ranked.lines
        near = next((line for line in heard if not is_untranscribed(line)), next(iter(ranked.lines), None))
        return Outcome(material, retrieved, refused=refusal_text(question, near, scope))

    def _between(self, found: Sequence[Found], scope: Scope) -> list[Found]:
        """The lines of talks in which everybody took part whom the scope names; without an event, who talks with whom is not known."""
        together = {line.id for line in said_together(self._lookup, [entry.line for entry in found], scope)}
        return [entry for entry in found if entry.line.id in together]
