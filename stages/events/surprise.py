"""Events by surprise: a boundary where what is said could not be foreseen, for each conversation in the room."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import Event, Line
from pipeline.stage import Emit, In, Out, Stage
from stages.events.event_stream import EventStream
from stages.events.room_segmenter import RoomSegmenter
from stages.events.surprise_segmenter import SurpriseSegmenter, SurpriseSettings
from stages.memory.long_term_memory import LongTermMemory


class Surprise(Stage):
    """Cuts each conversation where surprise exceeds mu + `gamma` * sigma of its last `n_recent` lines.

    A boundary moves by up to `n_moves` lines to where both sides are most alike within, seen over `n_around` lines on each side:
    so an event is told at most `n_around` lines after its end, or when `silence_s` and the longest line have passed. An event has
    at least `min_lines` (unless silence or the session ends it), at most `max_lines`, and lasts `max_s` at most, give or take a
    line. With `apart` False the whole room is one conversation. With `memory`, a session that was cut short goes on.
    """

    line = In(Line)
    events = Out(Event)

    def __init__(
        self,
        gamma: float = 0.75,
        n_recent: int = 40,
        n_moves: int = 1,
        n_around: int = 3,
        min_lines: int = 3,
        max_lines: int = 128,
        max_s: float = 300.0,
        silence_s: float = 30.0,
        apart: bool = True,
        memory: LongTermMemory | None = None,
    ) -> None:
        settings = SurpriseSettings(gamma, n_recent, n_moves, n_around, min_lines, max_lines, max_s, silence_s)
        self._stream = EventStream(RoomSegmenter(lambda reason: SurpriseSegmenter(settings, reason), apart=apart), memory)

    def start(self) -> None:
        """Take up what a run before left without an event."""
        self._stream.resume()

    def on_line(self, line: Line) -> Iterator[Emit[Event]]:
        """Judge a line."""
        for event in self._stream.take(line):
            yield self.events(event)

    def on_passed(self, pts_ns: int) -> Iterator[Emit[Event]]:
        """End what silence has ended."""
        for event in self._stream.passed(pts_ns):
            yield self.events(event)

    def flush(self) -> Iterator[Emit[Event]]:
        """The events that the end of the session ends."""
        for event in self._stream.end():
            yield self.events(event)
