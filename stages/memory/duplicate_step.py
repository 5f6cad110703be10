"""Near-duplicates, found in sleep: events that say the same become copies of the earliest of them. Their lines stay."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from stages.memory import granule_values
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.sleep_findings import due, settled

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_NEAR = 8
_FEWEST_WORDS = 8
_MOST_LINES = 2000


class FindDuplicates:
    """Marks events that say the same as an earlier one: a recording that was heard or imported twice, a story told word for word.

    Compared are the eight nearest events by vector. Two are the same where the cosine is at least `min_cosine` and their words (how
    often each falls) overlap by at least `min_overlap` (shared over all); events of fewer than eight words are never: "yes, okay" says
    nothing. Nothing is dropped or changed; `LongTermMemory.findings` says which event is whose copy.
    """

    name = "duplicates"

    def __init__(self, min_cosine: float = 0.95, min_overlap: float = 0.8) -> None:
        for name, value in (("min_cosine", min_cosine), ("min_overlap", min_overlap)):
            if not 0.0 < value <= 1.0:
                raise MemorySettingsError(f"duplicates: {name} must be above 0 and at most 1, found {value}")
        self.min_cosine = min_cosine
        self.min_overlap = min_overlap

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - likeness does not change with time
        """Look at no more than `limit` events in one transaction; how many were done, 0 when none is left."""
        with memory.findings.database.reading() as connection:
            found = [(number, event, self._alike(memory, connection, event)) for number, event in due(connection, "duplicate", limit)]
        if not found:
            return 0
        with memory.findings.database.writing() as connection:
            for number, event, alike in found:
                if settled(connection, number):
                    _mark(connection, event, alike)
        return len(found)

    def _alike(self, memory: LongTermMemory, connection: sqlite3.Connection, event: str) -> dict[str, float]:
        row = connection.execute("SELECT vector FROM events WHERE id = ?", (event,)).fetchone()
        vector = np.frombuffer(row[0], dtype="<f4").astype(np.float32)
        if len(vector) != memory.encoder.dimension:
            return {}
        hits = memory.granules.nearest_events(vector, _NEAR + 1)
        near = [name for name, cosine in hits if name != event and cosine >= self.min_cosine]
        words = _words(connection, event) if near else Counter()
        if words.total() < _FEWEST_WORDS:
            return {}
        shares = {name: _overlap(words, _words(connection, name)) for name in near}
        return {name: round(share, 6) for name, share in shares.items() if share >= self.min_overlap}


def _mark(connection: sqlite3.Connection, event: str, alike: dict[str, float]) -> None:
    """An event and those like it are copies of the earliest among them and their originals."""
    connection.execute("DELETE FROM duplicates WHERE event = ?", (event,))
    again = "INSERT INTO sleep_due (task, event) SELECT 'duplicate', event FROM duplicates WHERE same_as = ? ON CONFLICT DO NOTHING"
    connection.execute(again, (event,))
    connection.execute("DELETE FROM duplicates WHERE same_as = ?", (event,))
    ranks: dict[str, tuple[int, str]] = {}
    for name in (event, *alike):
        row = connection.execute("SELECT same_as FROM duplicates WHERE event = ?", (name,)).fetchone()
        for member in (name, *(row or ())):
            known = connection.execute("SELECT ended_at_ns FROM events WHERE id = ?", (member,)).fetchone()
            if known is not None:
                ranks[member] = (known[0], member)
    if event not in ranks or len(ranks) < 2:
        return
    original = min(ranks.values())[1]
    for name in sorted(set(ranks) - {original}):
        connection.execute("UPDATE duplicates SET same_as = ? WHERE same_as = ?", (original, name))
        connection.execute(
            "INSERT INTO duplicates (event, same_as, likeness) VALUES (?, ?, ?)"
            " ON CONFLICT (event) DO UPDATE SET same_as = excluded.same_as, likeness = excluded.likeness",
            (name, original, alike.get(name, max(alike.values()))),
        )
    connection.execute("DELETE FROM duplicates WHERE event = ?", (original,))


def _words(connection: sqlite3.Connection, event: str) -> Counter[str]:
    rows, _ = granule_values.lines_of(connection, "event", event, None, _MOST_LINES)
    texts = (connection.execute("SELECT text FROM lines WHERE n = ?", (row,)).fetchone()[0] for row in rows)
    return Counter(word.strip(".,;:!?\"'()") for text in texts for word in text.casefold().split())


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    return (one & other).total() / max((one | other).total(), 1)
