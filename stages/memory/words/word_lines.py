"""Every line that has some words: for counting, where the best few will not do."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from stages.memory.words.term_counts import tokens

_QUERY = """
SELECT l.id FROM lines_fts CROSS JOIN lines l ON l.n = lines_fts.rowid
WHERE lines_fts MATCH ? AND l.copy_of IS NULL AND (? IS NULL OR l.ended_at_ns <= ?) ORDER BY lines_fts.rowid
"""


def lines_with(connection: sqlite3.Connection, words: Sequence[str], at_ns: int | None) -> list[str]:
    """The ids of the lines (no copies) that have all of some words after stemming, as they were stored; those that had ended by a moment.

    None of them where there is no word to look for.
    """
    asked = [word for word in words if tokens(word)]
    if not asked:
        return []
    match = " AND ".join('"' + word.replace('"', "") + '"' for word in asked)
    return [row[0] for row in connection.execute(_QUERY, (match, at_ns, at_ns))]
