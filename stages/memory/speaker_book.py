"""The people of a memory: listed, named, and put right. One correction holds for everything they ever said."""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Sequence

import numpy as np

from stages.memory import speaker_store
from stages.memory.database import Database
from stages.memory.memory_errors import MemoryError_
from stages.memory.speaker_store import SpeakerRow
from stages.speech.speaker_clusters import two_voices

_LONGEST_NAME = 80
_MACHINE_NAME = re.compile(r"speaker-\d+", re.IGNORECASE)


class SpeakerError(MemoryError_):
    """A speaker cannot be named, merged or split as asked; the message says what can be done."""

    exit_code = 2


class SpeakerBook:
    """Whom a memory tells apart. Speakers are given by id or by name; every change is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self) -> list[SpeakerRow]:
        """Everybody, by number."""
        with self._database.reading() as connection:
            return speaker_store.speakers(connection)

    def names(self, at_ns: int | None = None) -> list[str]:
        """The names of all who spoke until a moment (nanoseconds since 1970), as reads show them, imported ones included."""
        with self._database.reading() as connection:
            return speaker_store.names(connection, at_ns)

    def rename(self, speaker: str, name: str) -> SpeakerRow:
        """Give somebody a name, in the past and from now on. Raises SpeakerError: unknown, empty, too long, taken."""
        wanted = " ".join(name.split())
        if not wanted or not wanted.isprintable() or len(wanted) > _LONGEST_NAME:
            raise SpeakerError(f"name {name!r}: a name must have 1 to {_LONGEST_NAME} printable characters")
        with self._database.writing() as connection:
            row = _find(connection, speaker)
            if _MACHINE_NAME.fullmatch(wanted) and wanted != row.id:
                raise SpeakerError(f"name {wanted!r}: names of this form are given out by Echoic itself; give {row.id} another one")
            others = [entry for entry in speaker_store.speakers(connection) if entry.id != row.id]
            taken = next((entry for entry in others if entry.name.casefold() == wanted.casefold()), None)
            if taken is not None:
                raise SpeakerError(
                    f"name {wanted!r} is taken by {taken.id}; if both are one person: echoic speakers merge {row.id} {taken.id}"
                )
            connection.execute("UPDATE speakers SET name = ?, given = ? WHERE id = ?", (wanted, int(wanted != row.id), row.id))
            return _find(connection, row.id)

    def merge(self, goes: str, into: str) -> SpeakerRow:
        """Two are one person: all lines of the first are the second's, who keeps id and name (or takes the name of the first).

        Raises SpeakerError: unknown, or both the same.
        """
        with self._database.writing() as connection:
            one, other = _find(connection, goes), _find(connection, into)
            if one.id == other.id:
                raise SpeakerError(f"{goes!r} and {into!r} are the same speaker, {one.id}; merging needs two")
            speaker_store.merge(connection, one.id, other.id, by_hand=True)
            if one.given and not other.given:
                connection.execute("UPDATE speakers SET name = ?, given = 1 WHERE id = ?", (one.name, other.id))
            return _find(connection, other.id)

    def split(self, speaker: str, lines: Sequence[str] = ()) -> SpeakerRow:
        """One is two people: some lines go to a new speaker, which is returned.

        Without `lines` they are parted by voice, and the smaller part goes. Raises SpeakerError: unknown, lines that are not
        theirs, nothing or everything would go.
        """
        with self._database.writing() as connection:
            row = _find(connection, speaker)
            moved = _given_lines(connection, row, lines) if lines else _by_voice(connection, row)
            if len(moved) >= row.n_lines:
                raise SpeakerError(f"{row.id}: all {row.n_lines} lines would move; use `echoic speakers rename` to name them instead")
            session = connection.execute("SELECT session FROM lines WHERE id = ?", (moved[0],)).fetchone()[0]
            new = speaker_store.add_speaker(connection, session)
            # Nothing that the end of a session finds out may undo this.
            connection.executemany(
                "UPDATE line_speakers SET speaker = ?, confidence = 1.0, by_hand = 1 WHERE line = ?", [(new, line) for line in moved]
            )
            connection.execute("UPDATE line_speakers SET by_hand = 1 WHERE speaker = ?", (row.id,))
            # They sound in one way each from now on.
            connection.execute("UPDATE speakers SET voice = NULL WHERE id = ?", (row.id,))
            for name in (row.id, new):
                speaker_store.replace_places(connection, name)
                speaker_store.recount(connection, name)
            connection.execute("UPDATE speakers SET kept = 1 WHERE id IN (?, ?)", (row.id, new))
            return _find(connection, new)


def _find(connection: sqlite3.Connection, speaker: str) -> SpeakerRow:
    rows = speaker_store.speakers(connection)
    found = next((row for row in rows if row.id == speaker), None) or next((row for row in rows if row.name == speaker), None)
    if found is not None:
        return found
    known = sorted({entry for row in rows for entry in (row.id, row.name)})
    near = difflib.get_close_matches(speaker, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ";" if rows else ": nobody was heard in it yet;"
    raise SpeakerError(f"speaker {speaker!r} is not in this memory{hint} `echoic speakers` lists them")


def _given_lines(connection: sqlite3.Connection, row: SpeakerRow, lines: Sequence[str]) -> list[str]:
    own = {line for (line,) in connection.execute("SELECT line FROM line_speakers WHERE speaker = ?", (row.id,))}
    strange = [line for line in lines if line not in own]
    if strange:
        near = difflib.get_close_matches(strange[0], sorted(own), n=1, cutoff=0.5)
        raise SpeakerError(f"line {strange[0]!r} is not one of {row.id}'s" + (f"; did you mean {near[0]}?" if near else ""))
    return list(dict.fromkeys(lines))


def _by_voice(connection: sqlite3.Connection, row: SpeakerRow) -> list[str]:
    """The smaller of two groups of lines (the later one of equals)."""
    voices = speaker_store.voices_of(connection, row.id)
    groups = two_voices(np.array([voice for _, voice in voices], dtype=np.float32)) if voices else []
    if not any(groups):
        raise SpeakerError(
            f"{row.id} has {len(voices)} lines with a voice, which is too few to part; say which lines: --lines LINE,... (echoic export)"
        )
    second = sum(groups) * 2 < len(groups) or (sum(groups) * 2 == len(groups) and not groups[0])
    return [line for (line, _), group in zip(voices, groups, strict=True) if group == second]
