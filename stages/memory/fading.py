"""The parts of sleep in which recalls are taken up, and in which the audio of what has faded leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.memory import line_audio
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.strength_curve import N_CLASSES, age_at_ns, stability_ns

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_CLASS = "min(3, max(0, CAST(4 * l.salience AS INTEGER)))"


class AbsorbRecalls:
    """Lines that stood in answers grow stronger, and so do the links between their events."""

    name = "recalls"

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - each recall has its own moment
        """Take up at most `limit` recalls; how many."""
        return memory.strengths.absorb(limit)


class FadeAudio:
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
        due: list[tuple[int, str]] = []
        with memory.strengths.database.reading() as connection:
            query = (
                f"SELECT l.n, l.clip FROM lines l LEFT JOIN strengths s ON s.n = l.n WHERE {_CLASS} = ? AND l.ended_at_ns <= ?"
                " AND l.clip IS NOT NULL AND s.n IS NULL ORDER BY l.ended_at_ns, l.n LIMIT ?"
            )
            for class_ in range(N_CLASSES):
                before_ns = at_ns - age_at_ns(self.below, stability_ns(class_))
                due += connection.execute(query, (class_, before_ns, limit - len(due))).fetchall()
            recalled = (
                f"SELECT l.n, l.clip, {_CLASS}, s.n_recalls, max(s.recalled_at_ns, l.ended_at_ns)"
                " FROM strengths s JOIN lines l ON l.n = s.n WHERE l.clip IS NOT NULL AND s.recalled_at_ns <= ? ORDER BY s.n"
            )
            for n, clip, class_, n_recalls, since_ns in connection.execute(recalled, (at_ns - age_at_ns(self.below, stability_ns(0, 1)),)):
                if len(due) < limit and at_ns - since_ns >= age_at_ns(self.below, stability_ns(class_, n_recalls)):
                    due.append((n, clip))
        if due:
            # The row first: a line without audio is whole, while audio that no line names is removed when the memory is examined.
            with memory.strengths.database.writing() as connection:
                connection.executemany("UPDATE lines SET clip = NULL WHERE n = ?", [(n,) for n, _ in due])
            line_audio.remove(root, [clip for _, clip in due])
        return len(due)
