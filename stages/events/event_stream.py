"""What every segmenting stage does around its segmenter: lines in, events out, and going on after a crash."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pipeline.packets import Event, Float32Array, Line
from stages.events.room_segmenter import RoomSegmenter
from stages.events.spoken_line import SpokenLine, Stretch, spoken
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.repeats import Repeats
from stages.memory.rows import LineRow

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

    def __init__(self, room: RoomSegmenter, memory: LongTermMemory | None, made_by: str = "") -> None:
        self._room = room
        self._memory = memory
        self._made_by = made_by
        self._repeats = Repeats()
        self._waiting: list[Stretch] = []

    def resume(self) -> None:
        """Read from the memory what a run that was cut short had heard.

        All of its lines are cut again: a boundary depends on what was said long before it, and why an open event began stands nowhere
        else. Where this does not come to the events that are stored (other settings, sounds that are not heard again), they stay as
        they are, and the last lines in them are context for what follows.
        """
        memory = self._memory
        if memory is None or not memory.session:
            return
        self._repeats = Repeats.of(memory, memory.session)
        rows = sorted(memory.lines(memory.session), key=lambda row: (row.end_ns, row.id))
        vectors = memory.vectors([row.id for row in rows])
        passed_ns = memory.passed_ns(memory.session)
        lines = [_stored(row, memory.session, vector) for row, vector in zip(rows, vectors, strict=True)]
        events = {line.key: row.event for line, row in zip(lines, rows, strict=True)}
        untouched = copy.deepcopy(self._room)
        stretches = [stretch for line in lines for stretch in self._room.take(line)] + self._room.passed(passed_ns)
        if not _agree(stretches, events):
            self._room = untouched
            for line in [line for line in lines if events[line.key] is not None][-_CONTEXT_LINES:]:
                self._room.prime(line)
            stretches = [stretch for line in lines if events[line.key] is None for stretch in self._room.take(line)]
            # What is known only now was not known before the resume point.
            stretches = [replace(known, closed_ns=max(known.closed_ns, passed_ns)) for known in stretches]
        self._waiting = [known for known in stretches if events[known.lines[0].key] is None]

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

    def promise(self, pts_ns: int) -> int:
        """What a stage may promise (`Stage.promise`): events that wait, or are open, may end as early as the last line."""
        return min(pts_ns, self._room.promise(pts_ns), *(stretch.closed_ns for stretch in self._waiting))

    def end(self) -> list[Event]:
        """Everything that is open, at the end of the session."""
        return self._told(self._room.end())

    def _told(self, stretches: Iterable[Stretch]) -> list[Event]:
        waiting, self._waiting = self._waiting, []
        return [event_of(stretch, self._made_by) for stretch in (*waiting, *stretches)]


def _agree(stretches: Iterable[Stretch], events: Mapping[str, str | None]) -> bool:
    """Whether stretches are the events that lines (by key) are stored in: each in one that was stored whole, or in none yet.

    Lines that are in no stretch may be stored in an event: silence or the end of the session has ended it, and will again.
    """
    n_lines = Counter(events.values())
    for stretch in stretches:
        named = {events[line.key] for line in stretch.lines}
        if len(named) > 1 or (None not in named and n_lines[named.pop()] != len(stretch.lines)):
            return False
    return True


def _stored(row: LineRow, session: str, vector: Float32Array) -> SpokenLine:
    key = row.id.removeprefix(f"{session}-")
    return SpokenLine(key, row.track, row.start_ns, row.end_ns, row.text, vector, row.azimuth_deg, row.confidence)


def event_of(stretch: Stretch, made_by: str = "") -> Event:
    """A stretch as a packet, with the speakers' own words as its summary; `made_by` is the class of the stage that cut it."""
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
        extra={"end_ns": stretch.end_ns, "made_by": made_by},
    )


def _vectors(lines: tuple[SpokenLine, ...]) -> npt.NDArray[np.float64]:
    return np.array([line.vector for line in lines], dtype=np.float64)


def summary_of(texts: list[str], centrality: npt.NDArray[np.float64]) -> str:
    """The most central lines, in the order in which they were said: float, shape (len(texts),), says how central each is."""
    count = _SUMMARY_LINES if len(texts) >= _LONG_EVENT_LINES else 1
    best = sorted(range(len(texts)), key=lambda place: (-round(float(centrality[place]), 6), place))[:count]
    summary = " … ".join(" ".join(texts[place].split()) for place in sorted(best))
    return summary if len(summary) <= _SUMMARY_CHARACTERS else summary[: _SUMMARY_CHARACTERS - 1].rsplit(" ", 1)[0] + " …"
