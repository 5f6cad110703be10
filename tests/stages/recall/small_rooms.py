"""Rooms of a few lines made by hand, in a memory of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pipeline.packets import Event
from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, SessionRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.answers import Answer
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.reader import Reader

STARTED = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
"""When the last of the sessions began; the one before it began a day earlier, and so on."""

Ask = Callable[..., Answer]


@contextmanager
def asking(encoder: TextEncoder, sessions: Mapping[str, Sequence[LineRow]], reader: Reader | None = None) -> Iterator[Ask]:
    """A function that answers a question to some sessions, which two minutes were heard of, `now` being two minutes after the start.

    The event of a line is made of all lines that name it.
    """
    memory = LongTermMemory(encoder)
    memory.start()
    for age, (name, rows) in zip(reversed(range(len(sessions))), sessions.items(), strict=True):
        memory.begin_session(SessionRow(name, "made", STARTED - timedelta(days=age), 0, "circle", False))
        memory.add_rows(name, list(rows), encoder.encode([row.text for row in rows]), max(row.end_ns for row in rows))
        for event in dict.fromkeys(row.event for row in rows if row.event is not None):
            memory.add_event(name, _event(event, [row for row in rows if row.event == event], encoder))
        memory.finish_session(name, 120 * 10**9)
    recall = HybridRecall(memory, encoder, Extractive(encoder), reader=reader)

    def ask(text: str, at: datetime | None = None) -> Answer:
        return recall.ask(text, at=at, now=at or STARTED + timedelta(minutes=2))

    yield ask
    memory.stop()


def _event(name: str, rows: Sequence[LineRow], encoder: TextEncoder) -> Event:
    start_ns, end_ns = min(row.start_ns for row in rows), max(row.end_ns for row in rows)
    return Event(
        pts_ns=start_ns,
        duration_ns=end_ns - start_ns,
        name=name,
        lines=tuple(row.id.removeprefix(f"{row.session}-") for row in rows),
        tracks=tuple(sorted({row.track for row in rows})),
        reason="the topic changed",
        surprise=1.0,
        summary=rows[0].text,
        embedding=encoder.encode([rows[0].text])[0],
    )
