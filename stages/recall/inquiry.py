"""One question to one memory, from its words to its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import isfinite

from pipeline.stage import END_NS
from stages.answer.answerer import Answerer
from stages.answer.wording import quote
from stages.memory.forgetting.question_contexts import QuestionContext
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import GapRow
from stages.memory.second_looks.look import Look
from stages.memory.tables.row_writer import utc_ns
from stages.memory.text_encoder import TextEncoder
from stages.recall.answer_parts import AnswerPart, Draft, Final, Worded
from stages.recall.answers import MOST_RETRIEVED, Answer, Claim, Evidence
from stages.recall.clips import with_clips
from stages.recall.duration_asked import is_nameless
from stages.recall.gaps import gap_note, gaps_inside
from stages.recall.lengths import longer_than_asked
from stages.recall.lookup import Lookup, Outcome
from stages.recall.question import Question, plain_marks
from stages.recall.question_reader import QuestionReader
from stages.recall.reader import Reader
from stages.recall.refusals import refusal_text
from stages.recall.restating import put_plainly
from stages.recall.rounds import Round, Rounds, merged, once_each
from stages.recall.routes import Routes
from stages.recall.scope import Scope
from stages.recall.second_look import SecondLook, cited_lines, heard_again, with_first_words
from stages.recall.sounds_heard import sound_claims, sounds_asked
from stages.recall.spoken_core import core_question

_QUOTE_BEGINS = 40


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
        reader: Reader | None = None,
        facing_deg: float | None = None,
    ) -> None:
        self._lookup = Lookup(memory, encoder, at, reader, answerer.opinion if answerer.has_opinions else None)
        self._answerer = answerer
        self._now = now
        self._now_ns = now_ns
        self._second_look = second_look
        self._facing_deg = facing_deg

    def stream(self, text: str) -> Iterator[AnswerPart]:
        """The whole way, part by part; never raises for what a question says."""
        started_ns = self._now_ns()
        reader = QuestionReader(self._lookup, self._now, self._facing_deg)
        routes = Routes(self._lookup, self._now, reader.ends_ns)
        asked = reader.read(text)
        question = put_plainly(asked, self._answerer.restated, reader.read, lambda said: core_question(said, self._lookup.speakers))
        scope = reader.scope(question)
        is_guess = question.refusal is not None or (question.window is not None and question.window.guessed)
        if question.absence is not None and is_guess and routes.is_absence(question, reader.scope(replace(question, window=None))):
            question = reader.read_absence(question, question.absence)
            scope = reader.scope(question)
        parsed_ns = self._now_ns()
        rounds = Rounds(reader, routes.outcome, self._answerer.draft, self._lookup.searcher.encode).of(question, scope)
        outcome = merged(rounds)
        retrieved_ns = self._now_ns()
        timing_ms = {"parse": (parsed_ns - started_ns) / 1e6, "retrieve": (retrieved_ns - parsed_ns) / 1e6}
        drafted = [claim for one in rounds for claim in one.claims]
        # Sounds only add to what was said: they take no part in finding it.
        claims = [
            *drafted,
            *sound_claims(sounds_asked(question, scope, lambda: self._lookup.memory.sounds.rows(at=self._lookup.at)), scope),
        ]
        gaps = self._gaps(question, outcome, scope)
        draft = Answer(
            question=plain_marks(text),
            intent=question.intent,
            abstained=not claims,
            text=self._words(text, question, scope, rounds, claims, gaps),
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
        if news:
            sounds = claims[len(drafted) :]
            rounds = once_each([self._told_anew(one, news) for one in rounds])
            drafted = [claim for one in rounds for claim in one.claims]
            claims = [*drafted, *sounds]
        first = 0
        for one in rounds:
            if one.claims:
                for place, claim in self._answerer.revisions(one.question, one.outcome.material, one.claims):
                    claims[first + place] = claim
                    yield Worded(first + place, claim)
            first += len(one.claims)
        n_drafted = len(drafted)
        # The proof of what was said is cut last: nobody waits for it with the first words.
        proven = [*with_clips(with_first_words(claims[:n_drafted], news), self._lookup.memory), *claims[n_drafted:]]
        told = self._words(text, question, scope, rounds, proven, gaps)
        self._note(question, proven, outcome.retrieved, told)
        answered_ns = self._now_ns()
        timing_ms |= {"answer": (answered_ns - retrieved_ns) / 1e6, "total": (answered_ns - started_ns) / 1e6}
        yield Final(replace(draft, text=told, claims=tuple(proven), timing_ms=timing_ms))

    def _told_anew(self, one: Round, news: Mapping[str, Look]) -> Round:
        """A round with some of its lines, by id, as they were heard the second time."""
        if not one.claims:
            return one
        lines = one.outcome.material.lines
        material = one.outcome.material.told_anew({name: heard_again(line, news[name]) for name, line in lines.items() if name in news})
        outcome = replace(one.outcome, material=material)
        return replace(one, outcome=outcome, claims=tuple(self._answerer.draft(one.question, material)))

    def _note(self, question: Question, claims: Sequence[Claim], retrieved: Sequence[str], text: str) -> None:
        """Keep what was asked and cited for the next question; of a refusal the nearest line, where its words were shown.

        A question about the same lines again leaves them as they are.
        """
        if question.follow_up is not None and question.follow_up.kind in {"that", "play"}:
            return
        if question.duration and not question.terms and is_nameless(question.text):
            return
        told = [[evidence.utterance for evidence in _told(claim, question)] for claim in claims]
        lines = tuple(dict.fromkeys(line for of_claim in told for line in of_claim))
        n_first = len(set(told[0])) if told else 1
        if not lines and retrieved:
            nearest = self._lookup.memory.lines(ids=[retrieved[0]], at=self._lookup.at)
            lines = tuple(line.id for line in nearest if quote(line.text) in text)
        self._lookup.memory.contexts.note(QuestionContext(utc_ns(self._now), lines, max(1, n_first)))

    # -- what is said about it

    def _gaps(self, question: Question, outcome: Outcome, scope: Scope) -> list[GapRow]:
        """What was lost within the asked time; without one, of the sessions that were asked, for an overview those that it is about."""
        overview = outcome.spans and question.intent in {"missed", "catch_up"}
        asked = {session for session, _, _ in outcome.spans} if overview else set(scope.spans)
        # A session goes on for as long as it was heard, and what is lost at its end was not.
        bounded = self._lookup.at is not None or (scope.window is not None and scope.window.end is not None)
        spans = [(name, span[0], span[1] if bounded else END_NS) for name, span in scope.spans.items() if name in asked]
        return gaps_inside(self._lookup.memory.spans.gaps(spans, self._lookup.at_ns), spans)

    def _words(
        self, asked: str, question: Question, scope: Scope, rounds: Sequence[Round], claims: Sequence[Claim], gaps: Sequence[GapRow]
    ) -> str:
        outcome = merged(rounds)
        # Who "he" is may be told by the first part of a question.
        parts = list(dict.fromkeys(note for one in rounds for note in one.scope.notes))
        if claims:
            parts += [note for note in outcome.notes if note not in parts]
            says_what = question.attended is not None and question.attended.says_what
            if question.intent == "missed" and not says_what and not outcome.notes:
                is_short = question.length_s is not None and isfinite(question.length_s)
                everything = "what fits of everything that was heard" if is_short else "everything that was heard"
                parts.append(f"You did not say what you followed, so this is {everything}.")
            parts += [claim.text for claim in claims]
            if question.intent not in {"missed", "catch_up"}:
                parts += filter(None, [longer_than_asked(asked, question.length_s, " ".join(claim.text for claim in claims))])
            parts += [one.lacks for one in rounds if len(rounds) > 1 and one.lacks]
        else:
            parts.append(
                outcome.refused or refusal_text(question, outcome.material.found[0].line if outcome.material.found else None, scope)
            )
        if gaps and question.refusal is None:
            parts.append(gap_note(gaps, scope.sessions, outcome.spans))
        return " ".join(parts)


def _told(claim: Claim, question: Question) -> Sequence[Evidence]:
    """What a person means by "that": the lines that a claim quotes, in the order of the quotes; all where it counts or quotes none.

    A length of talk is of all stretches that its lines stand in, the quoted one first.
    """
    places = {claim.text.find(evidence.text.replace('"', "'")[:_QUOTE_BEGINS]): evidence for evidence in reversed(claim.evidence)}
    quoted = [places[place] for place in sorted(places) if place >= 0]
    if question.duration:
        return [*quoted, *(evidence for evidence in claim.evidence if evidence not in quoted)]
    return claim.evidence if question.intent == "count" or not quoted else quoted
