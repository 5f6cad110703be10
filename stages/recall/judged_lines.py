"""Lines that are judged one by one: found by likeness and words, and kept where they support an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stages.memory.memory_errors import MemoryError_
from stages.memory.rows import LineRow
from stages.recall.fact_lines import lines_with_fact
from stages.recall.lookup import Lookup
from stages.recall.material import Found
from stages.recall.plain_lines import spoken_around
from stages.recall.question import Question
from stages.recall.reported import reported
from stages.recall.scope import Scope
from stages.recall.search import Ranked, queries_of
from stages.recall.support import THRESHOLD, word_support
from stages.recall.taken_back import with_corrections
from stages.recall.terms import coverage, stems
from stages.recall.topic_lines import encoded_texts, lines_about
from stages.recall.untranscribed import is_untranscribed

_MOST_JUDGED = 16
_NAMED_BONUS = 0.25
_MOST_FOUND = 12


class JudgedLines:
    """Searches the lines that a question allows, and judges which of them answer it."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def search(self, question: Question, scope: Scope) -> tuple[list[Found], Sequence[LineRow]]:
        """The lines that answer, the best first, and all that were looked at."""
        ranked = self.ranked(question, scope)
        return self.judged(question, ranked), ranked.lines

    def ranked(self, question: Question, scope: Scope) -> Ranked:
        """All lines that a question is searched in, the likest first, before any is judged."""
        searcher = self._lookup.searcher
        if self._lookup.has_encoder:
            # Together these take less time than one after another.
            searcher.encode(encoded_texts(question))
        return searcher.search(question.topic, question.gist, scope)

    def judged(self, question: Question, ranked: Ranked) -> list[Found]:
        """The lines that support an answer, the best first, with what was said around them."""
        if question.about_speech or not self._lookup.has_encoder:
            found = self.about(question, ranked)[:_MOST_FOUND]
        else:
            found = lines_with_fact(question, ranked, self._lookup.reader, self._lookup.opinion)[:_MOST_FOUND]
        if question.teller:
            found = reported(question, found, ranked)
        around = spoken_around(self._lookup, [entry.line for entry in found])
        return [replace(entry, talk=around.get(entry.line.id, ())) for entry in found]

    def about(self, question: Question, ranked: Ranked, least: float = THRESHOLD, *, every: bool = False) -> list[Found]:
        """The lines that are about what a question asks, as `lines_about` tells them; without an encoder those that have its words."""
        if not self._lookup.has_encoder:
            return _by_words(question, ranked)
        lookup = self._lookup
        return lines_about(question, ranked, lookup.searcher.encode, lookup.reader, lookup.opinion, least, every=every)

    def came_up(self, question: Question, scope: Scope, least: float) -> float:
        """How surely a topic came up, 0 to 1: the support of the best line on it; 0 below `least`, where nobody said its words."""
        found = self.about(question, self.ranked(question, scope), least)
        return max((1.0 if entry.named == 1.0 else entry.support for entry in found), default=0.0)

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
