"""Which declarations of attention an erasure takes along: those of people who go, and those of time of which nothing stays."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence

from stages.memory.attention import attention_store
from stages.memory.attention.attention_row import Attention
from stages.memory.attention.attention_tables import STRANGER
from stages.memory.attention.attention_timeline import timeline
from stages.memory.people.speaker_rows import SpeakerRow

Span = tuple[int, int]


def naming(connection: sqlite3.Connection, speaker: SpeakerRow) -> list[int]:
    """The numbers of declarations that name somebody: as whom was followed, or by name in a topic or a reason."""
    said = re.compile(rf"(?<!\w){re.escape(speaker.name)}(?!\w)", re.IGNORECASE)
    return [row.n for row in attention_store.rows(connection) if row.speaker == speaker.id or said.search(row.words)]


def inside(connection: sqlite3.Connection, spans: Mapping[str, Sequence[Span]]) -> list[int]:
    """The numbers of declarations of which everything that was heard while they counted lies in spans of session time (by session).

    One that never counted is judged by its own time. One of a time in which nothing was heard yet stays.
    """
    declared = attention_store.rows(connection)
    query = """
        SELECT s.id, s.started_at_ns,
            max(s.duration_ns, s.passed_ns, coalesce((SELECT max(l.end_ns) FROM lines l WHERE l.session = s.id), 0)) FROM sessions s
    """
    counted: dict[int, list[tuple[str, Span]]] = {}
    covered: dict[int, list[tuple[str, Span]]] = {}
    for session, started_ns, length_ns in connection.execute(query).fetchall():
        for span in timeline(declared, session, started_ns, started_ns + length_ns):
            part = (span.start_at_ns - started_ns, span.end_at_ns - started_ns)
            counted.setdefault(span.attention.n, []).append((session, part))
        for row in declared:
            for span in timeline([row], session, started_ns, started_ns + length_ns):
                part = (span.start_at_ns - started_ns, span.end_at_ns - started_ns)
                covered.setdefault(row.n, []).append((session, part))
    return [row.n for row in declared if _all_inside(counted.get(row.n) or covered.get(row.n, []), spans)]


def erase(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[str, int]:
    """Take declarations out, and those that name somebody of whom nothing is left; how many rows, by table."""
    gone = sum(connection.execute("DELETE FROM attentions WHERE n = ?", (n,)).rowcount for n in numbers)
    gone += connection.execute(f"DELETE FROM attentions AS a WHERE {STRANGER}").rowcount
    return {"attentions": gone}


def words_of(connection: sqlite3.Connection, numbers: Sequence[int]) -> set[str]:
    """The topics and reasons of declarations."""
    return {row.words for row in _numbered(connection, numbers) if row.words}


def _numbered(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Attention]:
    wanted = set(numbers)
    return [row for row in attention_store.rows(connection) if row.n in wanted]


def _all_inside(parts: Sequence[tuple[str, Span]], spans: Mapping[str, Sequence[Span]]) -> bool:
    return bool(parts) and all(any(start <= part[0] and part[1] <= end for start, end in spans.get(session, ())) for session, part in parts)
