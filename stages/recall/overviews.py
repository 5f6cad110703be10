"""What went on: overviews of a time or a topic, and what was missed while something else was followed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pipeline.packets import nanoseconds
from pipeline.stage import END_NS
from stages.answer.cited_claims import asks_who_was_where
from stages.memory.rows import LineRow
from stages.recall.answers import Stretch
from stages.recall.asking_lines import AskingLines
from stages.recall.heeding import Heeded, Heeding
from stages.recall.judged_lines import JudgedLines
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Material
from stages.recall.missed import attended_by_constraint, follows, missed
from stages.recall.question import Attended, Question
from stages.recall.refusals import not_together, refusal_text
from stages.recall.salience import Vocabulary, importance
from stages.recall.scope import Scope, Span
from stages.recall.stretches import within, without_copies
from stages.recall.support import THRESHOLD
from stages.recall.terms import content_words
from stages.recall.together import sessions_of, took_part
from stages.recall.topic_lines import encoded_texts
from stages.recall.who_was_there import WhoWasThere

_MOST_EVENTS = 12
# Who followed a conversation heard one, so less has to speak for it than where it is asked whether there was any; then the answer says
# that it is not certain. With .15, of 388 topics in other rooms four are lost (seeds 31000 to 31039).
_LIKELY = 0.15
_CONTEXT_NS = nanoseconds(60.0)


class Overviews:
    """The way of questions that are answered by stretch of conversation, not by line."""

    def __init__(self, lookup: Lookup, judged_lines: JudgedLines, asking_lines: AskingLines, who_was_there: WhoWasThere) -> None:
        self._lookup = lookup
        self._judged_lines = judged_lines
        self._asking_lines = asking_lines
        self._who_was_there = who_was_there

    def happened(self, question: Question, scope: Scope) -> Outcome:
        """What went on in the asked time: in the latest session where no time was asked for."""
        if scope.talkers and not question.terms:
            return self._between(question, scope)
        if asks_who_was_where(question) and (told := self._who_was_there.ends_of(scope)) is not None:
            return told
        if (told := self._asking_lines.counted(question, scope)) is not None:
            return told
        spans = dict(scope.spans)
        if scope.window is None and not question.terms:
            latest = list(scope.spans)[-1]
            spans = {latest: spans[latest]}
        nearest: list[str] = []
        if question.terms:
            ranked = self._lookup.searcher.search(question.topic, question.gist, scope)
            heard = self._lookup.around(ranked, scope)
            nearest = [line.id for line in ranked.lines]
        else:
            heard = self._with_context(spans)
        # Talk is cut by topic before anything is left out: of a few lines alone nobody can tell what they are about.
        allowed = replace(scope, spans=spans)
        lines = [line for line in heard if allowed.allows(line)]
        stretches = within(self._lookup.stretches(heard), {line.id for line in lines}) if lines else []
        if question.terms:
            stretches = self._lookup.about(stretches, question.gist, question.terms)
        if not stretches:
            near = next((line for line in lines if line.id == nearest[0]), None) if nearest else next(iter(lines), None)
            ids = tuple(nearest or [line.id for line in lines])
            return Outcome(Material(sessions=scope.sessions), ids, refused=refusal_text(question, near, scope))
        return self._ranked(stretches, scope, spans, nearest, lines)

    def _between(self, question: Question, scope: Scope) -> Outcome:
        """What people talked about with each other, in the last session in which they did; where they never did, what each of them said."""
        every = [tuple(scope.spans)] if scope.window is not None else ((name,) for name in sessions_of(self._lookup, scope))
        told: Outcome | None = None
        for names in every:
            asked = replace(scope, spans={name: scope.spans[name] for name in names})
            heard = self._with_context(asked.spans)
            own = within(self._lookup.stretches(heard), {line.id for line in heard if asked.allows(line)}) if heard else []
            # Who talks with whom is known of events; before a line has one, nobody can be told to have talked with nobody.
            is_open = any(line.event is None for stretch in own for line in stretch.lines)
            common = [stretch for stretch in own if took_part(stretch.lines, scope)] or (own if is_open else [])
            if common:
                return self._ranked(common, scope, asked.spans, ())
            if own and told is None:
                told = self._ranked(own, scope, asked.spans, ())
        if told is None:
            return Outcome(Material(sessions=scope.sessions), refused=refusal_text(question, None, scope))
        return replace(told, notes=(not_together(question),))

    def _ranked(
        self, stretches: Sequence[Stretch], scope: Scope, spans: Mapping[str, Span], nearest: Sequence[str], lines: Iterable[LineRow] = ()
    ) -> Outcome:
        """Stretches by importance, among `lines` (by default their own), each once, as material."""
        vocabulary = Vocabulary(lines or (line for stretch in stretches for line in stretch.lines))
        stretches = [replace(stretch, importance=importance(stretch.lines, vocabulary)) for stretch in stretches]
        ranked_stretches = sorted(
            stretches, key=lambda stretch: (-stretch.importance, stretch.session, stretch.start_ns, stretch.lines[0].id)
        )
        ids = tuple(dict.fromkeys([*nearest, *(line.id for stretch in ranked_stretches for line in stretch.lines)]))
        told = without_copies(ranked_stretches, partial(self._lookup.memory.findings.same_as, at=self._lookup.at))
        material = Material(stretches=self._lookup.summarised(told[:_MOST_EVENTS]), sessions=scope.sessions)
        return Outcome(material, ids, spans=tuple((name, *span) for name, span in spans.items()))

    def missed(self, question: Question, scope: Scope) -> Outcome:
        """What was said beside the topic, speaker or bearing that was followed."""
        attended = question.attended
        material = Material(sessions=scope.sessions)
        if attended is None:
            return self.happened(question, scope)
        if attended.topic:
            self._lookup.searcher.encode(encoded_texts(attended.whether_it_came_up))
            ranked = self._lookup.searcher.search(f"a conversation about {attended.topic}", attended.topic, scope)
            lines = self._lookup.around(ranked, scope)
            nearest = [line.id for line in ranked.lines]
            stretches = self._lookup.stretches(lines)
            followed = self._lookup.about(stretches, attended.topic, attended.terms)
            support = self._came_up(attended, scope) if followed else 0.0
            followed = followed if support else []
        else:
            lines = self._session_of(attended, scope)
            nearest = [line.id for line in lines]
            stretches = self._lookup.stretches(lines)
            followed = attended_by_constraint(lines, attended)
        vocabulary = Vocabulary(lines)
        if not followed:
            known = {line.id: line for line in lines}
            near = known.get(nearest[0]) if nearest else None
            return Outcome(material, tuple(nearest), refused=refusal_text(question, near, scope))
        lost = missed(stretches, followed, vocabulary)
        is_sure = not attended.topic or support >= THRESHOLD
        return self._told(self.heeding(scope).asked(attended, followed, lost, is_sure=is_sure), scope, nearest)

    def _came_up(self, attended: Attended, scope: Scope) -> float:
        """How surely anybody talked about a followed topic, judged as "Did they talk about X?" is; 0 where it is not likely at all.

        Of all that was heard some talk is always the nearest one, and so no reason to say that it was followed.
        """
        anybody = replace(scope, speaker=None, azimuth_deg=None, talkers=frozenset())
        return self._judged_lines.came_up(attended.whether_it_came_up, anybody, _LIKELY)

    def heeded(self, question: Question, scope: Scope) -> Outcome | None:
        """What was missed by declared absences, or where the question does not say what was followed, by what else tells it."""
        heeding = self.heeding(scope)
        found = heeding.absent(question, scope.spans, in_all=scope.window is not None)
        if found is None and (question.attended is None or not question.attended.says_what) and question.absence is None:
            latest = list(scope.spans)[-1:]
            found = heeding.plain(scope.spans if scope.window is not None else {name: scope.spans[name] for name in latest})
        if found is None:
            return None
        lost = [stretch for stretch in found.missed if any(scope.allows(line) for line in stretch.lines)]
        if question.terms:
            lost = self._lookup.about(lost, question.gist, question.terms)
        if found.missed and not lost:
            near = found.missed[0].lines[0]
            return Outcome(Material(sessions=scope.sessions), (near.id,), refusal_text(question, near, scope), found.spans)
        return self._told(replace(found, missed=tuple(lost)), scope, ())

    def heeding(self, scope: Scope) -> Heeding:
        """What tells of what was followed in the scope."""
        same_as = partial(self._lookup.memory.findings.same_as, at=self._lookup.at)

        def about(stretches: Sequence[Stretch], words: str, terms: tuple[str, ...]) -> list[Stretch]:
            found = self._lookup.about(stretches, words, terms)
            spans = {name: _span_of(one for one in stretches if one.session == name) for name in {one.session for one in found}}
            attended = Attended(words, " ".join(content_words(words)), terms)
            return found if found and self._came_up(attended, replace(scope, spans=spans)) else []

        return Heeding(self._lookup.declared(), scope.sessions, self._lookup.heard_in, self._lookup.stretches, about, same_as)

    def _told(self, heeded: Heeded, scope: Scope, nearest: Iterable[str]) -> Outcome:
        attended, lost = self._lookup.summarised(heeded.attended), self._lookup.summarised(heeded.missed)
        ids = [line.id for stretch in (*lost, *attended) for line in stretch.lines]
        material = Material(attended=attended, missed=lost, sessions=scope.sessions)
        return Outcome(material, tuple(dict.fromkeys([*ids, *nearest])), heeded.refused, heeded.spans, heeded.notes)

    def _with_context(self, spans: Mapping[str, tuple[int, int]]) -> list[LineRow]:
        """What was said in some spans, and a minute before and after them."""
        return [
            line
            for name, (start_ns, end_ns) in spans.items()
            for line in self._lookup.heard_in(name, (max(0, start_ns - _CONTEXT_NS), min(end_ns + _CONTEXT_NS, END_NS)))
        ]

    def _session_of(self, attended: Attended, scope: Scope) -> list[LineRow]:
        """The lines in the asked time; without one those of the latest session in which the one who was followed was heard."""
        if scope.window is not None:
            return [line for name, span in scope.spans.items() for line in self._lookup.heard_in(name, span)]
        for name in reversed(list(scope.spans)):
            lines = self._lookup.heard_in(name, scope.spans[name])
            if any(follows(attended, line) for line in lines):
                return lines
        return []


def _span_of(stretches: Iterable[Stretch]) -> Span:
    own = list(stretches)
    return min(one.start_ns for one in own), max(one.end_ns for one in own)
