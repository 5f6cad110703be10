"""Names of topics, made in sleep: the words that set an episode apart from all others of the memory."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stages.memory.granules import granule_values
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.sleeping.sleep import SleepStep
from stages.memory.sleeping.sleep_findings import due, settled

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_MOST_LINES = 2000
_MOST_TERMS = 1000
_MOST_CHARACTERS = 40


class NameTopics(SleepStep):
    """Gives each new or changed episode the name of its topic: its `n_words` most distinctive words.

    The weight of a term is c-TF-IDF (arXiv 2203.05794): tf * log(1 + A / f), where tf is how often it falls in the episode, f how often
    in all episodes named so far, this one included, and A the mean number of words of an episode. The frequencies are the memory's own
    and are kept up to date in a table, so naming reads the lines of one episode and nothing else.
    """

    name = "topics"

    def __init__(self, n_words: int = 3) -> None:
        if not 1 <= n_words <= 10:
            raise MemorySettingsError(f"topics: n_words must be 1 to 10, found {n_words}")
        self.n_words = n_words

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - a topic is known when its episode is
        """Name at most `limit` episodes in one transaction; how many were done, 0 when none is left."""
        # Reading and stemming an episode takes long, so it is done before the writer's place is taken.
        with memory.findings.database.reading() as connection:
            found = [(number, episode, *_terms(connection, episode)) for number, episode in due(connection, "topic", limit)]
        if found:
            with memory.findings.database.writing() as connection:
                for number, episode, counts, words in found:
                    if settled(connection, number):
                        self._name(connection, episode, counts, words)
        return len(found)

    def _name(self, connection: sqlite3.Connection, episode: str, counts: Counter[str], words: Mapping[str, str]) -> None:
        connection.execute("DELETE FROM topics WHERE event = ?", (episode,))
        if not counts:
            return
        kept = dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:_MOST_TERMS])
        new = (episode, "", json.dumps(kept, ensure_ascii=False, sort_keys=True))
        connection.execute("INSERT INTO topics (event, name, terms) VALUES (?, ?, ?)", new)
        n_topics, n_words = connection.execute("SELECT n_topics, n_words FROM topic_totals").fetchone()
        known = connection.execute(
            "SELECT t.term, t.n FROM json_each(?) w JOIN topic_terms t ON t.term = w.value", (json.dumps(list(kept), ensure_ascii=False),)
        )
        best = most_distinctive(kept, dict(known.fetchall()), n_words / n_topics)[: self.n_words]
        named = ", ".join(words[term] for term in best)
        connection.execute("UPDATE topics SET name = ? WHERE event = ?", (named, episode))
        # As of an earlier moment an episode has the name that it had before it grew.
        then = "INSERT OR REPLACE INTO topic_names (event, known_at_ns, name) SELECT id, ended_at_ns, ? FROM events WHERE id = ?"
        connection.execute(then, (named, episode))


def most_distinctive(counts: Mapping[str, int], everywhere: Mapping[str, int], mean_words: float) -> list[str]:
    """Terms by c-TF-IDF, the most distinctive first; of equal ones the first in the alphabet."""
    weights = {term: n * math.log1p(mean_words / everywhere[term]) for term, n in counts.items()}
    return sorted(weights, key=lambda term: (-round(weights[term], 9), term))


def _terms(connection: sqlite3.Connection, episode: str) -> tuple[Counter[str], dict[str, str]]:
    """How often each term falls in an episode, and the word that it mostly falls as."""
    # Not at the top: the memory must not need all of recall to be opened.
    from stages.recall.terms import content_words, stem

    rows, _ = granule_values.lines_of(connection, "episode", episode, None, _MOST_LINES)
    counts: Counter[str] = Counter()
    forms: dict[str, Counter[str]] = {}
    for text in _texts(connection, rows):
        for word in content_words(text):
            if len(word) > _MOST_CHARACTERS or (len(word) < 2 and word.isascii()) or word.isdigit():
                continue
            term = stem(word)
            counts[term] += 1
            forms.setdefault(term, Counter())[word] += 1
    return counts, {term: min(form, key=lambda word: (-form[word], word)) for term, form in forms.items()}


def _texts(connection: sqlite3.Connection, rows: Sequence[int]) -> list[str]:
    return [connection.execute("SELECT text FROM lines WHERE n = ?", (row,)).fetchone()[0] for row in rows]
