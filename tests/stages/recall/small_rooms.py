"""Rooms of a few lines made by hand, in a memory of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, SessionRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.answers import Answer
from stages.recall.hybrid_recall import HybridRecall

STARTED = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
"""When the last of the sessions began; the one before it began a day earlier, and so on."""

Ask = Callable[..., Answer]


@contextmanager
def asking(encoder: TextEncoder, sessions: Mapping[str, Sequence[LineRow]]) -> Iterator[Ask]:
    """A function that answers a question to some sessions, which two minutes were heard of, `now` being two minutes after the start."""
    memory = LongTermMemory(encoder)
    memory.start()
    for age, (name, rows) in zip(reversed(range(len(sessions))), sessions.items(), strict=True):
        memory.begin_session(SessionRow(name, "made", STARTED - timedelta(days=age), 0, "circle", False))
        memory.add_rows(name, list(rows), encoder.encode([row.text for row in rows]), max(row.end_ns for row in rows))
        memory.finish_session(name, 120 * 10**9)
    recall = HybridRecall(memory, encoder, Extractive(encoder))

    def ask(text: str, at: datetime | None = None) -> Answer:
        return recall.ask(text, at=at, now=at or STARTED + timedelta(minutes=2))

    yield ask
    memory.stop()
