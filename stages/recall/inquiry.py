"""One question to one memory, from its words to its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from pipeline.stage import END_NS
from stages.answer.answerer import Answerer
from stages.memory.attention.attention_row import Attention
from stages.memory.forgetting.question_contexts import QuestionContext
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import GapRow, LineRow, SessionRow
from stages.memory.tables.row_writer import utc_ns
from stages.memory.text_encoder import TextEncoder
from stages.recall.answer_parts import AnswerPart, Draft, Final, Worded
from stages.recall.answers import MOST_RETRIEVED, Answer, Claim, Stretch
from stages.recall.clips import with_clips
from stages.recall.cues import ABSENT
from stages.recall.gaps import Span, gap_note, gaps_inside, merged_spans
from stages.recall.heeding import Heeded, Heeding
from stages.recall.material import Found, Material
from stages.recall.missed import Topic, attended_by_constraint, attended_by_topic, follows, missed, once_each, stretches_of
from stages.recall.question import Attended, Question, parse
from stages.recall.refusals import not_heard_then, nothing_heard, nothing_in_time, refusal_text, unknown_speaker
from stages.recall.relations import Relations
from stages.recall.salience import Vocabulary, importance
from stages.recall.scope import Scope, scope_of
from stages.recall.search import Ranked, Searcher
from stages.recall.second_look import SecondLook, cited_lines, heard_again, with_first_words
from stages.recall.sounds_heard import sound_claims, sounds_asked
from stages.recall.support import THRESHOLD, Judge
from stages.recall.terms import coverage, stems
from stages.recall.time_phrase import Moments
from stages.recall.untranscribed import INSTEAD_OF_WORDS, is_untranscribed

_MOST_JUDGED = 16
_MOST_JUDGED_BY_KIND = 40
_NAMED_BONUS = 0.25
_NUMBER_BONUS = 0.15
_MOST_FOUND = 12
_MOST_EVENTS = 12
_MOST_CANDIDATES = 8
_MOST_LINES = 4000
_SAID = 0.9


@dataclass(frozen=True)
class Outcome:
    """What came of a question before it is worded: material, or why there is none."""

    material: Material
    retrieved: tuple[str, ...] = ()
    refused: str | None = None
    spans: tuple[Span, ...] = ()
    notes: tuple[str, ...] = ()


class Inquiry:
    """Answers one question. `now_ns` is a clock that only measures how long the parts took."""

    def __init__(
        self,
        memory: LongTermMemory,
        encoder: TextEncoder | None,
        answerer: Answerer,
        *,
        at: datetime | None,
        now: datetime,
        now_ns: Callable[[], int],
        second_look: SecondLook | None = None,
        facing_deg: float | None = None,
    ) -> None:
        self._memory = memory
        self._encoder = encoder
        self._answerer = answerer
        self._at = at
        self._now = now
        self._now_ns = now_ns
        self._second_look = second_look
        self._searcher = Searcher(memory, encoder, at)
        self._names: list[str] | None = None
        self._attentions: list[Attention] | None = None
        self._facing_deg = facing_deg

    def stream(self, text: str) -> Iterator[AnswerPart]:
        """The whole way, part by part; never raises for what a question says."""
        started_ns = self._now_ns()
        sessions, ends_ns = self._sessions()
        moments = self._moments(sessions, ends_ns)
        question = self._with_names(parse(text, moments, self._speakers, self._facing_deg))
        scope = self._scope(question, sessions, ends_ns)
        if question.absence is not None and question.refusal is not None and self._heeding(scope).is_absence(question, scope.spans):
            question = self._of_absence(question, question.absence, moments)
            scope = self._scope(question, sessions, ends_ns)
        parsed_ns = self._now_ns()
        outcome = self._outcome(question, scope, ends_ns)
        retrieved_ns = self._now_ns()
        timing_ms = {"parse": (parsed_ns - started_ns) / 1e6, "retrieve": (retrieved_ns - parsed_ns) / 1e6}
        drafted = [] if outcome.refused is not None else self._answerer.draft(question, outcome.material)
        # Sounds only add to what was said: they take no part in finding it.
        claims = [*drafted, *sound_claims(sounds_asked(question, scope, lambda: self._memory.sounds.rows(at=self._at)), scope)]
        gaps = self._gaps(question, outcome, scope)
        draft = Answer(
            question=question.text,
            intent=question.intent,
            abstained=not claims,
            text=self._words(question, scope, outcome, claims, gaps),
            claims=tuple(claims),
            attended=outcome.material.attended,
            missed=outcome.material.missed,
            retrieved=outcome.retrieved[:MOST_RETRIEVED],
            gaps=tuple(gaps),
        )
        drafted_ns = self._now_ns()
        timing_ms["first_words"] = (drafted_ns - started_ns) / 1e6
        yield Draft(replace(draft, timing_ms=dict(timing_ms)))
        looks = self._second_look.looks(cited_lines(drafted)) if self._second_look is not None else {}
        news = {name: look for name, look in looks.items() if look.is_news}
        material = outcome.material
        if news:
            material = material.told_anew({name: heard_again(line, news[name]) for name, line in material.lines.items() if name in news})
            sounds = claims[len(drafted) :]
            drafted = self._answerer.draft(question, material)
            claims = [*drafted, *sounds]
        if drafted:
            for place, claim in self._answerer.revisions(question, material, tuple(drafted)):
                claims[place] = claim
                yield Worded(place, claim)
        n_drafted = len(drafted)
        # The proof of what was said is cut last: nobody waits for it with the first words.
        proven = [*with_clips(with_first_words(claims[:n_drafted], news), self._memory), *claims[n_drafted:]]
        text = self._words(question, scope, outcome, proven, gaps)
        self._note(question, proven)
        answered_ns = self._now_ns()
        timing_ms |= {"answer": (answered_ns - retrieved_ns) / 1e6, "total": (answered_ns - started_ns) / 1e6}
        yield Final(replace(draft, text=text, claims=tuple(proven), timing_ms=timing_ms))

    def _note(self, question: Question, claims: Sequence[Claim]) -> None:
        """Keep what was asked and cited for the next question. One about the same lines again leaves them as they are."""
        lines = tuple(dict.fromkeys(evidence.utterance for claim in claims for evidence in claim.evidence))
        if question.follow_up is None or question.follow_up.kind not in {"that", "play"}:
            self._memory.contexts.note(QuestionContext(utc_ns(self._now), lines))

    # -- what the question is about

    def _sessions(self) -> tuple[list[SessionRow], dict[str, int]]:
        """The sessions of which something had been heard, and how far each was heard."""
        sessions, ends_ns = [], {}
        for session in self._memory.sessions(at=self._at):
            # What had passed by an earlier moment is not known any more; what had been heard is.
            end_ns = session.duration_ns if self._at is not None else max(session.duration_ns, self._memory.passed_ns(session.id))
            if end_ns > 0:
                sessions.append(session)
                ends_ns[session.id] = end_ns
        return sessions, ends_ns

    def _speakers(self) -> list[str]:
        """Everybody who was heard, by name. Few questions name somebody, so it is looked up only then."""
        if self._names is None:
            self._names = self._memory.speakers.names(None if self._at is None else utc_ns(self._at))
        return self._names

    def _with_names(self, question: Question) -> Question:
        """The question with speakers who are given by id under the name that they have now."""
        attended = question.attended
        if attended is not None and attended.speaker is not None:
            attended = replace(attended, speaker=self._name_now(attended.speaker))
        return replace(question, speaker=None if question.speaker is None else self._name_now(question.speaker), attended=attended)

    def _of_absence(self, question: Question, absence: str, moments: Moments) -> Question:
        """A question about an absence that gives no time, where the memory knows when that was: what else it says is read without it."""
        rest = parse(ABSENT.sub(" ", question.text), moments, self._speakers)
        return self._with_names(replace(rest, text=question.text, intent="missed", absence=absence))

    def _declared(self) -> list[Attention]:
        """What had been declared as of the question's moment. Few questions need it, so it is read only then."""
        if self._attentions is None:
            self._attentions = self._memory.attention.rows(at=self._at)
        return self._attentions

    def _name_now(self, speaker: str) -> str:
        """The name of somebody who was heard, given by name (which goes first) or by id; anything else stays as it is."""
        known = self._speakers()
        if speaker.lower() in {name.lower() for name in known}:
            return speaker
        name = self._memory.speakers.name_of(speaker)
        return name if name is not None and name in known else speaker

    def _moments(self, sessions: Sequence[SessionRow], ends_ns: dict[str, int]) -> Moments:
        now = self._at or self._now
        if not sessions:
            return Moments(now)
        latest = sessions[-1]
        zone = latest.started_at.tzinfo
        heard_until = max(session.moment(ends_ns[session.id]) for session in sessions)
        return Moments(now.astimezone(zone), heard_until.astimezone(zone), latest.started_at)

    def _scope(self, question: Question, sessions: Sequence[SessionRow], ends_ns: dict[str, int]) -> Scope:
        scope = scope_of(question, sessions, ends_ns)
        if question.window is not None and not scope.spans and not question.window.exact and question.intent not in {"missed", "catch_up"}:
            # "at ten" may be what was said instead of when it was said.
            return scope_of(replace(question, window=None), sessions, ends_ns)
        return scope

    # -- what was heard

    def _outcome(self, question: Question, scope: Scope, ends_ns: dict[str, int]) -> Outcome:
        material = Material(sessions=scope.sessions)
        if not scope.sessions:
            return Outcome(material, refused=nothing_heard(self._at))
        if question.refusal is not None:
            return Outcome(material, retrieved=self._nearest(question, scope), refused=question.refusal)
        asked = question.speaker or (question.attended.speaker if question.attended else None)
        if asked is not None and asked.lower() not in {name.lower() for name in self._speakers()}:
            fault = unknown_speaker(asked, self._speakers())
            return Outcome(material, retrieved=self._nearest(question, replace(scope, speaker=None)), refused=fault)
        if question.follow_up is not None or question.order is not None:
            return self._related(question, scope)
        if not scope.spans:
            open_scope = scope_of(replace(question, window=None), scope.sessions.values(), ends_ns)
            return Outcome(material, retrieved=self._nearest(question, open_scope), refused=nothing_in_time(question, scope, ends_ns))
        if scope.window is not None and scope.speaker is not None and self._is_silent(scope):
            open_scope = replace(scope, speaker=None)
            return Outcome(
                material, retrieved=self._nearest(question, open_scope), refused=not_heard_then(scope.speaker, scope.window.phrase)
            )
        if question.intent == "missed" and (heeded := self._heeded(question, scope)) is not None:
            return heeded
        if question.intent == "missed" and question.attended is not None:
            return self._missed(question, scope)
        if question.intent in {"missed", "catch_up"}:
            return self._happened(question, scope)
        if not question.terms and (scope.is_narrow or question.about_speech):
            return self._happened(question, scope)
        return self._counted(question, scope) or self._found(question, scope)

    def _related(self, question: Question, scope: Scope) -> Outcome:
        """What goes on from the last question, and what asks for an order."""
        relations = Relations(self._memory, self._at, utc_ns(self._now), self._heard_in, self._search)
        related = relations.cited(question, scope) if question.follow_up is not None else relations.ordered(question, scope)
        if related.scope is None:
            return Outcome(Material(found=related.found, sessions=scope.sessions), related.retrieved, related.refused, related.spans)
        beside = replace(question, intent="catch_up", terms=(), gist="") if question.order is not None else question
        return self._outcome(replace(beside, follow_up=None, order=None), related.scope, {})

    def _is_silent(self, scope: Scope) -> bool:
        """Whether the asked speaker was not heard in the asked time at all."""
        rows = self._memory.rows_among(scope.spans, scope.speaker, at=self._at)
        return rows is not None and not len(rows)

    def _search(self, question: Question, scope: Scope) -> tuple[list[Found], Sequence[LineRow]]:
        ranked = self._searcher.search(question.topic, question.gist, scope)
        return self._judged(question, ranked), ranked.lines

    def _counted(self, question: Question, scope: Scope) -> Outcome | None:
        """Every line in the scope that has the words that are counted; None where nothing is to be counted or nobody said them."""
        if question.intent != "count" or not question.gist:
            return None
        lines = self._memory.lines_saying(question.gist.split(), at=self._at)
        lines = [line for line in lines if scope.allows(line) and not is_untranscribed(line)]
        if not lines:
            return None
        found = tuple(Found(line, 1.0, _SAID, 1.0) for line in sorted(lines, key=lambda line: (line.session, line.start_ns, line.id)))
        spans = tuple((line.session, line.start_ns, line.end_ns) for line in lines)
        return Outcome(Material(found=found, sessions=scope.sessions), tuple(line.id for line in lines), spans=spans)

    def _found(self, question: Question, scope: Scope) -> Outcome:
        ranked = self._searcher.search(question.topic, question.gist, scope)
        found = self._judged(question, ranked)
        retrieved = tuple(dict.fromkeys([*(entry.line.id for entry in found), *(line.id for line in ranked.lines)]))
        material = Material(found=tuple(found), sessions=scope.sessions)
        spans = tuple((entry.line.session, entry.line.start_ns, entry.line.end_ns) for entry in found)
        if found:
            return Outcome(material, retrieved, spans=spans)
        near = next((line for line in ranked.lines if not is_untranscribed(line)), next(iter(ranked.lines), None))
        return Outcome(material, retrieved, refused=refusal_text(question, near, scope))

    def _judged(self, question: Question, ranked: Ranked) -> list[Found]:
        """The lines that support an answer, the best first."""
        judge = Judge(question, ranked.cosines, ranked.centres, self._likeness if self._encoder is not None else None)
        found = []
        for line in ranked.nearest[:_MOST_JUDGED]:
            context = ranked.context(line)
            stretch = ranked.stretch(line)
            support = 0.0 if is_untranscribed(line) else judge.support(line, context, stretch)
            if support >= THRESHOLD:
                named = coverage(question.terms, stems(line.text))
                found.append(
                    Found(line=line, score=ranked.scores[line.id], support=support, named=named, context=context, conversation=stretch)
                )
        if not found:
            found = self._of_kind(question, ranked, judge)
        if question.about_speech and any(entry.named for entry in found):
            # Where somebody said the very words, lines that are only like them are not needed.
            found = [entry for entry in found if coverage(question.terms, frozenset().union(*(stems(line.text) for line in entry.context)))]
        found.sort(key=lambda entry: (-_fitness(entry, judge), -entry.score, entry.line.id))
        return found[:_MOST_FOUND]

    def _of_kind(self, question: Question, ranked: Ranked, judge: Judge) -> list[Found]:
        """The one line that best answers in other words than the question's, if any does."""
        best: list[Found] = []
        for line in ranked.lines[:_MOST_JUDGED_BY_KIND]:
            context = ranked.context(line)
            support = 0.0 if is_untranscribed(line) else judge.support_by_kind(line, context, ranked.stretch(line))
            if support >= THRESHOLD and (not best or support > best[0].support):
                named = coverage(question.terms, stems(line.text))
                best = [
                    Found(
                        line=line,
                        score=ranked.scores[line.id],
                        support=support,
                        named=named,
                        context=context,
                        conversation=ranked.stretch(line),
                    )
                ]
        return best

    def _likeness(self, text: str, line: LineRow) -> float:
        return float(self._searcher.encode([text])[0] @ self._memory.vectors([line.id])[0])

    def _missed(self, question: Question, scope: Scope) -> Outcome:
        attended = question.attended
        material = Material(sessions=scope.sessions)
        if attended is None:
            return self._happened(question, scope)
        if attended.topic:
            ranked = self._searcher.search(f"a conversation about {attended.topic}", attended.topic, scope)
            lines = self._around(ranked, scope)
            nearest = [line.id for line in ranked.lines]
        else:
            lines = self._session_of(attended, scope)
            nearest = [line.id for line in lines]
        vocabulary = Vocabulary(lines)
        stretches = stretches_of(lines)
        if attended.topic:
            followed = attended_by_topic(_with_words(stretches), self._topic(attended.topic, attended.terms), self._memory.vectors)
        else:
            followed = attended_by_constraint(stretches, attended)
        if not followed:
            known = {line.id: line for line in lines}
            near = known.get(nearest[0]) if nearest else None
            return Outcome(material, tuple(nearest), refused=refusal_text(question, near, scope))
        lost = missed(stretches, followed, vocabulary)
        return self._told(self._heeding(scope).asked(attended, followed, lost), scope, nearest)

    def _heeded(self, question: Question, scope: Scope) -> Outcome | None:
        """What was missed by declared absences, or where the question does not say what was followed, by what else tells it."""
        heeding = self._heeding(scope)
        found = heeding.absent(question, scope.spans, in_all=scope.window is not None)
        if found is None and (question.attended is None or not question.attended.says_what) and question.absence is None:
            latest = list(scope.spans)[-1:]
            found = heeding.plain(scope.spans if scope.window is not None else {name: scope.spans[name] for name in latest})
        if found is None:
            return None
        lost = [stretch for stretch in found.missed if any(scope.allows(line) for line in stretch.lines)]
        if question.terms:
            lost = self._about(lost, question.gist, question.terms)
        if found.missed and not lost:
            near = found.missed[0].lines[0]
            return Outcome(Material(sessions=scope.sessions), (near.id,), refusal_text(question, near, scope), found.spans)
        return self._told(replace(found, missed=tuple(lost)), scope, ())

    def _heeding(self, scope: Scope) -> Heeding:
        same_as = partial(self._memory.findings.same_as, at=self._at)
        return Heeding(self._declared(), scope.sessions, self._heard_in, self._about, same_as)

    def _about(self, stretches: Sequence[Stretch], topic: str, terms: tuple[str, ...]) -> list[Stretch]:
        return attended_by_topic(_with_words(stretches), self._topic(topic, terms), self._memory.vectors)

    def _told(self, heeded: Heeded, scope: Scope, nearest: Iterable[str]) -> Outcome:
        attended, lost = self._summarised(heeded.attended), self._summarised(heeded.missed)
        ids = [line.id for stretch in (*lost, *attended) for line in stretch.lines]
        material = Material(attended=attended, missed=lost, sessions=scope.sessions)
        return Outcome(material, tuple(dict.fromkeys([*ids, *nearest])), heeded.refused, heeded.spans, heeded.notes)

    def _session_of(self, attended: Attended, scope: Scope) -> list[LineRow]:
        """The lines in the asked time; without one those of the latest session in which the one who was followed was heard."""
        if scope.window is not None:
            return [line for name, span in scope.spans.items() for line in self._heard_in(name, span)]
        for name in reversed(list(scope.spans)):
            lines = self._heard_in(name, scope.spans[name])
            if any(follows(attended, line) for line in lines):
                return lines
        return []

    def _happened(self, question: Question, scope: Scope) -> Outcome:
        """What went on in the asked time: in the latest session where no time was asked for."""
        spans = dict(scope.spans)
        if scope.window is None and not question.terms:
            latest = list(scope.spans)[-1]
            spans = {latest: spans[latest]}
        nearest: list[str] = []
        if question.terms:
            ranked = self._searcher.search(question.topic, question.gist, scope)
            lines = self._around(ranked, scope)
            nearest = [line.id for line in ranked.lines]
        else:
            lines = [line for name, span in spans.items() for line in self._heard_in(name, span)]
        lines = [line for line in lines if replace(scope, spans=spans).allows(line)]
        vocabulary = Vocabulary(lines)
        stretches = stretches_of(lines)
        if question.terms:
            stretches = attended_by_topic(_with_words(stretches), self._topic(question.gist, question.terms), self._memory.vectors)
        material = Material(sessions=scope.sessions)
        if not stretches:
            near = next((line for line in lines if line.id == nearest[0]), None) if nearest else next(iter(lines), None)
            return Outcome(material, tuple(nearest or [line.id for line in lines]), refused=refusal_text(question, near, scope))
        stretches = [replace(stretch, importance=importance(stretch.lines, vocabulary)) for stretch in stretches]
        ranked_stretches = sorted(
            stretches, key=lambda stretch: (-stretch.importance, stretch.session, stretch.start_ns, stretch.lines[0].id)
        )
        ids = tuple(dict.fromkeys([*nearest, *(line.id for stretch in ranked_stretches for line in stretch.lines)]))
        told = once_each(ranked_stretches, partial(self._memory.findings.same_as, at=self._at))
        material = replace(material, stretches=self._summarised(told[:_MOST_EVENTS]))
        return Outcome(material, ids, spans=tuple((name, *span) for name, span in spans.items()))

    def _nearest(self, question: Question, scope: Scope) -> tuple[str, ...]:
        """What is most like a question that is refused, in whichever way it can be searched."""
        topic = question.topic or question.text
        if not scope.spans or len(topic) > 2000:
            return ()
        return tuple(line.id for line in self._searcher.search(topic, question.gist or topic, scope).lines)

    def _around(self, ranked: Ranked, scope: Scope) -> list[LineRow]:
        """Every line that was heard during the events of the best lines, on all tracks."""
        events: dict[str, tuple[str, int, int]] = {}
        loose: list[tuple[str, int, int]] = []
        for line in ranked.lines[: 3 * _MOST_CANDIDATES]:
            if line.event is None:
                loose.append((line.session, line.start_ns, line.end_ns))
            elif line.event not in events and len(events) < _MOST_CANDIDATES:
                row = self._memory.event(line.event, at=self._at)
                events[line.event] = (row.session, row.start_ns, row.end_ns)
        rows: dict[str, LineRow] = {}
        for session, start_ns, end_ns in merged_spans([*events.values(), *loose[:_MOST_CANDIDATES]]):
            if session in scope.spans:
                first, last = scope.spans[session]
                rows.update((line.id, line) for line in self._heard_in(session, (max(start_ns, first), min(end_ns, last))))
        # An event that began before or goes on after is taken whole.
        return list(rows.values())

    def _heard_in(self, session: str, span: tuple[int, int]) -> list[LineRow]:
        return self._memory.lines(session, start_ns=span[0], end_ns=span[1], at=self._at)[:_MOST_LINES]

    def _topic(self, topic: str, terms: tuple[str, ...]) -> Topic:
        return Topic(self._searcher.encode([topic, f"a conversation about {topic}"]), terms)

    def _summarised(self, stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
        return tuple(replace(stretch, summary=self._summary(stretch)) for stretch in stretches)

    def _summary(self, stretch: Stretch) -> str:
        if stretch.lines and all(is_untranscribed(line) for line in stretch.lines):
            return INSTEAD_OF_WORDS
        return (self._memory.event(stretch.event, at=self._at).summary if stretch.event is not None else "") or stretch.summary

    # -- what is said about it

    def _gaps(self, question: Question, outcome: Outcome, scope: Scope) -> list[GapRow]:
        """What was lost within the asked time; without one, of the sessions that were asked, for an overview those that it is about."""
        overview = outcome.spans and question.intent in {"missed", "catch_up"}
        asked = {session for session, _, _ in outcome.spans} if overview else set(scope.spans)
        # A session goes on for as long as it was heard, and what is lost at its end was not.
        bounded = self._at is not None or (scope.window is not None and scope.window.end is not None)
        spans = [(name, span[0], span[1] if bounded else END_NS) for name, span in scope.spans.items() if name in asked]
        return gaps_inside((gap for span in spans for gap in self._memory.gaps(*span, at=self._at)), spans)

    def _words(self, question: Question, scope: Scope, outcome: Outcome, claims: Sequence[Claim], gaps: Sequence[GapRow]) -> str:
        parts = list(scope.notes)
        if claims:
            parts += outcome.notes
            if question.intent == "missed" and question.attended is None and not outcome.notes:
                parts.append("You did not say what you followed, so this is everything that was heard.")
            parts += [claim.text for claim in claims]
        else:
            parts.append(
                outcome.refused or refusal_text(question, outcome.material.found[0].line if outcome.material.found else None, scope)
            )
        if gaps and question.refusal is None:
            parts.append(gap_note(gaps, scope.sessions, outcome.spans))
        return " ".join(parts)


def _fitness(entry: Found, judge: Judge) -> float:
    """What orders lines that all support an answer: those that name what was asked for, and give the number, come first."""
    return entry.support + _NAMED_BONUS * entry.named + _NUMBER_BONUS * judge.has_wanted_kind(entry.line)


def _with_words(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The stretches that can be about something."""
    return [stretch for stretch in stretches if not all(is_untranscribed(line) for line in stretch.lines)]
