"""The first or the last line of what a question asks for."""

from __future__ import annotations

from dataclasses import replace

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow
from stages.recall.answering_lines import AnsweringLines
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Material
from stages.recall.plain_lines import as_said
from stages.recall.question import Question
from stages.recall.refusals import refusal_text
from stages.recall.scope import Scope
from stages.recall.untranscribed import is_untranscribed
from stages.recall.worded_lines import WordedLines

_EDGE_NS = (nanoseconds(600.0), nanoseconds(7200.0))


class EdgeLines:
    """The way of questions for the first or the last of what was said."""

    def __init__(self, lookup: Lookup, worded_lines: WordedLines, answering_lines: AnsweringLines) -> None:
        self._lookup = lookup
        self._worded_lines = worded_lines
        self._answering_lines = answering_lines

    def told(self, question: Question, scope: Scope) -> Outcome:
        """The first or the last line of what a question asks for; without a topic, of the latest session that has any in the asked time."""
        if question.terms:
            every = replace(question, intent="count")
            outcome = self._worded_lines.counted(every, scope) or self._answering_lines.told(every, scope)
            lines = [entry.line for entry in outcome.material.found]
        else:
            lines, outcome = self._heard(scope, question.edge), Outcome(Material(sessions=scope.sessions))
        if not lines:
            refused = outcome.refused or refusal_text(question, None, scope)
            return replace(outcome, refused=refused)
        pick = min if question.edge == "first" else max
        line = pick(lines, key=lambda one: (scope.sessions[one.session].moment(one.start_ns), one.id))
        ids = tuple(dict.fromkeys([line.id, *outcome.retrieved]))
        material = Material(found=(as_said(line),), sessions=scope.sessions)
        return Outcome(material, ids, spans=((line.session, line.start_ns, line.end_ns),))

    def _heard(self, scope: Scope, edge: str) -> list[LineRow]:
        """Lines at one end of the last session of the scope that has any whose words are known; a long one is not read whole."""
        for name in reversed(list(scope.spans)):
            start_ns, end_ns = scope.spans[name]
            for reach_ns in (*_EDGE_NS, end_ns - start_ns):
                span = (start_ns, start_ns + reach_ns) if edge == "first" else (max(start_ns, end_ns - reach_ns), end_ns)
                lines = [line for line in self._lookup.heard_in(name, span) if scope.allows(line) and not is_untranscribed(line)]
                if lines:
                    return lines
        return []
