"""What a run that was cut short had heard, in the order in which a stage heard it: lines, and sounds where it listens to them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import accumulate

from pipeline.packets import Float32Array
from stages.events.spoken_line import SpokenLine
from stages.events.surprisal import surprisal_of
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow


@dataclass(frozen=True)
class HeardSound:
    """A sound that is not speech, by its class of AudioSet (None: none fits)."""

    label: str | None


Step = tuple[tuple[int, int], SpokenLine | HeardSound]
"""What was heard, behind its place in the order in which two inputs are merged: when it was heard, and 0 for lines or 1 for sounds."""


@dataclass(frozen=True)
class HeardBefore:
    """`steps` are what was heard, in order, and `events` the event of each line (by key) that stands in one, None for others.

    Lines and sounds reach a memory apart: the first `n_sure` steps are as far as both had come. Among later ones some may be missing.
    """

    steps: list[Step]
    n_sure: int
    events: dict[str, str | None]

    @property
    def lines(self) -> list[SpokenLine]:
        """The lines alone."""
        return [heard for _, heard in self.steps if isinstance(heard, SpokenLine)]


def heard_before(memory: LongTermMemory, session: str, *, with_sounds: bool) -> HeardBefore:
    """What a memory has of a session; with sounds, they stand among the lines by their ends, as the inputs of a stage are merged."""
    rows = {row.id: row for row in memory.lines(session)}
    came = memory.arrivals(session)
    vectors = memory.vectors(list(came))
    lines = [_stored(rows[name], session, vector, heard_ns) for (name, heard_ns), vector in zip(came.items(), vectors, strict=True)]
    events = {line.key: rows[name].event for line, name in zip(lines, came, strict=True)}
    # A line that came late, as a clock went back, was taken as it came.
    said: list[Step] = [((end_ns, 0), line) for end_ns, line in zip(accumulate((line.end_ns for line in lines), max), lines, strict=True)]
    if not with_sounds:
        return HeardBefore(said, len(said), events)
    sounds: list[Step] = [((end_ns, 1), HeardSound(label)) for end_ns, label in memory.sounds.heard(session)]
    steps = list(heapq.merge(said, sounds, key=lambda step: step[0]))
    known = min((lane[-1][0] if lane else (0, 0)) for lane in (said, sounds))
    return HeardBefore(steps, sum(order <= known for order, _ in steps), events)


def _stored(row: LineRow, session: str, vector: Float32Array, heard_ns: int) -> SpokenLine:
    return SpokenLine(
        key=row.id.removeprefix(f"{session}-"),
        track=row.track,
        start_ns=row.start_ns,
        end_ns=heard_ns,
        text=row.text,
        vector=vector,
        azimuth_deg=row.azimuth_deg,
        confidence=row.confidence,
        surprisal_nats=surprisal_of([word.probability for word in row.words]),
    )
