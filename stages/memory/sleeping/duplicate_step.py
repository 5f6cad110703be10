"""Near-duplicates, found in sleep: events that say the same become copies of the earliest of them. Their lines stay."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from stages.memory.granules import granule_values
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.sleeping.sleep import SleepStep
from stages.memory.sleeping.sleep_findings import due, original_of, settled

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_NEAR = 8
_FEWEST_WORDS = 8
_MOST_LINES = 2000


class FindDuplicates(SleepStep):
    """Marks events that say the same as an earlier one: a recording that was heard or imported twice, a story told word for word.

    Compared are the eight nearest by vector of the events that were known before it, and of those that came later the ones that were
    looked at already: it makes no difference when sleep comes. Two are the same where the cosine is at least `min_cosine` and their
    words (how often each falls) overlap by at least `min_overlap` (shared over all); events of fewer than eight words are never: "yes,
    okay" says nothing. Nothing is dropped or changed; `LongTermMemory.findings` says which event is whose copy.
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
        blob, known_at_ns = connection.execute("SELECT vector, ended_at_ns FROM events WHERE id = ?", (event,)).fetchone()
        vector = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        if len(vector) != memory.encoder.dimension:
            return {}
        earlier, later = memory.granules.neighbours(vector, _NEAR, event, known_at_ns)
        near = [name for name, cosine in earlier if cosine >= self.min_cosine]
        near += [name for name, cosine in later if cosine >= self.min_cosine and not _is_due(connection, name)]
        words = _words(connection, event) if near else Counter()
        if words.total() < _FEWEST_WORDS:
            return {}
        shares = {name: _overlap(words, _words(connection, name)) for name in near}
        return {name: round(share, 6) for name, share in shares.items() if share >= self.min_overlap}


def _mark(connection: sqlite3.Connection, event: str, alike: dict[str, float]) -> None:
    """An event and those like it are copies of the earliest among them and their originals, each since the later of two was known."""
    relations = "(same_as = :event OR since = :event)"
    again = f"INSERT INTO sleep_due (task, event) SELECT 'duplicate', event FROM duplicates WHERE {relations} ON CONFLICT DO NOTHING"
    connection.execute(again, {"event": event})
    connection.execute(f"DELETE FROM duplicates WHERE event = :event OR {relations}", {"event": event})
    ranks = granule_values.ranks_of(connection, [event, *alike])
    if event not in ranks:
        return
    here = ranks.pop(event)
    for other, rank in sorted(ranks.items(), key=lambda entry: max(entry[1], here)):
        ends = granule_values.ranks_of(connection, [original_of(connection, event), original_of(connection, other)])
        original, copy = min(ends.values())[1], max(ends.values())[1]
        if original != copy:
            later = max(rank, here)[1]
            connection.execute(
                "INSERT INTO duplicates (event, same_as, likeness, since) VALUES (?, ?, ?, ?)",
                (copy, original, alike[other], later if later != copy else None),
            )


def _is_due(connection: sqlite3.Connection, event: str) -> bool:
    return connection.execute("SELECT 1 FROM sleep_due WHERE event = ? AND task = 'duplicate'", (event,)).fetchone() is not None


def _words(connection: sqlite3.Connection, event: str) -> Counter[str]:
    rows, _ = granule_values.lines_of(connection, "event", event, None, _MOST_LINES)
    texts = (connection.execute("SELECT text FROM lines WHERE n = ?", (row,)).fetchone()[0] for row in rows)
    return Counter(word.strip(".,;:!?\"'()") for text in texts for word in text.casefold().split())


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    return (one & other).total() / max((one | other).total(), 1)
