"""What every segmenting stage does around its segmenter: lines in, events out, and going on after a crash."""

from __future__ import annotations

import copy
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pipeline.packets import Event, Line, SoundEvent
from pipeline.stage import END_NS
from stages.events.heard_before import Step, heard_before
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
_UNKNOWN = "unknown"


class EventStream:
    """Turns the stretches of a room segmenter into Event packets.

    An Event packet lasts until its end was known, so that events leave in order and nobody sees one before it could be told;
    `extra["end_ns"]` is when its last words ended. Copies belong to no event. With a memory, lines that a run before left
    without an event are taken up again; `with_sounds` says that sounds are heard too, and were before.
    """

    def __init__(self, room: RoomSegmenter, memory: LongTermMemory | None, made_by: str = "", *, with_sounds: bool = False) -> None:
        self._room = room
        self._memory = memory
        self._made_by = made_by
        self._with_sounds = with_sounds
        self._repeats = Repeats()
        self._sound_ends_ns: dict[str | None, int] = {}
        self._waiting: list[Stretch] = []
        self._stored: set[str] = set()
        # What was heard before and is taken once it is known which lines and sounds came before it.
        self._unsure: deque[Step] = deque()

    def resume(self) -> None:
        """Read from the memory what a run that was cut short had heard.

        All of its lines are cut again: a boundary depends on what was said long before it, and why an open event began stands nowhere
        else. Where this does not come to the events that are stored (other settings, sounds that were not stored), they stay as
        they are, and the last lines in them are context for what follows.
        """
        memory = self._memory
        if memory is None or not memory.session:
            return
        self._repeats = Repeats.of(memory, memory.session)
        before = heard_before(memory, memory.session, with_sounds=self._with_sounds)
        self._sound_ends_ns = memory.sounds.last_ends(memory.session) if self._with_sounds else {}
        passed_ns = memory.passed_ns(memory.session)
        untouched = copy.deepcopy(self._room)
        stretches = self._again(before.steps[: before.n_sure])
        sure = copy.deepcopy(self._room) if self._with_sounds else self._room
        unsure = self._again(before.steps[before.n_sure :]) + self._room.passed(passed_ns)
        if not _agree([*stretches, *unsure], before.events):
            self._room = untouched
            for line in [line for line in before.lines if before.events[line.key] is not None][-_CONTEXT_LINES:]:
                self._room.prime(line)
            stretches = [known for line in before.lines if before.events[line.key] is None for known in self._room.take(line)]
            # What is known only now was not known before the resume point.
            stretches = [replace(known, closed_ns=max(known.closed_ns, passed_ns)) for known in stretches]
        elif self._with_sounds:
            self._room = sure
            self._unsure = deque(before.steps[before.n_sure :])
        else:
            stretches += unsure
        self._stored = {key for key, event in before.events.items() if event is not None}
        self._waiting = self._new(stretches)

    def take(self, line: Line) -> list[Event]:
        """The events that are known to have ended, now that this line is there."""
        if line.transcript.copy_of is not None or self._repeats.has(line):
            return []
        return self._told([*self._caught_up((line.end_ns, 1)), *self._room.take(spoken(line))])

    def hear(self, sound: SoundEvent) -> list[Event]:
        """A sound that is not speech was heard; the events that are known to have ended. One that was heard before says nothing."""
        ended = self._caught_up((sound.end_ns, 2))
        if sound.pts_ns + sound.duration_ns // 2 >= self._sound_ends_ns.get(sound.label, 0):
            self._room.hear(sound.label or _UNKNOWN)
        return self._told(ended)

    def passed(self, pts_ns: int) -> list[Event]:
        """The events that silence has ended."""
        return self._told([*self._caught_up((pts_ns, 0)), *self._room.passed(pts_ns)])

    def promise(self, pts_ns: int) -> int:
        """What a stage may promise (`Stage.promise`): events that wait, or are open, may end as early as the last line."""
        return min(pts_ns, self._room.promise(pts_ns), *(stretch.closed_ns for stretch in self._waiting))

    def end(self) -> list[Event]:
        """Everything that is open, at the end of the session."""
        return self._told([*self._caught_up((END_NS, 2)), *self._room.end()])

    def _again(self, steps: Iterable[Step]) -> list[Stretch]:
        """Take what was heard before."""
        ended: list[Stretch] = []
        for _, heard in steps:
            if isinstance(heard, SpokenLine):
                ended += self._room.take(heard)
            else:
                self._room.hear(heard.label or _UNKNOWN)
        return ended

    def _caught_up(self, now: tuple[int, int]) -> list[Stretch]:
        """Take what was heard before and comes before a place in the order, up to which everything is there now."""
        ended: list[Stretch] = []
        while self._unsure and self._unsure[0][0] < now:
            ended += self._again([self._unsure.popleft()])
        return ended

    def _told(self, stretches: Iterable[Stretch]) -> list[Event]:
        waiting, self._waiting = self._waiting, []
        return [event_of(stretch, self._made_by) for stretch in (*waiting, *self._new(stretches))]

    def _new(self, stretches: Iterable[Stretch]) -> list[Stretch]:
        """Those with a line that stands in no event yet."""
        return [known for known in stretches if not all(line.key in self._stored for line in known.lines)]


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
