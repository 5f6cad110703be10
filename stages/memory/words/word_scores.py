"""Scores of lines by words as of a moment: bm25 from what had been said by then, since FTS5's own knows all that came later."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

from stages.memory.words.term_counts import counts_of, lengths_of, tokens

_K1, _B = 1.2, 0.75
_MOST_COUNTED = 50_000
_BLOCK_BITS = 10

_MATCHING = """
SELECT lines_fts.rowid, length(highlight(lines_fts, 0, char(1), '')) - length(l.text)
FROM lines_fts CROSS JOIN lines l ON l.n = lines_fts.rowid
WHERE lines_fts MATCH ? AND lines_fts.rowid BETWEEN ? AND ? ORDER BY lines_fts.rowid
"""
# Each time that the phrase stands there, one character is put before it.


def last_row_until(connection: sqlite3.Connection, at_ns: int) -> int:
    """The greatest number of a line that had ended by a moment, 0 where there is none: lines that came later count no words.

    A thousand rows at a time are ruled out (`index_tables.LINE_BLOCKS`): lines mostly come in the order of their ends, but imports do not.
    """
    blocks = connection.execute("SELECT block FROM line_blocks WHERE first_ended_at_ns <= ? ORDER BY block DESC", (at_ns,))
    inside = "SELECT max(n) FROM lines WHERE n BETWEEN ? AND ? AND ended_at_ns <= ?"
    for (block,) in blocks:
        (row,) = connection.execute(inside, (block << _BLOCK_BITS, ((block + 1) << _BLOCK_BITS) - 1, at_ns)).fetchone()
        if row is not None:
            return int(row)
    return 0


def scored_until(connection: sqlite3.Connection, words: Sequence[str], first: int, last: int, at_ns: int) -> list[tuple[int, float]]:
    """Lines among some row numbers that had ended by a moment and have one of some words, best first.

    Okapi bm25 (Robertson and Zaragoza 2009) with FTS5's constants, k1 1.2 and b 0.75. How often a word occurs, how many lines there
    are (at most 50,000 count) and how long they are on average is told from lines that had ended by then alone.
    """
    counted = "SELECT count(*) FROM (SELECT 1 FROM lines WHERE ended_at_ns <= ? LIMIT ?)"
    (n_lines,) = connection.execute(counted, (at_ns, _MOST_COUNTED)).fetchone()
    found = [_counts(connection, word, first, last) for word in words]
    rows = set().union(*found)
    rows -= _not_ended(connection, rows, at_ns)
    lengths = lengths_of(connection, sorted(rows))
    mean = sum(lengths.values()) / max(len(lengths), 1) or 1.0
    scores: dict[int, float] = {}
    for counts in found:
        here = {row: n_times for row, n_times in counts.items() if row in lengths}
        rarity = max(math.log((n_lines - len(here) + 0.5) / (len(here) + 0.5)), 1e-6) if here else 0.0
        for row, n_times in here.items():
            weight = n_times * (_K1 + 1) / (n_times + _K1 * (1 - _B + _B * lengths[row] / mean))
            scores[row] = scores.get(row, 0.0) + rarity * weight
    return sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))


def _counts(connection: sqlite3.Connection, word: str, first: int, last: int) -> dict[int, int]:
    """How often a word stands in each of the lines among some row numbers, by row."""
    terms = tokens(word)
    if len(terms) == 1 and first <= 1:
        return counts_of(connection, terms[0], last)
    return dict(connection.execute(_MATCHING, (f'"{word}"', first, last)).fetchall())


def _not_ended(connection: sqlite3.Connection, rows: set[int], at_ns: int) -> set[int]:
    """Those of some rows that had not ended by a moment. Most blocks of a thousand rows had, wholly, and are not looked into."""
    blocks: dict[int, list[int]] = {}
    for row in rows:
        blocks.setdefault(row >> _BLOCK_BITS, []).append(row)
    open_ = "SELECT 1 FROM line_blocks WHERE block = ? AND last_ended_at_ns > ?"
    ended = "SELECT ended_at_ns FROM lines WHERE n = ?"
    later: set[int] = set()
    for block, inside in blocks.items():
        if connection.execute(open_, (block, at_ns)).fetchone() is not None:
            later.update(row for row in inside if connection.execute(ended, (row,)).fetchone()[0] > at_ns)
    return later
