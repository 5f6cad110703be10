"""The declarations of a memory: made, listed, cleared."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from stages.memory.attention.attention_row import Attention, AttentionError, checked
from stages.memory.people.given_names import is_automatic
from stages.memory.tables.database import Database
from stages.memory.tables.row_writer import utc_ns

_ROWS = """
SELECT a.kind, a.start_at_ns, a.end_at_ns, a.session, a.azimuth_deg, a.speaker, a.words, a.n, coalesce(p.name, a.speaker)
FROM attentions a LEFT JOIN speakers p ON p.id = a.speaker
WHERE :at IS NULL OR a.start_at_ns <= :at ORDER BY a.start_at_ns, a.n
"""


class AttentionStore:
    """The part of a long-term memory that knows what the user said to have followed; `LongTermMemory.attention` is one.

    A declaration is of the room's time: as of a moment those that begin later are not seen, whenever they were made.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def declare(self, attentions: Sequence[Attention]) -> list[Attention]:
        """Store declarations, all or none, in one transaction; as they are stored. Raises AttentionError for what cannot be."""
        made = []
        with self._database.writing() as connection:
            for attention in map(checked, attentions):
                if attention.session is not None and not _has_session(connection, attention.session):
                    raise AttentionError(f"session {attention.session!r} is not in this memory; `echoic sessions` lists them")
                cursor = connection.execute(
                    "INSERT INTO attentions (session, start_at_ns, end_at_ns, kind, azimuth_deg, speaker, words)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        attention.session,
                        attention.start_at_ns,
                        attention.end_at_ns,
                        attention.kind,
                        attention.azimuth_deg,
                        attention.speaker,
                        attention.words,
                    ),
                )
                made.append(int(cursor.lastrowid or 0))
            stored = {attention.n: attention for attention in rows(connection)}
        return [stored[n] for n in made]

    def clear(self, attention_id: str) -> Attention:
        """Take a declaration back; what it said. Raises AttentionError with what is near."""
        with self._database.writing() as connection:
            known = {attention.id: attention for attention in rows(connection)}
            if attention_id not in known:
                near = difflib.get_close_matches(attention_id, known, n=3, cutoff=0.6)
                hint = f"did you mean {' or '.join(near)}?" if near else f"there are {len(known)};"
                raise AttentionError(f"declaration {attention_id!r} is not in this memory; {hint} `echoic attend --list` lists them")
            connection.execute("DELETE FROM attentions WHERE n = ?", (known[attention_id].n,))
        return known[attention_id]

    def rows(self, *, at: datetime | None = None) -> list[Attention]:
        """Everything declared, by start; as of a moment what began by then. Speakers have the name that they have now."""
        with self._database.reading() as connection:
            return rows(connection, None if at is None else utc_ns(at))


def rows(connection: sqlite3.Connection, at_ns: int | None = None) -> list[Attention]:
    """Everything declared that began by a moment, by start and number."""
    found = [Attention(*row) for row in connection.execute(_ROWS, {"at": at_ns})]
    # An id such as speaker-1@SESSION is of one whose name came with a transcript, and who is called speaker-1 there.
    return [replace(row, name=row.name.split("@")[0]) if row.name and is_automatic(row.name) else row for row in found]


def follow(connection: sqlite3.Connection, speaker: str, becomes: str) -> None:
    """What was declared of one speaker is of another id from now on: they were merged, or got an id of this memory."""
    connection.execute("UPDATE attentions SET speaker = ? WHERE speaker = ?", (becomes, speaker))


def _has_session(connection: sqlite3.Connection, session: str) -> bool:
    return connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session,)).fetchone() is not None
