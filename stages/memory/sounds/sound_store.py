"""The sounds of a memory: what was heard besides speech, and the groups of sounds that no class fits."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipeline.packets import SoundEvent
from stages.memory.memory_errors import MemoryError_
from stages.memory.people.given_names import GivenNameError, checked_name
from stages.memory.sounds.sound_groups import SoundGroup, assigned
from stages.memory.tables import row_writer
from stages.memory.tables.database import Database
from stages.memory.vectors.vector_checks import check_vectors

_EMBEDDING_SHAPE = (1024,)
Writing = Callable[[str], AbstractContextManager[sqlite3.Connection]]

# A group shows itself once it was heard twice, as of the asked moment.
_SOUNDS = """
SELECT x.id, x.session, x.start_ns, x.end_ns, coalesce(g.name, g.id, x.label), x.score, x.azimuth_deg, x.elevation_deg, g.id
FROM sounds x JOIN sessions s ON s.id = x.session LEFT JOIN sound_groups g ON g.n = x.sound_group
WHERE (:session IS NULL OR x.session = :session) AND (:start IS NULL OR x.end_ns > :start) AND (:end IS NULL OR x.start_ns < :end)
      AND (:at IS NULL OR x.ended_at_ns <= :at) AND (g.n IS NULL OR g.id IS NOT NULL)
      AND (g.n IS NULL OR :at IS NULL OR (SELECT count(*) FROM sounds o WHERE o.sound_group = g.n AND o.ended_at_ns <= :at) > 1)
ORDER BY s.started_at_ns, x.session, x.start_ns, x.end_ns, x.n
"""


class SoundNameError(MemoryError_):
    """A group of sounds that is not there, or a name that it cannot have."""

    exit_code = 2


@dataclass(frozen=True)
class SoundRow:
    """One sound as it stands in the memory.

    `label` is what people call it: the name of its group, "sound-3" where that has none yet, or a class of AudioSet. `group` is the
    id of the group of a sound that no class fits.
    """

    id: str
    session: str
    start_ns: int
    end_ns: int
    label: str
    score: float
    azimuth_deg: float | None
    elevation_deg: float | None
    group: str | None


@dataclass(frozen=True)
class SoundGroupRow:
    """A sound that recurs and that no class fits."""

    id: str
    name: str | None
    n_heard: int


class SoundStore:
    """The part of a long-term memory that holds sounds; `LongTermMemory.sounds` is one.

    A call that writes is one transaction. Writing a sound again changes nothing.
    """

    def __init__(self, database: Database, writing_to: Writing) -> None:
        self._database = database
        self._writing_to = writing_to

    def add(self, session: str, sound: SoundEvent) -> bool:
        """Store a sound; False where it is there already, or where it has no label and the memory has no room for another group.

        A sound without label joins the group that it is like. Its group gets the next number when it is heard for the second time.
        Raises MemoryError_ for an embedding of another shape, or with numbers that are not finite.
        """
        name = f"{session}-{sound.key}"
        check_vectors(session, f"the embedding of sound {name}", sound.embedding, _EMBEDDING_SHAPE)
        with self._writing_to(session) as connection:
            if connection.execute("SELECT 1 FROM sounds WHERE id = ?", (name,)).fetchone():
                return False
            (started_ns,) = connection.execute("SELECT started_at_ns FROM sessions WHERE id = ?", (session,)).fetchone()
            group = None
            if sound.label is None:
                group = _group_of(connection, sound, started_ns + sound.end_ns)
                if group is None:
                    return False
            connection.execute(
                "INSERT INTO sounds (id, session, start_ns, end_ns, ended_at_ns, label, score, azimuth_deg, elevation_deg, vector,"
                " sound_group) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    session,
                    sound.pts_ns,
                    sound.end_ns,
                    started_ns + sound.end_ns,
                    sound.label,
                    sound.score,
                    sound.azimuth_deg,
                    sound.elevation_deg,
                    sound.embedding.astype("<f4").tobytes(),
                    group,
                ),
            )
        return True

    def rows(
        self, session: str | None = None, *, start_ns: int | None = None, end_ns: int | None = None, at: datetime | None = None
    ) -> list[SoundRow]:
        """Sounds that overlap a span of session time, by session start and start. Unknown ones are there once they recurred."""
        bound = {"session": session, "start": start_ns, "end": end_ns, "at": None if at is None else row_writer.utc_ns(at)}
        with self._database.reading() as connection:
            return [SoundRow(*row) for row in connection.execute(_SOUNDS, bound)]

    def heard(self, session: str) -> list[tuple[int, str | None]]:
        """When each sound of a session ended, and its class (None: none fits), in the order in which they came, waiting ones included."""
        with self._database.reading() as connection:
            return list(connection.execute("SELECT end_ns, label FROM sounds WHERE session = ? ORDER BY n", (session,)))

    def last_ends(self, session: str) -> dict[str | None, int]:
        """When the last sound of each label (None: those without) ended, waiting ones included."""
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT label, max(end_ns) FROM sounds WHERE session = ? GROUP BY label", (session,)).fetchall())

    def groups(self, *, at: datetime | None = None) -> list[SoundGroupRow]:
        """The unknown sounds that had recurred, in the order of their numbers."""
        query = """
            SELECT g.id, g.name, CASE WHEN :at IS NULL THEN g.n_heard ELSE count(x.n) END AS heard FROM sound_groups g
            LEFT JOIN sounds x ON x.sound_group = g.n AND x.ended_at_ns <= :at
            WHERE g.id IS NOT NULL GROUP BY g.n HAVING :at IS NULL OR heard > 1 ORDER BY length(g.id), g.id
        """
        with self._database.reading() as connection:
            rows = connection.execute(query, {"at": None if at is None else row_writer.utc_ns(at)})
            return [SoundGroupRow(*row) for row in rows]

    def name(self, group: str, name: str) -> list[SoundGroupRow]:
        """Call a group, given by its id or its name so far, by a name: all its sounds, past and to come. The groups that were meant.

        Two groups may have one name: they are one sound then. Raises SoundNameError where there is no such group, or the name is
        empty, too long, has control characters, or is an id that is or may become another group's.
        """
        known = self.groups()
        meant = [row for row in known if row.id == group] or [row for row in known if row.name == group]
        if not meant:
            near = difflib.get_close_matches(group, [label for row in known for label in (row.id, row.name) if label], n=3, cutoff=0.4)
            hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {len(known)} groups"
            raise SoundNameError(f"group of sounds {group!r} is not in this memory{hint} (`echoic sounds` lists the sounds)")
        try:
            clean = checked_name(name, meant[0].id if len(meant) == 1 else group)
        except GivenNameError as error:
            raise SoundNameError(str(error)) from error
        with self._database.writing() as connection:
            connection.executemany("UPDATE sound_groups SET name = ? WHERE id = ?", [(clean, row.id) for row in meant])
        return [SoundGroupRow(row.id, clean, row.n_heard) for row in meant]


def _group_of(connection: sqlite3.Connection, sound: SoundEvent, heard_ns: int) -> int | None:
    """The group that an unknown sound joins, made or changed for it; None where there is no room."""
    rows = connection.execute("SELECT n, prototype, n_heard, last_heard_ns FROM sound_groups ORDER BY n").fetchall()
    groups = [SoundGroup(n, np.frombuffer(blob, dtype="<f4").astype(np.float32), n_heard, last) for n, blob, n_heard, last in rows]
    where = assigned(groups, sound.embedding, heard_ns)
    if where.forgotten is not None:
        connection.execute("DELETE FROM sounds WHERE sound_group = ?", (where.forgotten,))
        connection.execute("DELETE FROM sound_groups WHERE n = ?", (where.forgotten,))
    if where.begun is not None:
        cursor = connection.execute(
            "INSERT INTO sound_groups (prototype, n_heard, last_heard_ns) VALUES (?, 1, ?)",
            (where.begun.astype("<f4").tobytes(), heard_ns),
        )
        return cursor.lastrowid
    if where.joined is None:
        return None
    # After the greatest number: one of a group that was erased in between is not given again while later ones stand.
    number = connection.execute("SELECT coalesce(max(CAST(substr(id, 7) AS INTEGER)), 0) + 1 FROM sound_groups").fetchone()[0]
    connection.execute(
        "UPDATE sound_groups SET id = coalesce(id, ?), prototype = ?, n_heard = ?, last_heard_ns = ? WHERE n = ?",
        (
            f"sound-{number}",
            where.joined.prototype.astype("<f4").tobytes(),
            where.joined.n_heard,
            where.joined.last_heard_ns,
            where.joined.number,
        ),
    )
    return where.joined.number
