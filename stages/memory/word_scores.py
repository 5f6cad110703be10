"""Scores of lines by words as of a moment: bm25 from what had been said by then, since FTS5's own knows all that came later."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

_K1, _B = 1.2, 0.75
_MOST_COUNTED = 50_000

_MATCHING = """
SELECT lines_fts.rowid, length(highlight(lines_fts, 0, char(1), '')) - length(l.text), d.sz
FROM lines_fts CROSS JOIN lines l ON l.n = lines_fts.rowid CROSS JOIN lines_fts_docsize d ON d.id = lines_fts.rowid
WHERE lines_fts MATCH ? AND lines_fts.rowid BETWEEN ? AND ? AND l.ended_at_ns <= ? ORDER BY lines_fts.rowid
"""
# Each time that the word stands there, one character is put before it. `sz` is FTS5's own count of a line's words.


def last_row_until(connection: sqlite3.Connection, at_ns: int) -> int:
    """The greatest number of a line that had ended by a moment, 0 where there is none: lines that came later count no words.

    A thousand rows at a time are ruled out (`index_tables.LINE_BLOCKS`): lines mostly come in the order of their ends, but imports do not.
    """
    blocks = connection.execute("SELECT block FROM line_blocks WHERE first_ended_at_ns <= ? ORDER BY block DESC", (at_ns,))
    inside = "SELECT max(n) FROM lines WHERE n BETWEEN ? AND ? AND ended_at_ns <= ?"
    for (block,) in blocks:
        (row,) = connection.execute(inside, (block << 10, (block << 10) + 1023, at_ns)).fetchone()
        if row is not None:
            return int(row)
    return 0


def scored_until(connection: sqlite3.Connection, words: Sequence[str], first: int, last: int, at_ns: int) -> list[tuple[int, float]]:
    """Lines among some row numbers that had ended by a moment and have one of some (quoted) words, best first.

    Okapi bm25 (Robertson and Zaragoza 2009) with FTS5's constants, k1 1.2 and b 0.75. How often a word occurs, how many lines there
    are (at most 50,000 count) and how long they are on average is told from lines that had ended by then alone.
    """
    counted = "SELECT count(*) FROM (SELECT 1 FROM lines WHERE ended_at_ns <= ? LIMIT ?)"
    (n_lines,) = connection.execute(counted, (at_ns, _MOST_COUNTED)).fetchone()
    found: list[list[tuple[int, int]]] = []
    lengths: dict[int, int] = {}
    for word in words:
        rows = connection.execute(_MATCHING, (word, first, last, at_ns)).fetchall()
        found.append([(row, n_times) for row, n_times, _ in rows])
        lengths.update((row, _varint(size)) for row, _, size in rows)
    mean = sum(lengths.values()) / max(len(lengths), 1) or 1.0
    scores: dict[int, float] = {}
    for rows_of_word in found:
        rarity = max(math.log((n_lines - len(rows_of_word) + 0.5) / (len(rows_of_word) + 0.5)), 1e-6) if rows_of_word else 0.0
        for row, n_times in rows_of_word:
            weight = n_times * (_K1 + 1) / (n_times + _K1 * (1 - _B + _B * lengths[row] / mean))
            scores[row] = scores.get(row, 0.0) + rarity * weight
    return sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))


def _varint(encoded: bytes) -> int:
    """The first number of FTS5's record: seven bits a byte, the highest first; the eighth bit says that another follows."""
    number = 0
    for byte in encoded:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return number
