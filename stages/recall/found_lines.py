"""Lines that answer a question: found by likeness and words, judged one by one, or counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from pipeline.packets import nanoseconds
from stages.answer.corrections import CORRECTED_WITHIN_NS
from stages.memory.memory_errors import MemoryError_
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.clock_lines import clock_asked, names_a_time, with_clock
from stages.recall.day_asked import day_asked, tells_of
from stages.recall.fact_lines import lines_with_fact
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Found, Material
from stages.recall.misheard import misheard
from stages.recall.named_talkers import is_named
from stages.recall.question import Question
from stages.recall.refusals import not_together, refusal_text
from stages.recall.reported import reported, speaks_of
from stages.recall.salience import Vocabulary, best_lines
from stages.recall.scope import Scope
from stages.recall.search import Ranked, queries_of
from stages.recall.support import THRESHOLD, word_support
from stages.recall.taken_back import with_corrections
from stages.recall.talks import talks
from stages.recall.terms import STOP_WORDS, coverage, singular, stem, stems, tokens
from stages.recall.together import sessions_of, took_part
from stages.recall.topic_lines import encoded_texts, lines_about
from stages.recall.untranscribed import is_untranscribed

_MOST_JUDGED = 16
_NAMED_BONUS = 0.25
_MOST_FOUND = 12
MOST_PLAYED = 20
"""How many lines are played where everything that was said is asked for."""
_MOST_ASKED = 5
_ASKING = frozenset(["ask"])
_ASKED = re.compile(r"\bask(?:s|ed|ing)?\b", re.I)
_SAID = 0.9
_WEEK = timedelta(days=7)
_NOUN_COUNTED = re.compile(r"\b(?:words?|the|an?|my|our|your|his|her|their|was|were) ['\"]?[\w'-]+$", re.I)
_BEFORE_NS = nanoseconds(60.0)
_EDGE_NS = (nanoseconds(600.0), nanoseconds(7200.0))


class FoundLines:
    """The way of questions that one line, or a few, answer."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def counted(self, question: Question, scope: Scope) -> Outcome | None:
        """Every line in the scope that has the words that are counted; None where nothing is to be counted or nobody said them."""
        if question.intent != "count" or not question.gist:
            return None
        lines = self._lookup.memory.lines_saying(question.gist.split(), at=self._lookup.at)
        lines = [line for line in lines if scope.allows(line) and not is_untranscribed(line)]
        if not lines:
            return None
        said = _said_in_words(question, lines)
        if not said:
            return Outcome(Material(sessions=scope.sessions), tuple(line.id for line in lines), refused=refusal_text(question, None, scope))
        lines = _in_form(question, said) or said
        found = tuple(Found(line, 1.0, _SAID, 1.0) for line in sorted(lines, key=lambda line: (line.session, line.start_ns, line.id)))
        spans = tuple((line.session, line.start_ns, line.end_ns) for line in lines)
        return Outcome(Material(found=found, sessions=scope.sessions), tuple(line.id for line in lines), spans=spans)

    def found(self, question: Question, scope: Scope) -> Outcome:
        """The lines of the scope that answer; a refusal with the nearest one where none does."""
        if question.every and question.about_speech and (told := self._every_about(question, scope)) is not None:
            return told
        ranked = self._searched(question, scope)
        found = self._judged(question, ranked)
        if question.intent == "count":
            said = {line.id for line in _said_in_words(question, [entry.line for entry in found])}
            found = [entry for entry in found if entry.line.id in said]
            if not found and not question.edge:
                found = misheard(self._lookup.memory, question.gist.split(), ranked.lines, self._lookup.at)
        retrieved = tuple(dict.fromkeys([*(entry.line.id for entry in found), *(line.id for line in ranked.lines)]))
        material = Material(found=tuple(found), sessions=scope.sessions)
        spans = tuple((entry.line.session, entry.line.start_ns, entry.line.end_ns) for entry in found)
        if found and scope.talkers and not (found := self._between(found, scope)):
            return Outcome(Material(sessions=scope.sessions), retrieved, refused=not_together(question, material.found[0].line, scope))
        if found:
            return Outcome(replace(material, found=tuple(self.with_corrections(question, found))), retrieved, spans=spans)
        heard = [line for line in ranked.lines if not question.teller or speaks_of(question.teller, line)] or ranked.lines
        near = next((line for line in heard if not is_untranscribed(line)), next(iter(ranked.lines), None))
        return Outcome(material, retrieved, refused=refusal_text(question, near, scope))

    def with_words(self, question: Question, scope: Scope) -> Outcome | None:
        """Every line in the scope with the very words that a question wants, by start; None where it wants none or nobody said them."""
        words = tokens(question.very_words)
        lines = [line for line in self._lookup.memory.lines_saying(words, at=self._lookup.at) if scope.allows(line)] if words else []
        return self._as_they_are([line for line in lines if _has_in_a_row(tokens(line.text), words)], scope)

    def at_clock(self, question: Question, scope: Scope) -> Outcome | None:
        """Lines that answer and name the asked time of day, at which nothing was heard; None where no line names it."""
        asked = clock_asked(question) if scope.window is None else None
        if asked is None:
            return None
        said = {line.id: line for word in asked.words for line in self._lookup.memory.lines_saying(tokens(word), at=self._lookup.at)}
        lines = [line for line in said.values() if scope.allows(line) and asked.is_named_in(line.text) and not _only_asks(line)]
        if not lines or not question.terms:
            return self._as_they_are(lines[-_MOST_ASKED:], scope)
        outcome = self.found(with_clock(question, asked), scope)
        found = [entry for entry in outcome.material.found if asked.is_named_in(entry.line.text)]
        if (
            not found
            and question.intent != "where"
            and (told := [line for line in lines if coverage(question.terms, stems(line.text)) == 1.0])
        ):
            return self._as_they_are(told[-_MOST_ASKED:], scope)
        # Where the concert at eight is may be told by who names no time.
        found = found or [entry for entry in self.found(question, scope).material.found if not names_a_time(entry.line.text)]
        if found:
            return replace(outcome, material=replace(outcome.material, found=tuple(found)), refused=None)
        ids = tuple(dict.fromkeys([*(line.id for line in lines), *outcome.retrieved]))
        return Outcome(Material(sessions=scope.sessions), ids, refused=refusal_text(question, lines[0], scope))

    def every(self, question: Question, scope: Scope) -> Outcome:
        """What was said in the asked time, or in the latest session in which the talker was heard, by start; a lot of it is cut."""
        names = tuple(scope.spans)
        for part in [names] if scope.window is not None else [(name,) for name in reversed(names)]:
            heard = [line for name in part for line in self._lookup.heard_in(name, scope.spans[name])]
            lines = [line for line in heard if scope.allows(line) and not is_untranscribed(line)]
            if (told := self._played(lines, scope)) is not None:
                return told
        return Outcome(Material(sessions=scope.sessions), refused=refusal_text(question, None, scope))

    def _every_about(self, question: Question, scope: Scope) -> Outcome | None:
        """All that was said about a topic, by start: the stretches that are about it, and every line with its words; None for none."""
        ranked = self._searched(question, scope)
        lookup = self._lookup
        if not lookup.has_encoder:
            found = _by_words(question, ranked)
        else:
            found = lines_about(question, ranked, lookup.searcher.encode, lookup.reader, lookup.opinion, every=True)
        said = lookup.memory.lines_saying(question.gist.split(), at=lookup.at)
        told = {line.id: line for line in [*(entry.line for entry in found), *_said_in_words(question, said)]}
        lines = [line for line in told.values() if scope.allows(line) and not is_untranscribed(line)]
        if lines and scope.talkers:
            around = lookup.talk_around(lines, _BEFORE_NS, CORRECTED_WITHIN_NS)
            lines = [line for line in lines if line.event is None or took_part(around.get(line.id, (line,)), scope)]
        lines.sort(key=lambda line: (scope.sessions[line.session].moment(line.start_ns), line.id))
        return self._played(lines, scope)

    def _played(self, lines: Sequence[LineRow], scope: Scope) -> Outcome | None:
        """Lines by start as they are played, a lot of them cut; None for none."""
        told = self._as_they_are(lines[:MOST_PLAYED], scope)
        cut = f"These are the first {MOST_PLAYED} of {len(lines)} lines."
        return None if told is None else replace(told, notes=(cut,) if len(lines) > MOST_PLAYED else ())

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
            found = [entry for entry in self.search(about, scope)[0] if _asks(entry.line)] if terms else []
            said = [entry for entry in found if entry.named]
            # Whether a talker asked just that, a question of theirs with none of its words does not tell.
            found = said or ([] if question.speaker is not None else found)
            material = Material(found=tuple(found), sessions=scope.sessions)
            spans = tuple((entry.line.session, entry.line.start_ns, entry.line.end_ns) for entry in material.found)
            return Outcome(material, tuple(entry.line.id for entry in material.found), spans=spans) if found else None
        every = [tuple(scope.spans)] if scope.window is not None else [(name,) for name in reversed(list(scope.spans))]
        for names in every:
            heard = [line for name in names for line in self._lookup.heard_in(name, scope.spans[name])]
            asked = [line for talk in talks(heard) if took_part(talk, scope) for line in talk if scope.allows(line) and _asks(line)]
            if asked:
                return self._as_they_are(best_lines(asked, Vocabulary(heard), _MOST_ASKED), scope)
        return None

    def questions_of(self, question: Question, scope: Scope) -> Outcome | None:
        """Every line in which a talker asked something, where that is counted: in the asked time, or in the latest session that has any."""
        is_counted = question.intent == "count" and question.speaker is not None and not question.terms
        if not is_counted or _ASKED.search(question.text) is None:
            return None
        names = tuple(scope.spans)
        for part in [names] if scope.window is not None else [(name,) for name in reversed(names)]:
            heard = (line for name in part for line in self._lookup.heard_in(name, scope.spans[name]))
            if (told := self._as_they_are([line for line in heard if scope.allows(line) and _asks(line)], scope)) is not None:
                return told
        return None

    def _as_they_are(self, lines: Sequence[LineRow], scope: Scope) -> Outcome | None:
        """Lines that answer as they stand, by start; None for none."""
        told = sorted(lines, key=lambda line: (line.session, line.start_ns, line.id))
        found = tuple(Found(line, 1.0, _SAID, 1.0) for line in told)
        spans = tuple((line.session, line.start_ns, line.end_ns) for line in told)
        return Outcome(Material(found=found, sessions=scope.sessions), tuple(line.id for line in told), spans=spans) if told else None

    def at_edge(self, question: Question, scope: Scope) -> Outcome:
        """The first or the last line of what a question asks for; without a topic, of the latest session that has any in the asked time."""
        if question.terms:
            every = replace(question, intent="count")
            outcome = self.counted(every, scope) or self.found(every, scope)
            lines = [entry.line for entry in outcome.material.found]
        else:
            lines, outcome = self._heard(scope, question.edge), Outcome(Material(sessions=scope.sessions))
        if not lines:
            refused = outcome.refused or refusal_text(question, None, scope)
            return replace(outcome, refused=refused)
        pick = min if question.edge == "first" else max
        line = pick(lines, key=lambda one: (scope.sessions[one.session].moment(one.start_ns), one.id))
        ids = tuple(dict.fromkeys([line.id, *outcome.retrieved]))
        material = Material(found=(Found(line, 1.0, _SAID, 1.0),), sessions=scope.sessions)
        return Outcome(material, ids, spans=((line.session, line.start_ns, line.end_ns),))

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
        found = tuple(Found(line, 1.0, _SAID, 1.0) for line in first.values())
        heard = tuple((name, *span) for name, span in spans.items())
        return Outcome(Material(found=found, sessions=scope.sessions), tuple(line.id for line in first.values()), spans=heard)

    def ends_of(self, scope: Scope) -> Outcome | None:
        """The first and the last line of everybody in the scope, in the asked time or in the latest session that has any; None for none."""
        names = tuple(scope.spans)
        for part in [names] if scope.window is not None else [(name,) for name in reversed(names)]:
            ends: dict[tuple[str, str], dict[str, LineRow]] = {}
            for name in part:
                for line in self._lookup.heard_in(name, scope.spans[name]):
                    if scope.allows(line):
                        own = ends.setdefault((name, speaker_of(line)), {"first": line})
                        own["last"] = line
            lines = {line.id: line for own in ends.values() for line in own.values()}
            if (told := self._as_they_are(list(lines.values()), scope)) is not None:
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
        return self._as_they_are(list(first.values()), scope) or Outcome(Material(sessions=scope.sessions), refused=not_together(question))

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

    def search(self, question: Question, scope: Scope) -> tuple[list[Found], Sequence[LineRow]]:
        """The lines that answer, the best first, and all that were looked at."""
        ranked = self._searched(question, scope)
        return self._judged(question, ranked), ranked.lines

    def naming(self, question: Question, scope: Scope) -> list[Found] | None:
        """The most telling lines that name those of whom a question asks, by start; None where it asks of anything but people.

        People are talkers, of whom what they said themselves tells nothing, and whoever has a name that is a word too: Will.
        """
        names = question.gist.split()
        known = {word for name in self._lookup.speakers() for word in name.lower().split()}
        if not names or not all(name in known or name in STOP_WORDS for name in names):
            return None
        said = self._lookup.memory.lines_saying(names, at=self._lookup.at)
        lines = [line for line in said if scope.allows(line) and all(is_named(name, line.text) for name in names)]
        best = best_lines(lines, Vocabulary(lines), _MOST_FOUND) if lines else []
        best = sorted(best, key=lambda line: (scope.sessions[line.session].moment(line.start_ns), line.id))
        around = self._lookup.talk_around(best, _BEFORE_NS, CORRECTED_WITHIN_NS, CORRECTED_WITHIN_NS)
        return [Found(line, 1.0, _SAID, 1.0, talk=around.get(line.id, ())) for line in best]

    def of_day(self, question: Question, scope: Scope, now: datetime) -> Outcome | None:
        """What was said of the day of which a question asks what will be; None where it asks for none or nobody said anything.

        A Friday is the next one for who says it: what was said in the last seven days goes before what was said of others.
        """
        day, part = day_asked(question.text)
        said = self._lookup.memory.lines_saying([day], at=self._lookup.at) if day else []
        said = [line for line in said if scope.allows(line) and not is_untranscribed(line) and tells_of(day, part, line.text)]
        lines = [line for line in said if now - scope.sessions[line.session].moment(line.start_ns) <= _WEEK] or said
        if not lines:
            return None
        lines.sort(key=lambda line: (scope.sessions[line.session].moment(line.start_ns), line.id))
        around = self._lookup.talk_around(lines, _BEFORE_NS, CORRECTED_WITHIN_NS, CORRECTED_WITHIN_NS)
        talk = {line.id: around.get(line.id, ()) for line in lines}
        found = [Found(line, 1.0, _SAID, 1.0, context=talk[line.id], talk=talk[line.id]) for line in lines[-_MOST_FOUND:]]
        spans = tuple((line.session, line.start_ns, line.end_ns) for line in lines)
        material = Material(found=tuple(self.with_corrections(question, found)), sessions=scope.sessions)
        return Outcome(material, tuple(line.id for line in lines), spans=spans)

    def came_up(self, question: Question, scope: Scope, least: float) -> float:
        """How surely a topic came up, 0 to 1: the support of the best line on it; 0 below `least`, where nobody said its words."""
        ranked = self._searched(question, scope)
        lookup = self._lookup
        if not lookup.has_encoder:
            found = _by_words(question, ranked)
        else:
            found = lines_about(question, ranked, lookup.searcher.encode, lookup.reader, lookup.opinion, least)
        return max((1.0 if entry.named == 1.0 else entry.support for entry in found), default=0.0)

    def _searched(self, question: Question, scope: Scope) -> Ranked:
        searcher = self._lookup.searcher
        if self._lookup.has_encoder:
            # Together these take less time than one after another.
            searcher.encode(encoded_texts(question))
        return searcher.search(question.topic, question.gist, scope)

    def _between(self, found: Sequence[Found], scope: Scope) -> list[Found]:
        """The lines of talks in which everybody took part whom the scope names; without an event, who talks with whom is not known."""
        around = self._lookup.talk_around([entry.line for entry in found], _BEFORE_NS, CORRECTED_WITHIN_NS)
        return [entry for entry in found if entry.line.event is None or took_part(around.get(entry.line.id, (entry.line,)), scope)]

    def _judged(self, question: Question, ranked: Ranked) -> list[Found]:
        """The lines that support an answer, the best first, with what was said around them.

        That goes on after a silence: people come back to what they said.
        """
        if not self._lookup.has_encoder:
            found = _by_words(question, ranked)
        elif question.about_speech:
            found = lines_about(question, ranked, self._lookup.searcher.encode, self._lookup.reader, self._lookup.opinion)[:_MOST_FOUND]
        else:
            found = lines_with_fact(question, ranked, self._lookup.reader, self._lookup.opinion)[:_MOST_FOUND]
        if question.teller:
            found = reported(question, found, ranked)
        around = self._lookup.talk_around([entry.line for entry in found], _BEFORE_NS, CORRECTED_WITHIN_NS, CORRECTED_WITHIN_NS)
        return [replace(entry, talk=around.get(entry.line.id, ())) for entry in found]

    def with_corrections(self, question: Question, found: list[Found], about: Sequence[LineRow] = ()) -> list[Found]:
        """The lines as they will be quoted, with what took them back, where a reader knows; what is counted is not quoted.

        `about` are lines that tell what they are about where they are too short to do so ("Courtyard then").
        """
        reader = self._lookup.reader
        if reader is None or not reader.knows_corrections or not self._lookup.has_encoder or question.intent == "count":
            return found
        queries = self._lookup.searcher.encode(queries_of(question.topic, question.gist))
        try:
            known = self._lookup.vectors_of(about)
            queries = np.stack([*queries, *(known[line.id] for line in about)])
            return with_corrections(found, queries, self._lookup.vectors_of, reader, 1 if question.about_speech else 2)
        except MemoryError_:
            # A line was forgotten since it was read.
            return found


def _asks(line: LineRow) -> bool:
    return "?" in line.text


def _only_asks(line: LineRow) -> bool:
    return line.text.rstrip().endswith("?")


def _has_in_a_row(said: Sequence[str], words: Sequence[str]) -> bool:
    """Whether some words stand side by side among those that were said."""
    return any(list(said[place : place + len(words)]) == list(words) for place in range(len(said) - len(words) + 1))


def _said_in_words(question: Question, lines: Sequence[LineRow]) -> list[LineRow]:
    """The lines that say the words themselves: a line is found by its speaker's name too, and what Tom says mentions no Tom by that."""
    own = {who: [term for term in question.terms if term in stems(who)] for who in {speaker_of(line) for line in lines}}
    return [line for line in lines if not own[speaker_of(line)] or coverage(own[speaker_of(line)], stems(line.text)) == 1.0]


def _in_form(question: Question, lines: Sequence[LineRow]) -> list[LineRow]:
    """The lines with the very noun that is counted, in the singular or the plural: who books a table mentions no book."""
    words = question.gist.split()
    if len(words) != 1 or _NOUN_COUNTED.search(question.text[: _end_of(words[0], question.text)]) is None:
        return []
    noun = singular(words[0])
    return [line for line in lines if noun in map(singular, tokens(line.text))]


def _end_of(word: str, text: str) -> int:
    return text.lower().rfind(word) + len(word)


def _by_words(question: Question, ranked: Ranked) -> list[Found]:
    """The lines that support an answer by their words: those that name what was asked for come first."""
    found = []
    for line in ranked.nearest[:_MOST_JUDGED]:
        context = ranked.context(line)
        support = 0.0 if is_untranscribed(line) else word_support(question, line, context)
        if support >= THRESHOLD:
            named = coverage(question.terms, stems(line.text))
            found.append(Found(line, ranked.scores[line.id], support, named, context, ranked.stretch(line)))
    return sorted(found, key=lambda entry: (-entry.support - _NAMED_BONUS * entry.named, -entry.score, entry.line.id))[:_MOST_FOUND]
