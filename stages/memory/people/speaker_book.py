"""The people of a memory: listed, named, and put right. One correction holds for everything they ever said."""

from __future__ import annotations

import difflib
import shlex
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stages.memory.attention import attention_store
from stages.memory.memory_errors import MemoryError_
from stages.memory.people import speaker_rows, speaker_store
from stages.memory.people.given_names import GivenNameError, checked_name
from stages.memory.people.speaker_rows import SpeakerRow
from stages.memory.people.talker_store import follow_lines, speaker_so_far
from stages.memory.tables.database import Database
from stages.speech.speaker_clusters import Heard, choose, two_voices


class SpeakerError(MemoryError_):
    """A speaker cannot be named, merged or split as asked; the message says what can be done."""

    exit_code = 2


class SpeakerBook:
    """Whom a memory tells apart, and whose names came with transcripts. Speakers are given by id or by name.

    Every change is one transaction. Whoever is named, merged or split has an id of this memory from then on, imported ones too.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, at_ns: int | None = None) -> list[SpeakerRow]:
        """Everybody who spoke until a moment: those told apart by number, then imported ones by their first session and name."""
        with self._database.reading() as connection:
            return speaker_rows.speakers(connection, at_ns)

    def names(self, at_ns: int | None = None) -> list[str]:
        """The names of all who spoke until a moment (nanoseconds since 1970), as reads show them, imported ones included."""
        with self._database.reading() as connection:
            return speaker_rows.names(connection, at_ns)

    def name_of(self, speaker: str) -> str | None:
        """What somebody with this id is called now; None where nobody has it."""
        with self._database.reading() as connection:
            return speaker_rows.name_of(connection, speaker)

    def find(self, speaker: str) -> SpeakerRow:
        """Whoever has this id, else this name. Raises SpeakerError with what is near."""
        with self._database.reading() as connection:
            return _find(connection, speaker)

    def likely(self, session: str, heard: Heard, talker: int | None = None) -> str | None:
        """The name of whoever a line would be given to if it were stored now; None where that is a stranger. Nothing is stored."""
        with self._database.reading() as connection:
            so_far = speaker_so_far(connection, session, heard.track, talker)
            choice = choose(replace(heard, so_far=so_far), speaker_store.candidates(connection, session, heard.voice))
            return None if choice.speaker is None else speaker_rows.name_of(connection, choice.speaker)

    def rename(self, speaker: str, name: str) -> SpeakerRow:
        """Give somebody a name, in the past and from now on. Raises SpeakerError: unknown, empty, too long, taken."""
        with self._database.writing() as connection:
            row = _find(connection, speaker)
            try:
                wanted = checked_name(name, row.id)
            except GivenNameError as error:
                raise SpeakerError(str(error)) from error
            others = [entry for entry in speaker_rows.speakers(connection) if entry.id != row.id]
            taken = next((entry for entry in others if entry.given and entry.name.casefold() == wanted.casefold()), None)
            if taken is not None:
                raise SpeakerError(
                    f"name {wanted!r} is taken by {taken.id}; if both are one person: "
                    f"echoic speakers merge {shlex.quote(row.id)} {shlex.quote(taken.id)}"
                )
            own = _adopted(connection, row)
            connection.execute("UPDATE speakers SET name = ?, given = ? WHERE id = ?", (wanted, int(wanted != own), own))
            return _find(connection, own)

    def merge(self, goes: str, into: str) -> SpeakerRow:
        """Two are one person: all lines of the first are the second's, who keeps id and name (or takes the name of the first).

        Raises SpeakerError: unknown, or both the same.
        """
        with self._database.writing() as connection:
            one, other = _find(connection, goes), _find(connection, into)
            if one.id == other.id:
                raise SpeakerError(f"{goes!r} and {into!r} are the same speaker, {one.id}; merging needs two")
            gone, stays = _adopted(connection, one), _adopted(connection, other)
            speaker_store.merge(connection, gone, stays, by_hand=True)
            if one.given and not other.given:
                connection.execute("UPDATE speakers SET name = ?, given = 1 WHERE id = ?", (one.name, stays))
            return _find(connection, stays)

    def split(self, speaker: str, lines: Sequence[str] = ()) -> SpeakerRow:
        """One is two people: some lines go to a new speaker, which is returned.

        Without `lines` they are parted by voice, and the smaller part goes. Raises SpeakerError: unknown, lines that are not
        theirs, nothing or everything would go.
        """
        with self._database.writing() as connection:
            row = _find(connection, speaker)
            own = _adopted(connection, row)
            moved = _given_lines(connection, row.id, own, lines) if lines else _by_voice(connection, row.id, own)
            if len(moved) >= row.n_lines:
                raise SpeakerError(f"{row.id}: all {row.n_lines} lines would move; use `echoic speakers rename` to name them instead")
            session = connection.execute("SELECT session FROM lines WHERE id = ?", (moved[0],)).fetchone()[0]
            new = speaker_store.add_speaker(connection, session)
            # Nothing that the end of a session finds out may undo this.
            connection.executemany(
                "UPDATE line_speakers SET speaker = ?, confidence = 1.0, by_hand = 1 WHERE line = ?", [(new, line) for line in moved]
            )
            connection.execute("UPDATE line_speakers SET by_hand = 1 WHERE speaker = ?", (own,))
            # They sound in one way each from now on.
            connection.execute("UPDATE speakers SET voice = NULL WHERE id = ?", (own,))
            for name in (own, new):
                speaker_store.replace_places(connection, name)
                speaker_store.recount(connection, name)
            connection.execute("UPDATE speakers SET kept = 1 WHERE id IN (?, ?)", (own, new))
            follow_lines(connection)
            return _find(connection, new)


def _find(connection: sqlite3.Connection, speaker: str) -> SpeakerRow:
    """Whoever has this id, else the one who has this name."""
    rows = speaker_rows.speakers(connection)
    found = [row for row in rows if row.id == speaker][:1] or [row for row in rows if row.name == speaker]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(row.id for row in found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
        raise SpeakerError(f"{len(found)} speakers are called {speaker!r}; say which one: {ids}")
    known = sorted({entry for row in rows for entry in (row.id, row.name)})
    near = difflib.get_close_matches(speaker, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ";" if rows else ": nobody was heard in it yet;"
    raise SpeakerError(f"speaker {speaker!r} is not in this memory{hint} `echoic speakers` lists them")


def _adopted(connection: sqlite3.Connection, row: SpeakerRow) -> str:
    """The id that somebody has in this memory, given out now where there was none; lines that were theirs by name alone are theirs."""
    lines = speaker_rows.imported_lines(connection, row) if row.imported or row.given else []
    if not row.imported:
        return speaker_store.adopt(connection, lines, row.id)
    new = speaker_store.adopt(connection, lines)
    attention_store.follow(connection, row.id, new)
    if row.given:
        connection.execute("UPDATE speakers SET name = ?, given = 1 WHERE id = ?", (row.name, new))
    return new


def _given_lines(connection: sqlite3.Connection, shown: str, speaker: str, lines: Sequence[str]) -> list[str]:
    own = {line for (line,) in connection.execute("SELECT line FROM line_speakers WHERE speaker = ?", (speaker,))}
    strange = [line for line in lines if line not in own]
    if strange:
        near = difflib.get_close_matches(strange[0], sorted(own), n=1, cutoff=0.5)
        raise SpeakerError(f"line {strange[0]!r} is not one of {shown}'s" + (f"; did you mean {near[0]}?" if near else ""))
    return list(dict.fromkeys(lines))


def _by_voice(connection: sqlite3.Connection, shown: str, speaker: str) -> list[str]:
    """The smaller of two groups of lines (the later one of equals)."""
    voices = speaker_store.voices_of(connection, speaker)
    groups = two_voices(np.array([voice for _, voice in voices], dtype=np.float32)) if voices else []
    if not any(groups):
        raise SpeakerError(
            f"{shown} has {len(voices)} lines with a voice, which is too few to part; say which lines: --lines LINE,... (echoic export)"
        )
    second = sum(groups) * 2 < len(groups) or (sum(groups) * 2 == len(groups) and not groups[0])
    return [line for (line, _), group in zip(voices, groups, strict=True) if group == second]
