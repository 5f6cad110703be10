"""The parts of sleep in which recalls are taken up, and in which what has faded leaves: raw audio first, then vectors, never words."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from stages.memory import line_audio
from stages.memory.forgetting.strength_curve import N_CLASSES, age_at_ns, stability_ns
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.sleeping.sleep import SleepStep
from stages.memory.vectors import stored_vectors
from stages.memory.vectors.vector_tables import SALIENCE_CLASS

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_CLASS = SALIENCE_CLASS.replace("salience", "l.salience")
# Each with an index over the class of salience and the end of its lines.
_HAS_AUDIO = "l.clip IS NOT NULL"
_HAS_VECTOR_ALONE = "l.clip IS NULL AND l.vector_format != 3"


class AbsorbRecalls(SleepStep):
    """Lines that stood in answers grow stronger, and so do the links between their events."""

    name = "recalls"

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - each recall has its own moment
        """Take up at most `limit` recalls; how many."""
        return memory.strengths.absorb(limit)


class FadeAudio(SleepStep):
    """What is weak loses its raw audio first: the sound of lines whose strength has fallen below `below` leaves, their words stay.

    0 lets nothing fade. A recall keeps the audio of a line for longer. Lines that were never recalled are found by an index; of those
    that were, all that were last recalled long enough ago are looked at.
    """

    name = "faded audio"

    def __init__(self, below: float = 0.0) -> None:
        if not 0.0 <= below < 1.0:
            raise MemorySettingsError(f"fading: audio fades below a strength of 0 (never) to under 1, found {below}")
        self.below = below

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:
        """Let the audio of at most `limit` lines go; how many."""
        root = memory.strengths.root
        if not self.below or root is None:
            return 0
        with memory.strengths.database.reading() as connection:
            due = _weak(connection, _HAS_AUDIO, self.below, at_ns, limit)
        if due:
            # The row first: a line without audio is whole, while audio that no line names is removed when the memory is examined.
            with memory.strengths.database.writing() as connection:
                connection.executemany("UPDATE lines SET clip = NULL WHERE n = ?", [(n,) for n, _ in due])
            line_audio.remove(root, [clip for _, clip in due if clip is not None])
        return len(due)


class FadeVectors(SleepStep):
    """What is weaker still loses its vector, once it has no audio any more: the line is found by its words alone from then on.

    0 lets nothing fade. What other things were made of it stays: its event, links, prototypes. A recall keeps the vector of a line for
    longer, and brings none back. Found as in `FadeAudio`. Raises MemorySettingsError where vectors would fade before audio
    (`audio_below`) does.
    """

    name = "faded vectors"

    def __init__(self, below: float = 0.0, audio_below: float = 0.0) -> None:
        fault = order_fault(below, audio_below)
        if fault:
            raise MemorySettingsError(f"fading: {fault}")
        self.below = below

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:
        """Let the vectors of at most `limit` lines go, in one transaction; how many."""
        if not self.below:
            return 0
        with memory.strengths.database.writing() as connection:
            due = _weak(connection, _HAS_VECTOR_ALONE, self.below, at_ns, limit)
            stored_vectors.drop(connection, [n for n, _ in due])
        return len(due)


def order_fault(vectors_below: float, audio_below: float) -> str:
    """What is wrong with the strengths below which vectors and audio leave, in words; "" where nothing is."""
    if 0.0 <= vectors_below <= audio_below or vectors_below == 0.0:
        return ""
    return (
        f"fade_vectors_below must be 0 (never) to fade_audio_below ({audio_below:g}), found {vectors_below:g}: what is weak loses its audio"
        " before its vector; lower the one or raise the other"
    )


def _weak(connection: sqlite3.Connection, has: str, below: float, at_ns: int, limit: int) -> list[tuple[int, str | None]]:
    """At most `limit` lines (row number and audio) that still have something and are weaker than `below`."""
    due: list[tuple[int, str | None]] = []
    query = (
        f"SELECT l.n, l.clip FROM lines l LEFT JOIN strengths s ON s.n = l.n WHERE {_CLASS} = ? AND l.ended_at_ns <= ?"
        f" AND {has} AND s.n IS NULL ORDER BY l.ended_at_ns, l.n LIMIT ?"
    )
    for class_ in range(N_CLASSES):
        before_ns = at_ns - age_at_ns(below, stability_ns(class_))
        due += connection.execute(query, (class_, before_ns, limit - len(due))).fetchall()
    recalled = (
        f"SELECT l.n, l.clip, {_CLASS}, s.n_recalls, max(s.recalled_at_ns, l.ended_at_ns)"
        f" FROM strengths s JOIN lines l ON l.n = s.n WHERE {has} AND s.recalled_at_ns <= ? ORDER BY s.n"
    )
    for n, clip, class_, n_recalls, since_ns in connection.execute(recalled, (at_ns - age_at_ns(below, stability_ns(0, 1)),)):
        if len(due) < limit and at_ns - since_ns >= age_at_ns(below, stability_ns(class_, n_recalls)):
            due.append((n, clip))
    return due
