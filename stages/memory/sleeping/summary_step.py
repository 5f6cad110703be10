"""Summaries, made in sleep in a model's own words where one is configured; else those in the speakers' words stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stages.memory.granules import granule_values
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.rows import LineRow
from stages.memory.sleeping.episode_rows import SETTLED_NS, WORDED_BY
from stages.memory.sleeping.sleep import SleepStep
from stages.memory.sleeping.sleep_findings import settled
from stages.memory.tables import provenance, row_reader

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

Write = Callable[[Sequence[LineRow]], "str | None"]
"""A summary of lines in other words, checked against them; None where there is none that holds. May raise CannotWriteError."""

_MOST_LINES = 2000
_MOST_NOTES = 12


class CannotWriteError(RuntimeError):
    """What writes summaries cannot be reached now: what is due stays so."""


class Summarise(SleepStep):
    """Tells each finished episode anew when it is due: because it is new, has changed, or names people who have other names now.

    The summary is extractive (the words of the events whose lines mattered most) unless `write` makes a better one; at most `budget`
    episodes are written by it for each Summarise, what is left waits for the next sleep, and so does everything while it cannot be
    reached. Without `write`, a summary that a model once wrote is only taken back when it is due: its names would be wrong (labels
    corrected backwards by later evidence, as in BiMem, ICCV 2023).
    """

    name = "summaries"

    def __init__(self, write: Write | None = None, budget: int = 32) -> None:
        if budget < 1:
            raise MemorySettingsError(f"summaries: budget must be at least 1, found {budget}")
        self.write = write
        self.left = budget
        self.waits = False

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:
        """Tell at most `limit` episodes (with a model: one, since that takes seconds); how many were done, 0 when none is left."""
        with memory.findings.database.reading() as connection:
            query = (
                "SELECT d.n, d.event FROM sleep_due d JOIN events e ON e.id = d.event"
                " WHERE d.task = 'summary' AND e.ended_at_ns <= ? ORDER BY d.n LIMIT ?"
            )
            is_due = connection.execute("SELECT 1 FROM sleep_due WHERE task = 'summary' LIMIT 1").fetchone() is not None
            at_most = min(limit, 1) if self.write is not None else limit
            found = connection.execute(query, (at_ns - SETTLED_NS, at_most)).fetchall()
            # Without a model the speakers' own words stand there already.
            self.waits = self.write is not None and is_due and (not found or self.left < 1)
            if self.waits:
                return 0
            told = [(number, episode, *_told(connection, episode, self.write is not None)) for number, episode in found]
        for number, episode, extract, notes in told:
            worded = None
            if self.write is not None and notes:
                self.left -= 1
                try:
                    worded = self.write(notes)
                except CannotWriteError:
                    self.waits = True
                    return 0
            with memory.findings.database.writing() as connection:
                if settled(connection, number):
                    _store(connection, episode, worded, extract, notes)
        return len(found)


def _told(connection: sqlite3.Connection, episode: str, is_written: bool) -> tuple[str, list[LineRow]]:
    """An episode in its speakers' own words, and the lines that mattered most, in order: what a model is given."""
    query = """
        SELECT e.summary, e.start_ns, e.id FROM events e LEFT JOIN event_lines m ON m.event = e.id LEFT JOIN lines l ON l.id = m.line
        WHERE e.parent = ? AND e.level = 'event' GROUP BY e.id ORDER BY round(total(l.salience), 6) DESC, e.start_ns, e.id LIMIT 3
    """
    parts = sorted(connection.execute(query, (episode,)).fetchall(), key=lambda row: (row[1], row[2]))
    extract = " … ".join(row[0] for row in parts)
    if not is_written:
        return extract, []
    _, ids = granule_values.lines_of(connection, "episode", episode, None, _MOST_LINES)
    marks = ",".join("?" * len(ids[:500]))
    best = connection.execute(
        f"SELECT id FROM lines WHERE id IN ({marks}) ORDER BY salience DESC, length(text) DESC, start_ns, id LIMIT ?",
        (*ids[:500], _MOST_NOTES),
    ).fetchall()
    return extract, row_reader.lines(connection, ids=[row[0] for row in best]) if best else []


def _store(connection: sqlite3.Connection, episode: str, worded: str | None, extract: str, notes: Sequence[LineRow]) -> None:
    was_worded = connection.execute("SELECT 1 FROM summary_people WHERE event = ? LIMIT 1", (episode,)).fetchone()
    connection.execute("DELETE FROM summary_people WHERE event = ?", (episode,))
    if worded is not None:
        maker = provenance.maker(connection, WORDED_BY)
        connection.execute("UPDATE events SET summary = ?, maker = ? WHERE id = ?", (worded, maker, episode))
        # "" stands for people without an id of their own: the summary is known to be a model's all the same.
        speakers = {""}
        for line in notes:
            speakers.update(row[0] for row in connection.execute("SELECT speaker FROM line_speakers WHERE line = ?", (line.id,)))
        connection.executemany("INSERT INTO summary_people (event, speaker) VALUES (?, ?)", [(episode, name) for name in sorted(speakers)])
    elif was_worded and extract:
        maker = provenance.maker(connection, "consolidation")
        connection.execute("UPDATE events SET summary = ?, maker = ? WHERE id = ?", (extract, maker, episode))
