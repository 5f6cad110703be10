"""Lines that ask something, where a question wants what somebody asked."""

from __future__ import annotations

import re
from dataclasses import replace

from stages.memory.rows import LineRow
from stages.recall.judged_lines import JudgedLines
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Material
from stages.recall.plain_lines import as_they_are, sessions_in_turn
from stages.recall.question import Question
from stages.recall.salience import Vocabulary, best_lines
from stages.recall.scope import Scope
from stages.recall.talks import talks
from stages.recall.terms import stem
from stages.recall.together import took_part

_MOST_ASKED = 5
_ASKING = frozenset(["ask"])
_ASKED = re.compile(r"\bask(?:s|ed|ing)?\b", re.I)


class AskingLines:
    """The way of questions for what was asked."""

    def __init__(self, lookup: Lookup, judged_lines: JudgedLines) -> None:
        self._lookup = lookup
        self._judged_lines = judged_lines

    def asked(self, question: Question, scope: Scope) -> Outcome | None:
        """The lines that ask what a question says that somebody asked; None where it says nothing of the kind or no line does.

        Without a topic these are the most telling questions of the asked time, else of the latest session in which the talker was heard.
        """
        if not question.asking:
            return None
        if question.terms:
            terms = tuple(term for term in question.terms if term not in _ASKING)
            gist = " ".join(word for word in question.gist.split() if stem(word) not in _ASKING)
            about = replace(question, topic=f"a conversation about {gist}", gist=gist, terms=terms, about_speech=True)
            found = [entry for entry in self._judged_lines.search(about, scope)[0] if _asks(entry.line)] if terms else []
            said = [entry for entry in found if entry.named]
            # Whether a talker asked just that, a question of theirs with none of its words does not tell.
            found = said or ([] if question.speaker is not None else found)
            material = Material(found=tuple(found), sessions=scope.sessions)
            spans = tuple((entry.line.session, entry.line.start_ns, entry.line.end_ns) for entry in material.found)
            return Outcome(material, tuple(entry.line.id for entry in material.found), spans=spans) if found else None
        for names in sessions_in_turn(scope):
            heard = [line for name in names for line in self._lookup.heard_in(name, scope.spans[name])]
            asked = [line for talk in talks(heard) if took_part(talk, scope) for line in talk if scope.allows(line) and _asks(line)]
            if asked:
                return as_they_are(best_lines(asked, Vocabulary(heard), _MOST_ASKED), scope)
        return None

    def counted(self, question: Question, scope: Scope) -> Outcome | None:
        """Every line in which a talker asked something, where that is counted: in the asked time, or in the latest session that has any."""
        is_counted = question.intent == "count" and question.speaker is not None and not question.terms
        if not is_counted or _ASKED.search(question.text) is None:
            return None
        for part in sessions_in_turn(scope):
            heard = (line for name in part for line in self._lookup.heard_in(name, scope.spans[name]))
            if (told := as_they_are([line for line in heard if scope.allows(line) and _asks(line)], scope)) is not None:
                return told
        return None


def _asks(line: LineRow) -> bool:
    """Whether a line asks something anywhere in it."""
    return "?" in line.text
