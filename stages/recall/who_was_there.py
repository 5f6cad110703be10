"""Who was heard, and who talked with somebody, each with a line or two."""

from __future__ import annotations

from dataclasses import replace

from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Material
from stages.recall.plain_lines import as_said, as_they_are, sessions_in_turn
from stages.recall.question import Question
from stages.recall.refusals import not_together
from stages.recall.scope import Scope
from stages.recall.talks import talks
from stages.recall.together import sessions_of, took_part


class WhoWasThere:
    """The way of questions that lines answer by who says them."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def present(self, scope: Scope) -> Outcome:
        """A line of everybody who was heard in the asked time; in the latest session where no time was asked for; of one talker two."""
        if scope.speaker is not None and (told := self.ends_of(scope)) is not None:
            return told
        spans = scope.spans if scope.window is not None else {name: scope.spans[name] for name in list(scope.spans)[-1:]}
        first: dict[str, LineRow] = {}
        for name, span in spans.items():
            for line in self._lookup.heard_in(name, span):
                if scope.allows(line):
                    first.setdefault(speaker_of(line), line)
        found = tuple(as_said(line) for line in first.values())
        heard = tuple((name, *span) for name, span in spans.items())
        return Outcome(Material(found=found, sessions=scope.sessions), tuple(line.id for line in first.values()), spans=heard)

    def ends_of(self, scope: Scope) -> Outcome | None:
        """The first and the last line of everybody in the scope, in the asked time or in the latest session that has any; None for none."""
        for part in sessions_in_turn(scope):
            ends: dict[tuple[str, str], dict[str, LineRow]] = {}
            for name in part:
                for line in self._lookup.heard_in(name, scope.spans[name]):
                    if scope.allows(line):
                        own = ends.setdefault((name, speaker_of(line)), {"first": line})
                        own["last"] = line
            lines = {line.id: line for own in ends.values() for line in own.values()}
            if (told := as_they_are(list(lines.values()), scope)) is not None:
                return told
        return None

    def company(self, question: Question, scope: Scope) -> Outcome:
        """A line of everybody who took part in the talks of a talker in the asked time, else in the latest session that has any."""
        anybody = replace(scope, talkers=frozenset())
        names = list(scope.spans) if scope.window is not None else list(sessions_of(self._lookup, scope))[:1]
        heard = [line for name in names for line in self._lookup.heard_in(name, scope.spans[name])]
        first: dict[str, LineRow] = {}
        for line in (line for talk in talks(heard) if took_part(talk, scope) for line in talk):
            if speaker_of(line).lower() not in scope.talkers and anybody.allows(line):
                first.setdefault(speaker_of(line), line)
        return as_they_are(list(first.values()), scope) or Outcome(Material(sessions=scope.sessions), refused=not_together(question))
