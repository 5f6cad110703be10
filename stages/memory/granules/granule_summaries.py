"""Summaries and topics as keys, made in sleep: an event is found by its gist as well as by the mean of its lines."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import numpy as np

from stages.memory.granules.granule_keys import put
from stages.memory.granules.granule_moments import SAME
from stages.memory.sleeping.sleep import SleepStep

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_ENCODED_AT_ONCE = 64

_TEXTS = """
SELECT 'summary', summary, vector FROM events WHERE id = :event
UNION ALL SELECT 'topic', t.name, e.vector FROM topics t JOIN events e ON e.id = t.event WHERE t.event = :event
"""


class SummaryKeys(SleepStep):
    """Encodes the summaries of events, episodes and days, and the names of their topics, where they have no key yet or another text.

    Of an event of one line the summary is the line: such a key would say nothing new, so there is none.
    """

    name = "summary keys"

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - a summary is known when its event is
        """Encode the texts of at most `limit` events in one transaction; how many were done, 0 when none is left.

        The memory's encoder must be started.
        """
        query = "SELECT n, level, value, known_at_ns FROM keys WHERE summary_due = 1 ORDER BY n LIMIT ?"
        with memory.granules.database.reading() as connection:
            rows = connection.execute(query, (min(limit, _ENCODED_AT_ONCE),)).fetchall()
            told = {value: _texts(connection, value) for _, _, value, _ in rows}
        texts = sorted({text for found in told.values() for text, _ in found.values()})
        vectors = dict(zip(texts, memory.encoder.encode(texts), strict=True)) if texts else {}
        if not rows:
            return 0
        with memory.granules.database.writing() as connection:
            for number, level, value, known_at_ns in rows:
                if _texts(connection, value) != told[value]:
                    continue
                for kind, (text, blob) in told[value].items():
                    own, vector = np.frombuffer(blob, dtype="<f4"), vectors[text]
                    if not (len(own) == len(vector) and float(own @ vector) > SAME):
                        put(connection, level, kind, value, vector, known_at_ns)
                connection.execute("UPDATE keys SET summary_due = 0 WHERE n = ?", (number,))
        return len(rows)


def _texts(connection: sqlite3.Connection, event: str) -> dict[str, tuple[str, bytes]]:
    """The summary and the topic of an event, each with the event's own vector; those that say nothing are left out."""
    return {kind: (text, blob) for kind, text, blob in connection.execute(_TEXTS, {"event": event}) if text.strip()}
