"""All that was said in a time or about a topic, as it is played: by start, and a lot of it cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stages.memory.rows import LineRow
from stages.recall.judged_lines import JudgedLines
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Material
from stages.recall.plain_lines import as_they_are, sessions_in_turn
from stages.recall.question import Question
from stages.recall.refusals import refusal_text
from stages.recall.scope import Scope
from stages.recall.together import said_together
from stages.recall.untranscribed import is_untranscribed
from stages.recall.worded_lines import said_in_words

_MOST_PLAYED = 20


class PlayedLines:
    """The way of questions that ask for everything that was said."""

    def __init__(self, lookup: Lookup, judged_lines: JudgedLines) -> None:
        self._lookup = lookup
        self._judged_lines = judged_lines

    def of_time(self, question: Question, scope: Scope) -> Outcome:
        """What was said in the asked time, or in the latest session in which the talker was heard, by start; a lot of it is cut."""
        for part in sessions_in_turn(scope):
            heard = [line for name in part for line in self._lookup.heard_in(name, scope.spans[name])]
            lines = [line for line in heard if scope.allows(line) and not is_untranscribed(line)]
            if (told := _played(lines, scope)) is not None:
                return told
        return Outcome(Material(sessions=scope.sessions), refused=refusal_text(question, None, scope))

    def about(self, question: Question, scope: Scope) -> Outcome | None:
        """All that was said about a topic, by start: the stretches that are about it, and every line with its words; None for none."""
        found = self._judged_lines.about(question, self._judged_lines.ranked(question, scope), every=True)
        said = self._lookup.memory.lines_saying(question.gist.split(), at=self._lookup.at)
        told = {line.id: line for line in [*(entry.line for entry in found), *said_in_words(question, said)]}
        lines = [line for line in told.values() if scope.allows(line) and not is_untranscribed(line)]
        if lines and scope.talkers:
            lines = said_together(self._lookup, lines, scope)
        lines.sort(key=lambda line: (scope.sessions[line.session].moment(line.start_ns), line.id))
        return _played(lines, scope)


def _played(lines: Sequence[LineRow], scope: Scope) -> Outcome | None:
    """Lines by start as they are played, a lot of them cut; None for none."""
    told = as_they_are(lines[:_MOST_PLAYED], scope)
    cut = f"These are the first {_MOST_PLAYED} of {len(lines)} lines."
    return None if told is None else replace(told, notes=(cut,) if len(lines) > _MOST_PLAYED else ())
