"""The talkers of a memory: who of several on one microphone spoke when, whether or not words were understood."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipeline.packets import Float32Array, TalkerBlock, TalkerVoice
from stages.memory.rows import LineRow
from stages.memory.tables.database import Database
from stages.memory.tables.row_writer import utc_ns

Key = tuple[str, int]
"""A track and the number of a talker on it, within one session."""
Writing = Callable[[str], AbstractContextManager[sqlite3.Connection]]


@dataclass(frozen=True)
class TurnRow:
    """A stretch in which a talker speaks. `speaker` is who that is as reads show them, None where nobody can tell."""

    track: str
    talker: int
    start_ns: int
    end_ns: int
    speaker: str | None


class TalkerStore:
    """The part of a long-term memory that holds talkers; `LongTermMemory.talkers` is one.

    A call that writes is one transaction. Writing a block or a voice again changes nothing.
    """

    def __init__(self, database: Database, writing_to: Writing) -> None:
        self._database = database
        self._writing_to = writing_to

    def add_block(self, session: str, block: TalkerBlock) -> None:
        """Store who spoke in a block; what goes on from the block before makes one turn with it."""
        turns = [(talker, *span) for row, talker in enumerate(block.talkers) for span in _spans(block, row)]
        with self._writing_to(session) as connection:
            for talker, start_ns, end_ns in turns:
                connection.execute(
                    "INSERT INTO talkers (session, track, talker) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    (session, block.track.name, talker),
                )
                _add_turn(connection, (session, block.track.name, talker), start_ns, end_ns)

    def add_voice(self, session: str, voice: TalkerVoice) -> None:
        """Store how a talker sounded; one who has no turn is nobody."""
        blob = None if voice.voice is None else voice.voice.astype("<f4").tobytes()
        with self._writing_to(session) as connection:
            connection.execute(
                "UPDATE talkers SET seconds = ?, voice = ? WHERE session = ? AND track = ? AND talker = ?",
                (voice.seconds, blob, session, voice.track.name, voice.talker),
            )

    def ends_ns(self, session: str) -> dict[str, int]:
        """Where the last turn of each track ends, as far as it is stored."""
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT track, max(end_ns) FROM talker_turns WHERE session = ? GROUP BY track", (session,)))

    def turns(self, session: str, *, at: datetime | None = None) -> list[TurnRow]:
        """Who spoke when in a session, by start; before the session has ended nobody may be known for a turn yet.

        As of a moment turns that went on then end there; who somebody is, is told as it is known now.
        """
        query = """
            SELECT t.track, t.talker, t.start_ns, min(t.end_ns, coalesce(:at - s.started_at_ns, t.end_ns)), p.name FROM talker_turns t
            JOIN sessions s ON s.id = t.session JOIN talkers k ON k.session = t.session AND k.track = t.track AND k.talker = t.talker
            LEFT JOIN speakers p ON p.id = k.speaker
            WHERE t.session = :session AND (:at IS NULL OR s.started_at_ns + t.start_ns < :at) ORDER BY t.start_ns, t.track, t.talker
        """
        with self._database.reading() as connection:
            bound = {"session": session, "at": None if at is None else utc_ns(at)}
            return [TurnRow(*row) for row in connection.execute(query, bound)]


def _spans(block: TalkerBlock, row: int) -> Sequence[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], block.active[row], [False]]).astype(np.int8)))
    times = [block.pts_ns + int(edge) * block.step_ns for edge in edges]
    return list(zip(times[::2], times[1::2], strict=True))


def voice_of(blob: bytes | None) -> Float32Array | None:
    """A stored voice: float32, shape (numbers,)."""
    return None if blob is None else np.frombuffer(blob, dtype="<f4").astype(np.float32)


def _add_turn(connection: sqlite3.Connection, who: tuple[str, str, int], start_ns: int, end_ns: int) -> None:
    """A turn, or more of the one that it goes on with."""
    before = connection.execute(
        "SELECT start_ns, end_ns FROM talker_turns WHERE session = ? AND track = ? AND talker = ? AND start_ns <= ?"
        " ORDER BY start_ns DESC LIMIT 1",
        (*who, start_ns),
    ).fetchone()
    if before is None or before[1] < start_ns:
        before = (start_ns, start_ns)
    connection.execute(
        "INSERT INTO talker_turns (session, track, talker, start_ns, end_ns) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (session, track, talker, start_ns) DO UPDATE SET end_ns = max(end_ns, excluded.end_ns)",
        (*who, before[0], end_ns),
    )


def keep_talker(connection: sqlite3.Connection, row: LineRow, talker: int | None) -> None:
    """Note which talker of its track spoke a line."""
    if talker is not None:
        connection.execute(
            "INSERT INTO line_talkers (line, session, track, talker, start_ns) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (row.id, row.session, row.track, talker, row.start_ns),
        )


def speaker_so_far(connection: sqlite3.Connection, session: str, track: str, talker: int | None) -> str | None:
    """Who spoke the last line of a talker; None where there is none."""
    query = """
        SELECT ls.speaker FROM line_talkers lt JOIN line_speakers ls ON ls.line = lt.line
        WHERE lt.session = ? AND lt.track = ? AND lt.talker = ? ORDER BY lt.start_ns DESC LIMIT 1
    """
    row = None if talker is None else connection.execute(query, (session, track, talker)).fetchone()
    return None if row is None else str(row[0])


def follow_lines(connection: sqlite3.Connection, *, unknown: bool = False) -> None:
    """A talker is who speaks most of their lines: after lines moved by hand, or, with `unknown`, where their voice told nothing."""
    query = """
        SELECT lt.session, lt.track, lt.talker, ls.speaker FROM line_talkers lt JOIN lines l ON l.id = lt.line
        JOIN line_speakers ls ON ls.line = lt.line
        JOIN talkers k ON k.session = lt.session AND k.track = lt.track AND k.talker = lt.talker
        WHERE NOT :unknown OR k.speaker IS NULL
        GROUP BY lt.session, lt.track, lt.talker, ls.speaker ORDER BY sum(l.end_ns - l.start_ns), ls.speaker
    """
    latest = {tuple(row[:3]): row[3] for row in connection.execute(query, {"unknown": unknown})}
    for key, speaker in latest.items():
        connection.execute("UPDATE talkers SET speaker = ? WHERE session = ? AND track = ? AND talker = ?", (speaker, *key))
