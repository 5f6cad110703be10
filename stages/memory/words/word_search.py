"""Search by words with bounded work: the rarest words of a question first, and no more rows than a budget."""

from __future__ import annotations

import re
import sqlite3

import numpy as np
import numpy.typing as npt

from stages.memory.tables import row_filters
from stages.memory.words import word_scores
from stages.memory.words.words_query import telling_words

_BUDGET = 3000
_COUNTED_TO = (300, 1000, _BUDGET + 1)
_MOST_WORDS = 24
_NEWEST = 2000
_LEAST_AT_ONCE, _MOST_AT_ONCE = 50, 500
_LIMIT_FACTOR = 4
_TOKEN = re.compile(r"[^\W_]")

Rows = npt.NDArray[np.int64]


def search_words(
    connection: sqlite3.Connection, query: str, k: int, at_ns: int | None, allowed: Rows | None = None
) -> list[tuple[str, float]]:
    """Lines (not copies) with the most telling words of a text, best first, with -bm25 (Robertson and Zaragoza 2009).

    The rarest words count, as many as have 3,000 rows together: what a word says grows with its rarity, and what it costs
    falls. Where even the rarest has more, the newest 2,000 lines with the two rarest words (then with the rarest) are ranked.
    With `allowed` (row numbers, int64, rising), only those lines are searched. As of a moment, words are counted and lines
    scored as if nothing had come since.
    """
    if at_ns is not None:
        allowed = row_filters.rows_until(connection, at_ns) if allowed is None else row_filters.ended(connection, allowed, at_ns)
    words = [word for word in telling_words(query) if _TOKEN.search(word)][:_MOST_WORDS]
    first, last = (0, 2**62) if allowed is None else (int(allowed[0]), int(allowed[-1])) if len(allowed) else (1, 0)
    if at_ns is not None and allowed is None:
        last = word_scores.last_row_until(connection, at_ns)
    ranked = sorted(entry for entry in _counted(connection, words, first, last) if entry[0])
    if not ranked:
        return []
    chosen, total = [], 0
    for count, _, word in ranked:
        total += count
        if total > _BUDGET:
            break
        chosen.append(word)
    if chosen and at_ns is not None:
        found = word_scores.scored_until(connection, chosen, first, last, at_ns)
    elif chosen:
        # Hits that are filtered afterwards are all needed.
        most = -1 if allowed is not None else _LIMIT_FACTOR * k
        found = _scored(connection, " OR ".join(_quoted(word) for word in chosen), first, last, most)
    else:
        found = _newest(connection, [_quoted(word) for _, _, word in ranked[:2]], first, last)
    if allowed is not None:
        inside = set(allowed.tolist())
        found = [entry for entry in found if entry[0] in inside]
    return _named(connection, found, k, at_ns)


def _counted(connection: sqlite3.Connection, words: list[str], first: int, last: int) -> list[tuple[int, int, str]]:
    """How many lines hold each word, with its place; counted no further than decides which words are chosen.

    A few lines of each word are counted, then more of those that have more: once the rare ones leave no room for the others, how
    common these are makes no difference, and they stand as over the budget.
    """
    query = """
        SELECT count(*), max(rowid) FROM
            (SELECT rowid FROM lines_fts WHERE lines_fts MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?)
    """
    counts, begins = dict.fromkeys(words, 0), dict.fromkeys(words, first)
    common = list(words)
    for most in _COUNTED_TO:
        for word in common:
            n_more, latest = connection.execute(query, (_quoted(word), begins[word], last, most - counts[word])).fetchone()
            counts[word] += n_more
            begins[word] = begins[word] if latest is None else latest + 1
        common = [word for word in common if counts[word] == most]
        if sum(counts[word] for word in words if word not in common) + most > _BUDGET:
            break
    counts.update(dict.fromkeys(common, _BUDGET + 1))
    return [(counts[word], place, word) for place, word in enumerate(words)]


def _scored(connection: sqlite3.Connection, match: str, first: int, last: int, most: int) -> list[tuple[int, float]]:
    query = """
        SELECT rowid, -bm25(lines_fts) AS score FROM lines_fts WHERE lines_fts MATCH ? AND rowid BETWEEN ? AND ?
        ORDER BY score DESC, rowid LIMIT ?
    """
    return connection.execute(query, (match, first, last, most)).fetchall()


def _newest(connection: sqlite3.Connection, quoted: list[str], first: int, last: int) -> list[tuple[int, float]]:
    """The newest lines with all of the words, then those with the first of them: bm25 would read every line that has one."""
    query = "SELECT rowid FROM lines_fts WHERE lines_fts MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?"
    found: dict[int, float] = {}
    for match in (" AND ".join(quoted), quoted[0]):
        for (row,) in connection.execute(query, (match, first, last, _NEWEST)):
            found.setdefault(row, 1.0 / (1.0 + len(found)))
    return list(found.items())


def _named(connection: sqlite3.Connection, found: list[tuple[int, float]], k: int, at_ns: int | None) -> list[tuple[str, float]]:
    """The first `k` that are no copies and had ended by then."""
    hits: list[tuple[str, float]] = []
    # Few lines are copies: mostly the first `k` are the ones.
    size = min(max(k, _LEAST_AT_ONCE), _MOST_AT_ONCE)
    for start in range(0, len(found), size):
        part = found[start : start + size]
        query = (
            f"SELECT n, id FROM lines WHERE n IN ({','.join(str(row) for row, _ in part)})"
            " AND copy_of IS NULL AND (:at IS NULL OR ended_at_ns <= :at)"
        )
        names = dict(connection.execute(query, {"at": at_ns}).fetchall())
        hits += [(names[row], score) for row, score in part if row in names]
        if len(hits) >= k:
            break
    return hits[:k]


def _quoted(word: str) -> str:
    return f'"{word}"'
