"""How often a word stands in each line, read from the index of words itself: no line's text is looked at."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from functools import lru_cache

_TOKENIZER = "porter unicode61"
"""That of `lines_fts` (schema.py)."""
_INSTANCES = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.line_terms USING fts5vocab ('main', 'lines_fts', 'instance')"
_AT_ONCE = 500
_tokens_lock = threading.Lock()


def attach(connection: sqlite3.Connection) -> None:
    """Let a connection see the words of lines one by one; before it is made one that only queries."""
    connection.execute(_INSTANCES)


@lru_cache(maxsize=4096)
def tokens(word: str) -> tuple[str, ...]:
    """What FTS5 makes of a word: mostly one stem; of "don't" two, of a mark none."""
    with _tokens_lock:
        scratch = sqlite3.connect(":memory:")
        try:
            scratch.execute(f"CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = '{_TOKENIZER}')")
            scratch.execute("CREATE VIRTUAL TABLE terms USING fts5vocab ('words', 'instance')")
            scratch.execute("INSERT INTO words (text) VALUES (?)", (word,))
            return tuple(row[0] for row in scratch.execute("SELECT term FROM terms ORDER BY offset"))
        finally:
            scratch.close()


def counts_of(connection: sqlite3.Connection, term: str, last: int) -> dict[int, int]:
    """How often a term (as `tokens` gives it) stands in each of the lines up to a row number, by row.

    FTS5 keeps the places of a term by row, so nothing after `last` is read.
    """
    counts: dict[int, int] = {}
    cursor = connection.execute("SELECT doc FROM temp.line_terms WHERE term = ?", (term,))
    for (row,) in cursor:
        if row > last:
            break
        counts[row] = counts.get(row, 0) + 1
    cursor.close()
    return counts


def lengths_of(connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, int]:
    """How many words FTS5 counted in some lines, by row."""
    lengths: dict[int, int] = {}
    for first in range(0, len(rows), _AT_ONCE):
        part = ",".join(str(row) for row in rows[first : first + _AT_ONCE])
        found = connection.execute(f"SELECT id, sz FROM lines_fts_docsize WHERE id IN ({part})")
        lengths.update((row, _varint(size)) for row, size in found)
    return lengths


def _varint(encoded: bytes) -> int:
    """The first number of FTS5's record: seven bits a byte, the highest first; the eighth bit says that another follows."""
    number = 0
    for byte in encoded:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return number
