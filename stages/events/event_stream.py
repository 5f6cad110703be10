"""What every segmenting stage does around its segmenter: lines in, events out, and going on after a crash."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from pipeline.packets import Event, Line
from stages.events.room_segmenter import RoomSegmenter
from stages.events.spoken_line import SpokenLine, Stretch, spoken
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.repeats import Repeats

_CONTEXT_LINES = 40
_SUMMARY_LINES = 2
_SUMMARY_CHARACTERS = 240
_FULL_LINE_WORDS = 8
_LONG_EVENT_LINES = 5
_LINES_AT_ONCE = 4096


class EventStream:
    """Turns the stretches of a room segmenter into Event packets.

    An Event packet lasts until its end was known, so that events leave in order and nobody sees one before it could be told;
    `extra["end_ns"]` is when its last words ended. Copies belong to no event. With a memory, lines that a run before left
    without an event are taken up again.
    """

    def __init__(self, room: RoomSegmenter, memory: LongTermMemory | None) -> None:
        self._room = room
        self._memory = memory
        self._repeats = Repeats()
        self._waiting: list[Stretch] = []

    def resume(self) -> None:
        """Read from the memory what a run that was cut short had heard."""
        memory = self._memory
        if memory is None or not memory.session:
            return
        self._repeats = Repeats.of(memory, memory.session)
        rows = sorted(memory.lines(memory.session), key=lambda row: (row.end_ns, row.id))
        told = [row for row in rows if row.event is not None][-_CONTEXT_LINES:]
        left = [row for row in rows if row.event is None]
        vectors = memory.vectors([row.id for row in (*told, *left)])
        passed_ns = memory.passed_ns(memory.session)
        for row, vector in zip((*told, *left), vectors, strict=True):
            line = SpokenLine(
                row.id.removeprefix(f"{memory.session}-"),
                row.track,
                row.start_ns,
                row.end_ns,
                row.text,
                vector,
                row.azimuth_deg,
                row.confidence,
            )
            if row.event is not None:
                self._room.prime(line)
            else:
                self._waiting += self._room.take(line)
        # What is known only now was not known before the resume point.
        self._waiting = [Stretch(s.lines, s.reason, s.surprise, max(s.closed_ns, passed_ns)) for s in self._waiting]

    def take(self, line: Line) -> list[Event]:
        """The events that are known to have ended, now that this line is there."""
        if line.transcript.copy_of is not None or self._repeats.has(line):
            return []
        return self._told(self._room.take(spoken(line)))

    def hear(self, label: str) -> None:
        """A sound that is not speech was heard."""
        self._room.hear(label)

    def passed(self, pts_ns: int) -> list[Event]:
        """The events that silence has ended."""
        return self._told(self._room.passed(pts_ns))

    def end(self) -> list[Event]:
        """Everything that is open, at the end of the session."""
        return self._told(self._room.end())

    def _told(self, stretches: Iterable[Stretch]) -> list[Event]:
        waiting, self._waiting = self._waiting, []
        return [event_of(stretch) for stretch in (*waiting, *stretches)]


def event_of(stretch: Stretch) -> Event:
    """A stretch as a packet, with the speakers' own words as its summary."""
    weights = np.array([min(len(line.text.split()), _FULL_LINE_WORDS) or 1 for line in stretch.lines], dtype=np.float64)
    # In parts, so that an event of very many lines needs no second copy of all their vectors.
    parts = [slice(first, first + _LINES_AT_ONCE) for first in range(0, len(stretch.lines), _LINES_AT_ONCE)]
    mean = np.sum([weights[part] @ _vectors(stretch.lines[part]) for part in parts], axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-9)
    centrality = np.concatenate([_vectors(stretch.lines[part]) @ mean for part in parts])
    return Event(
        pts_ns=stretch.start_ns,
        duration_ns=max(stretch.closed_ns, stretch.end_ns) - stretch.start_ns,
        name=f"event-{stretch.lines[0].key}",
        lines=tuple(line.key for line in stretch.lines),
        tracks=stretch.tracks,
        reason=stretch.reason,
        surprise=stretch.surprise,
        summary=summary_of([line.text for line in stretch.lines], centrality * weights),
        embedding=mean.astype(np.float32),
        extra={"end_ns": stretch.end_ns},
    )


def _vectors(lines: tuple[SpokenLine, ...]) -> npt.NDArray[np.float64]:
    return np.array([line.vector for line in lines], dtype=np.float64)


def summary_of(texts: list[str], centrality: npt.NDArray[np.float64]) -> str:
    """The most central lines, in the order in which they were said: float, shape (len(texts),), says how central each is."""
    count = _SUMMARY_LINES if len(texts) >= _LONG_EVENT_LINES else 1
    best = sorted(range(len(texts)), key=lambda place: (-round(float(centrality[place]), 6), place))[:count]
    summary = " … ".join(" ".join(texts[place].split()) for place in sorted(best))
    return summary if len(summary) <= _SUMMARY_CHARACTERS else summary[: _SUMMARY_CHARACTERS - 1].rsplit(" ", 1)[0] + " …"
