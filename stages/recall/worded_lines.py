"""Lines that have the words of a question: those that are counted, that have its very words, or that name somebody."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Found, Material
from stages.recall.named_talkers import is_named
from stages.recall.plain_lines import as_said, as_they_are, spoken_around
from stages.recall.question import Question
from stages.recall.refusals import refusal_text
from stages.recall.salience import Vocabulary, best_lines
from stages.recall.scope import Scope
from stages.recall.terms import STOP_WORDS, coverage, singular, stems, tokens
from stages.recall.untranscribed import is_untranscribed

_MOST_NAMING = 12
_NOUN_COUNTED = re.compile(r"\b(?:words?|the|an?|my|our|your|his|her|their|was|were) ['\"]?[\w'-]+$", re.I)


class WordedLines:
    """Lines that are looked up by their words, whatever else they are like."""

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
        said = said_in_words(question, lines)
        if not said:
            return Outcome(Material(sessions=scope.sessions), tuple(line.id for line in lines), refused=refusal_text(question, None, scope))
        lines = _in_form(question, said) or said
        found = tuple(as_said(line) for line in sorted(lines, key=lambda line: (line.session, line.start_ns, line.id)))
        spans = tuple((line.session, line.start_ns, line.end_ns) for line in lines)
        return Outcome(Material(found=found, sessions=scope.sessions), tuple(line.id for line in lines), spans=spans)

    def with_words(self, question: Question, scope: Scope) -> Outcome | None:
        """Every line in the scope with the very words that a question wants, by start; None where it wants none or nobody said them."""
        words = tokens(question.very_words)
        lines = [line for line in self._lookup.memory.lines_saying(words, at=self._lookup.at) if scope.allows(line)] if words else []
        return as_they_are([line for line in lines if _has_in_a_row(tokens(line.text), words)], scope)

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
        best = best_lines(lines, Vocabulary(lines), _MOST_NAMING) if lines else []
        best = sorted(best, key=lambda line: (scope.sessions[line.session].moment(line.start_ns), line.id))
        around = spoken_around(self._lookup, best)
        return [as_said(line, around.get(line.id, ())) for line in best]


def said_in_words(question: Question, lines: Sequence[LineRow]) -> list[LineRow]:
    """The lines that say the words themselves: a line is found by its speaker's name too, and what Tom says mentions no Tom by that."""
    own = {who: [term for term in question.terms if term in stems(who)] for who in {speaker_of(line) for line in lines}}
    return [line for line in lines if not own[speaker_of(line)] or coverage(own[speaker_of(line)], stems(line.text)) == 1.0]


def _has_in_a_row(said: Sequence[str], words: Sequence[str]) -> bool:
    """Whether some words stand side by side among those that were said."""
    return any(list(said[place : place + len(words)]) == list(words) for place in range(len(said) - len(words) + 1))


def _in_form(question: Question, lines: Sequence[LineRow]) -> list[LineRow]:
    """The lines with the very noun that is counted, in the singular or the plural: who books a table mentions no book."""
    words = question.gist.split()
    if len(words) != 1 or _NOUN_COUNTED.search(question.text[: _end_of(words[0], question.text)]) is None:
        return []
    noun = singular(words[0])
    return [line for line in lines if noun in map(singular, tokens(line.text))]


def _end_of(word: str, text: str) -> int:
    return text.lower().rfind(word) + len(word)
