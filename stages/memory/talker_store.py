"""The talkers of a memory: who of several on one microphone spoke when, whether or not words were understood."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from pipeline.packets import Float32Array, TalkerBlock, TalkerVoice
from stages.memory.database import Database

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
                key = (session, block.track.name, talker, start_ns, start_ns)
                before = "session = ? AND track = ? AND talker = ? AND start_ns <= ? AND end_ns >= ?"
                changed = connection.execute(f"UPDATE talker_turns SET end_ns = max(end_ns, ?) WHERE {before}", (end_ns, *key)).rowcount
                if not changed:
                    connection.execute(
                        "INSERT INTO talker_turns (session, track, talker, start_ns, end_ns) VALUES (?, ?, ?, ?, ?)",
                        (session, block.track.name, talker, start_ns, end_ns),
                    )

    def add_voice(self, session: str, voice: TalkerVoice) -> None:
        """Store how a talker sounded."""
        blob = None if voice.voice is None else voice.voice.astype("<f4").tobytes()
        with self._writing_to(session) as connection:
            connection.execute(
                "INSERT INTO talkers (session, track, talker, seconds, voice) VALUES (?, ?, ?, ?, ?) ON CONFLICT (session, track, talker)"
                " DO UPDATE SET seconds = excluded.seconds, voice = excluded.voice",
                (session, voice.track.name, voice.talker, voice.seconds, blob),
            )

    def turns(self, session: str) -> list[TurnRow]:
        """Who spoke when in a session, by start; before the session has ended nobody may be known for a turn yet."""
        query = """
            SELECT t.track, t.talker, t.start_ns, t.end_ns, p.name FROM talker_turns t
            JOIN talkers k ON k.session = t.session AND k.track = t.track AND k.talker = t.talker
            LEFT JOIN speakers p ON p.id = k.speaker WHERE t.session = ? ORDER BY t.start_ns, t.track, t.talker
        """
        with self._database.reading() as connection:
            return [TurnRow(*row) for row in connection.execute(query, (session,))]


def _spans(block: TalkerBlock, row: int) -> Sequence[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], block.active[row], [False]]).astype(np.int8)))
    times = [block.pts_ns + int(edge) * block.step_ns for edge in edges]
    return list(zip(times[::2], times[1::2], strict=True))


def voice_of(blob: bytes | None) -> Float32Array | None:
    """A stored voice: float32, shape (numbers,)."""
    return None if blob is None else np.frombuffer(blob, dtype="<f4").astype(np.float32)


def keep_talker(connection: sqlite3.Connection, line: str, talker: int | None) -> None:
    """Note which talker of its track spoke a line."""
    if talker is not None:
        connection.execute("INSERT INTO line_talkers (line, talker) VALUES (?, ?) ON CONFLICT DO NOTHING", (line, talker))


def speaker_so_far(connection: sqlite3.Connection, session: str, track: str, talker: int | None) -> str | None:
    """Who spoke the last line of a talker; None where there is none."""
    query = """
        SELECT ls.speaker FROM lines l JOIN line_talkers lt ON lt.line = l.id JOIN line_speakers ls ON ls.line = l.id
        WHERE l.session = ? AND l.track = ? AND lt.talker = ? ORDER BY l.start_ns DESC LIMIT 1
    """
    row = None if talker is None else connection.execute(query, (session, track, talker)).fetchone()
    return None if row is None else str(row[0])


def follow_lines(connection: sqlite3.Connection) -> None:
    """After lines moved to other speakers by hand: a talker is who speaks most of their lines."""
    query = """
        SELECT l.session, l.track, lt.talker, ls.speaker, sum(l.end_ns - l.start_ns) FROM line_talkers lt JOIN lines l ON l.id = lt.line
        JOIN line_speakers ls ON ls.line = lt.line GROUP BY l.session, l.track, lt.talker, ls.speaker ORDER BY 5, ls.speaker
    """
    latest = {(session, track, talker): speaker for session, track, talker, speaker, _ in connection.execute(query)}
    for key, speaker in latest.items():
        connection.execute("UPDATE talkers SET speaker = ? WHERE session = ? AND track = ? AND talker = ?", (speaker, *key))
