"""Which way of answering a question goes: refused, on from the last, an overview, what was missed, a duration, or lines that hold it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from stages.answer.replies import question_before
from stages.memory.rows import LineRow
from stages.memory.tables.row_writer import utc_ns
from stages.recall.answering_lines import AnsweringLines
from stages.recall.asking_lines import AskingLines
from stages.recall.contradictions import asks_what_will_be
from stages.recall.dated_lines import DatedLines
from stages.recall.decisions import Decisions
from stages.recall.durations import Durations
from stages.recall.edge_lines import EdgeLines
from stages.recall.judged_lines import JudgedLines
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Found, Material
from stages.recall.overviews import Overviews
from stages.recall.played_lines import PlayedLines
from stages.recall.question import Question
from stages.recall.refusals import (
    not_heard_then,
    not_heard_there,
    nothing_heard,
    nothing_in_time,
    refusal_text,
    unknown_speaker,
)
from stages.recall.relations import Related, Relations
from stages.recall.scope import Scope, scope_of
from stages.recall.terms import calendar_words, holds, stem, stems, tokens
from stages.recall.time_phrase import Window
from stages.recall.who_was_there import WhoWasThere
from stages.recall.worded_lines import WordedLines

_PAST = re.compile(r"\b(?:last|past|ago|yesterday)\b", re.I)
_LEAST_OF_DAYS = timedelta(hours=6)
_MOST_SESSIONS = 16
_MOST_NEAR = 8
_LINKS = frozenset(["in", "on", "at", "the", "of"])


class Routes:
    """The ways of one question. `ends_ns` says how far each session was heard, by its name."""

    def __init__(self, lookup: Lookup, now: datetime, ends_ns: Mapping[str, int]) -> None:
        self._lookup = lookup
        self._now = now
        self._ends_ns = dict(ends_ns)
        self._judged_lines = JudgedLines(lookup)
        self._worded_lines = WordedLines(lookup)
        self._asking_lines = AskingLines(lookup, self._judged_lines)
        self._played_lines = PlayedLines(lookup, self._judged_lines)
        self._answering_lines = AnsweringLines(lookup, self._judged_lines, self._played_lines)
        self._dated_lines = DatedLines(lookup, self._judged_lines, self._answering_lines)
        self._edge_lines = EdgeLines(lookup, self._worded_lines, self._answering_lines)
        self._who_was_there = WhoWasThere(lookup)
        self._overviews = Overviews(lookup, self._judged_lines, self._asking_lines, self._who_was_there)
        self._decisions = Decisions(lookup, self._judged_lines, self._worded_lines)
        self._durations = Durations(lookup, self._judged_lines, utc_ns(now))

    def is_absence(self, question: Question, scope: Scope) -> bool:
        """Whether the asked absence was declared."""
        return self._overviews.heeding(scope).is_absence(question, scope.spans)

    def outcome(self, question: Question, scope: Scope) -> Outcome:
        """What the memory holds for a question, or why nothing."""
        material = Material(sessions=scope.sessions)
        if not scope.sessions:
            return Outcome(material, refused=nothing_heard(self._lookup.at))
        if question.refusal is not None:
            return Outcome(material, retrieved=self._lookup.nearest(question, scope), refused=question.refusal)
        if (asked := self._unknown(question)) is not None:
            fault = unknown_speaker(asked, self._lookup.speakers())
            anybody = replace(scope, speaker=None, talkers=frozenset())
            return Outcome(material, retrieved=self._lookup.nearest(question, anybody), refused=fault)
        if question.follow_up is not None or question.order is not None:
            return self._related(question, scope)
        if not scope.spans or question.window is None:
            told = self._dated_lines.of_day(question, self._at_any_time(question, scope), self._now)
            if told is not None or not scope.spans:
                return told or self._out_of_time(question, scope)
        if scope.window is not None and scope.speaker is not None and self._is_silent(scope):
            open_scope = replace(scope, speaker=None)
            return Outcome(
                material, retrieved=self._lookup.nearest(question, open_scope), refused=not_heard_then(scope.speaker, scope.window.phrase)
            )
        if (elsewhere := self._elsewhere(scope)) is not None:
            anywhere = replace(scope, azimuth_deg=None)
            return Outcome(material, retrieved=self._lookup.nearest(question, anywhere), refused=elsewhere)
        if question.settles:
            return self._decisions.told(question, scope)
        if question.company:
            return self._who_was_there.company(question, scope)
        if question.asks_present:
            return self._who_was_there.present(scope)
        if question.duration:
            return self._durations.told(question, scope)
        if question.edge:
            return self._edge_lines.told(question, scope)
        if question.intent == "missed" and (heeded := self._overviews.heeded(question, scope)) is not None:
            return heeded
        if question.intent == "missed" and question.attended is not None and question.attended.says_what:
            return self._overviews.missed(question, scope)
        if question.intent in {"missed", "catch_up"}:
            return self._overviews.happened(question, scope)
        if (told := self._asking_lines.asked(question, scope) or self._worded_lines.with_words(question, scope)) is not None:
            return told
        if (told := self._dated_lines.at_clock(question, scope)) is not None:
            return told
        if question.intent == "play" and not question.terms and (scope.is_narrow or question.about_speech):
            return self._played_lines.of_time(question, scope)
        if not question.terms and (scope.is_narrow or question.about_speech):
            return self._overviews.happened(question, scope)
        if question.refers and (near := self._relations().near(scope)) is not None:
            there = self._answering_lines.told(question, near)
            if there.refused is None:
                return there
        outcome = self._worded_lines.counted(question, scope) or self._answering_lines.told(question, scope)
        # "Who bakes on Sunday?" may ask for what was said of a Sunday, though something was heard on one.
        return outcome if outcome.refused is None else self._said_of_it(question, scope) or outcome

    def _out_of_time(self, question: Question, scope: Scope) -> Outcome:
        """Where nothing was heard in the asked time: what was said of it before ("the court on Sunday"), or why there is nothing."""
        if (outcome := self._said_of_it(question, scope)) is not None:
            return outcome
        open_scope = self._at_any_time(question, scope)
        refused = nothing_in_time(question, scope, self._ends_ns)
        if not (_may_be_told(question) and _is_of_days(question.window)):
            return Outcome(Material(sessions=scope.sessions), retrieved=self._lookup.nearest(question, open_scope), refused=refused)
        asked = _with_its_day(question)
        nearest = self._lookup.nearest(asked, open_scope)
        lines = {line.id: line for line in self._lookup.memory.lines(ids=nearest[:_MOST_NEAR], at=self._lookup.at)}
        ranked = [lines[name] for name in nearest if name in lines]
        of_day = [line for line in ranked if self._names_its_day(line, question, scope)]
        # "He says the plumber comes on Thursday" is nearer to a plumber on Friday than a pool that is closed on Fridays.
        of_it = [line for line in ranked if any(holds(term, stems(line.text)) for term in question.terms)]
        near = next(iter([*(line for line in of_it if line in of_day), *of_it, *of_day, *ranked]), None)
        # Of something that will be nobody asks what was heard on that day, nor of what somebody told of it.
        if asks_what_will_be(question.text) or of_day:
            refused = refusal_text(asked, near, open_scope)
            nearest = tuple(dict.fromkeys([*(line.id for line in (near, *of_day) if line is not None), *nearest]))
        return Outcome(Material(sessions=scope.sessions), retrieved=nearest, refused=refused)

    def _said_of_it(self, question: Question, scope: Scope) -> Outcome | None:
        """Lines that answer and name the asked day or month, whenever they were said; None where there are none."""
        window = question.window
        phrase = window.phrase if window is not None else ""
        # What was to come on a Sunday may have been talked about before. What was last week for who asks was so for who said it that day.
        is_past = _PAST.search(phrase) is not None
        if is_past and not _is_of_days(window):
            return None
        words = _day_of(question) if is_past else calendar_words(phrase)
        if not words or not _may_be_told(question):
            return None
        # "Who fell on Monday?" asks for what was told of a Monday on which nothing was heard.
        with_its_day = [_with_its_day(question)] if asks_what_will_be(question.text) or not scope.spans else []
        for asked in (replace(question, window=None), *with_its_day):
            outcome = self._answering_lines.told(asked, self._at_any_time(question, scope))
            found = tuple(
                entry
                for entry in outcome.material.found
                if words <= _named_by(entry, question) and (not is_past or self._is_of_today(entry.line, scope))
            )
            if found:
                return replace(outcome, material=replace(outcome.material, found=found))
        return None

    def _names_its_day(self, line: LineRow, question: Question, scope: Scope) -> bool:
        """Whether a line names the day that a question asks about; "yesterday" is another one for who said it earlier."""
        day = _day_of(question)
        is_past = question.window is not None and _PAST.search(question.window.phrase) is not None
        return day <= {stem(token) for token in tokens(line.text)} and (not is_past or self._is_of_today(line, scope))

    def _is_of_today(self, line: LineRow, scope: Scope) -> bool:
        """Whether a line was said on the day of the question, by the clock of its session."""
        said_at = scope.sessions[line.session].moment(line.start_ns)
        return said_at.date() == self._now.astimezone(said_at.tzinfo).date()

    def _at_any_time(self, question: Question, scope: Scope) -> Scope:
        return scope_of(replace(question, window=None), scope.sessions.values(), self._ends_ns)

    def _unknown(self, question: Question) -> str | None:
        """The first name in a question that nobody has; None where all of them are known."""
        asked = [question.speaker, question.attended.speaker if question.attended else None, *question.talkers]
        asked.append(question.order.talker if question.order is not None else None)
        names = [name for name in asked if name is not None]
        known = {name.lower() for name in self._lookup.speakers()} if names else set()
        return next((name for name in names if name.lower() not in known), None)

    def _related(self, question: Question, scope: Scope) -> Outcome:
        """What goes on from the last question, and what asks for an order."""
        relations = self._relations()
        related = relations.cited(question, scope) if question.follow_up is not None else relations.ordered(question, scope)
        if related.scope is None:
            return _told(related, scope)
        beside = question
        if question.order is not None:
            asks = question.order.asks
            beside = replace(question, text=asks) if asks else replace(question, intent="catch_up", terms=(), gist="")
        outcome = self.outcome(replace(beside, follow_up=None, order=None), related.scope)
        if outcome.refused is not None and question.order is not None and question.order.asks:
            beside_what = f'{question.order.relation.removeprefix("around_").capitalize()} "{question.order.topics[0]}" came up'
            return replace(outcome, refused=f"{beside_what}: {outcome.refused}")
        if outcome.refused is not None and question.follow_up is not None and question.follow_up.kind == "else":
            rest = relations.rest_of(question, scope)
            return outcome if rest is None else _told(rest, scope)
        return outcome

    def _relations(self) -> Relations:
        return Relations(self._lookup.memory, self._lookup.at, utc_ns(self._now), self._lookup.heard_in, self._judged_lines.search)

    def _elsewhere(self, scope: Scope) -> str | None:
        """Why somebody was not heard at the asked bearing: where they were, in the last sessions that have any; None where they were."""
        if scope.speaker is None or scope.azimuth_deg is None:
            return None
        anywhere = replace(scope, azimuth_deg=None)
        found: list[LineRow] = []
        for name in list(scope.spans)[: -_MOST_SESSIONS - 1 : -1]:
            theirs = [line for line in self._lookup.heard_in(name, scope.spans[name]) if anywhere.allows(line)]
            if any(scope.allows(line) for line in theirs):
                return None
            found += [line for line in theirs if line.azimuth_deg is not None]
        return not_heard_there(scope.speaker, scope.azimuth_deg, scope.azimuth_tolerance_deg, found) if found else None

    def _is_silent(self, scope: Scope) -> bool:
        """Whether the asked speaker was not heard in the asked time at all."""
        rows = self._lookup.memory.rows_among(scope.spans, scope.speaker, at=self._lookup.at)
        return rows is not None and not len(rows)


def _may_be_told(question: Question) -> bool:
    """Whether a question asks for something that may have been said of another time than that in which it was said."""
    return bool(question.terms) and not question.about_speech and question.intent in {"what", "when", "where", "who", "did_anybody"}


def _day_of(question: Question) -> frozenset[str]:
    """The stems of the asked time."""
    phrase = question.window.phrase if question.window is not None else ""
    return frozenset(map(stem, tokens(phrase))) - _LINKS


def _with_its_day(question: Question) -> Question:
    """The question without a time, and the words of its time among those that it asks about."""
    phrase = question.window.phrase if question.window is not None else ""
    day = [token for token in tokens(phrase) if token not in _LINKS]
    return replace(question, window=None, topic=question.text, gist=" ".join([question.gist, *day]))


def _named_by(found: Found, question: Question) -> set[str]:
    """The stems of a line; for a fact also those of the question that it answered. A mere yes or no to another day tells nothing of it."""
    asked = question_before(found, question) if question.intent != "did_anybody" else None
    return {stem(token) for line in (found.line, asked) if line is not None for token in tokens(line.text)}


def _is_of_days(window: Window | None) -> bool:
    """Whether a time is a night, a day or longer."""
    return window is not None and window.start is not None and window.end is not None and window.end - window.start >= _LEAST_OF_DAYS


def _told(related: Related, scope: Scope) -> Outcome:
    """Lines that are told as they are, or why there are none."""
    return Outcome(Material(found=related.found, sessions=scope.sessions), related.retrieved, related.refused, related.spans)
