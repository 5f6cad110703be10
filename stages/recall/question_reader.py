"""From the words of a question to what is asked of which lines: names, moments and absences are those that the memory knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from stages.memory.rows import SessionRow
from stages.memory.tables.row_writer import utc_ns
from stages.recall.absence_asked import absence_in
from stages.recall.answers import speaker_of
from stages.recall.context_scope import last_cited, talking
from stages.recall.first_person import as_own, as_told
from stages.recall.lookup import Lookup
from stages.recall.named_talkers import alone_in
from stages.recall.parts import parts_in
from stages.recall.question import Question, cleaned, parse
from stages.recall.scope import Scope, scope_of
from stages.recall.sides import NEAR_DEG
from stages.recall.time_phrase import Moments

_FACTS = frozenset(["what", "when", "where"])
_MOST_SESSIONS = 64
_OF_TALKER = _FACTS | {"did_anybody"}
_OF_ONE_PART = frozenset(["missed", "order", "unservable"])


class QuestionReader:
    """Reads one question to one memory. `facing_deg` is where the asker faces, clockwise; None where it is not known."""

    def __init__(self, lookup: Lookup, now: datetime, facing_deg: float | None) -> None:
        self._lookup = lookup
        self._now = now
        self._facing_deg = facing_deg
        self._sessions, self.ends_ns = self._heard()
        self._moments = self._moments_of(self._sessions)

    def read(self, text: str) -> Question:
        """The question in this memory's names."""
        return _with_own_words(self._with_talker(self._with_names(parse(text, self._moments, self._lookup.speakers, self._facing_deg))))

    def parts(self, question: Question) -> tuple[tuple[Question, ...], bool]:
        """The questions of which one consists, none for one of a single part; and whether it is certain that these are several."""
        if not _has_parts(question) or (found := parts_in(cleaned(question.text), self._moments, self._lookup.speakers)) is None:
            return (), False
        parts = tuple(self.read(text) for text in found.texts)
        return (parts, found.apart) if all(part.intent not in _OF_ONE_PART for part in parts) else ((), False)

    def of_talker(self, question: Question) -> tuple[Question, str] | None:
        """A question for a fact about a talker, as that talker would ask it, and who it is; None for any other question."""
        if question.intent not in _OF_TALKER or question.about_speech or question.speaker is not None or not _has_parts(question):
            return None
        if re.search(r"\b[A-Z]", question.text[1:]) is None or (own := as_own(cleaned(question.text), self._lookup.speakers())) is None:
            return None
        read = self.read(own[1])
        return (replace(read, text=question.text, own_words=own[1]), own[0]) if read.terms and read.intent == question.intent else None

    def of_place(self, question: Question) -> Question | None:
        """A question who a talker is or where one was, read as of when and where they were heard; None for any other question."""
        if question.intent not in {"who", "where"} or question.speaker is not None or not _has_parts(question):
            return None
        name = alone_in(cleaned(question.text), self._lookup.speakers)
        asks_present = question.intent == "who"
        return None if name is None else replace(question, speaker=name, topic="", gist="", terms=(), asks_present=asks_present)

    def read_absence(self, question: Question, absence: str) -> Question:
        """A question about an absence that gives no time, where the memory knows when that was: what else it says is read without it."""
        _, asks = absence_in(cleaned(question.text), self._moments, self._lookup.speakers)
        rest = parse(asks, self._moments, self._lookup.speakers, self._facing_deg)
        window = rest.window if rest.window is not None and not rest.window.guessed else None
        return self._with_names(replace(rest, text=question.text, intent="missed", absence=absence, window=window))

    def scope(self, question: Question) -> Scope:
        """The lines that a question is asked of."""
        return self._nearest(question, self._in_time(question))

    def _in_time(self, question: Question) -> Scope:
        scope = scope_of(question, self._sessions, self.ends_ns)
        if question.window is not None and not scope.spans and not question.window.exact and question.intent not in {"missed", "catch_up"}:
            # "at ten" may be what was said instead of when it was said.
            return scope_of(replace(question, window=None), self._sessions, self.ends_ns)
        return scope

    def _nearest(self, question: Question, scope: Scope) -> Scope:
        """The scope without those who sit beside the bearing that a question gives, in sessions in which somebody sits at it."""
        if scope.azimuth_deg is None or question.azimuth_tolerance_deg is not None or question.speaker is not None or question.talkers:
            return scope
        spans = [(name, *span) for name, span in list(scope.spans.items())[-_MOST_SESSIONS:]]
        near = self._lookup.memory.spans.with_talkers_near(spans, scope.azimuth_deg, NEAR_DEG, self._lookup.at_ns)
        return replace(scope, near=near)

    def _heard(self) -> tuple[list[SessionRow], dict[str, int]]:
        """The sessions of which something had been heard, and how far each was heard."""
        sessions, ends_ns = [], {}
        # What had passed by an earlier moment is not known any more; what had been heard is.
        passed_ns = self._lookup.memory.spans.passed_ns() if self._lookup.at is None else {}
        for session in self._lookup.memory.sessions(at=self._lookup.at):
            end_ns = max(session.duration_ns, passed_ns.get(session.id, 0))
            if end_ns > 0:
                sessions.append(session)
                ends_ns[session.id] = end_ns
        return sessions, ends_ns

    def _moments_of(self, sessions: Sequence[SessionRow]) -> Moments:
        now = self._lookup.at or self._now
        if not sessions:
            return Moments(now)
        latest = sessions[-1]
        zone = latest.started_at.tzinfo
        heard_until = max(session.moment(self.ends_ns[session.id]) for session in sessions)
        return Moments(
            now.astimezone(zone), heard_until.astimezone(zone), latest.started_at, starts=tuple(session.started_at for session in sessions)
        )

    def _with_names(self, question: Question) -> Question:
        """The question with speakers who are given by id under the name that they have now."""
        attended = question.attended
        if attended is not None and attended.speaker is not None:
            attended = replace(attended, speaker=self._name_now(attended.speaker))
        return replace(question, speaker=None if question.speaker is None else self._name_now(question.speaker), attended=attended)

    def _with_talker(self, question: Question) -> Question:
        """The question with "he" or "she" read as the one whom the last answer cited; as it is where there is no such person."""
        if not question.pronoun or question.refusal is not None or (question.follow_up is not None and question.follow_up.kind == "reply"):
            return question
        cited = last_cited(self._lookup.memory, self._lookup.at, utc_ns(self._now))
        talker = speaker_of(talking(cited)) if cited else None
        if talker not in self._lookup.speakers():
            return question
        return replace(question, speaker=talker, note=f'"{question.pronoun}" is read as {talker}, whom the last answer cited.')

    def _name_now(self, speaker: str) -> str:
        """The name of somebody who was heard, given by name (which goes first) or by id; anything else stays as it is."""
        known = self._lookup.speakers()
        if speaker.lower() in {name.lower() for name in known}:
            return speaker
        name = self._lookup.memory.speakers.name_of(speaker)
        return name if name is not None and name in known else speaker


def _with_own_words(question: Question) -> Question:
    """A question for a fact that a talker told, with how that talker would ask for it."""
    if question.speaker is None or question.intent not in _FACTS or question.about_speech or not question.terms:
        return question
    return replace(question, own_words=as_told(cleaned(question.text), question.speaker) or "")


def _has_parts(question: Question) -> bool:
    """Whether a question may ask for several things; what goes on from the last one, or tells what was followed, does not."""
    return (
        question.refusal is None
        and question.attended is None
        and question.order is None
        and question.follow_up is None
        and not question.talkers
        and question.intent not in _OF_ONE_PART
    )
