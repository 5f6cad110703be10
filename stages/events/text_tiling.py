"""Events by TextTiling: where likeness of what came before and what follows has a deep valley."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import Event, Line
from pipeline.stage import Emit, In, Out, Stage
from stages.events.cutting_segmenter import CuttingSegmenter, Limits
from stages.events.depth_finder import DepthFinder
from stages.events.event_stream import EventStream
from stages.events.room_segmenter import RoomSegmenter
from stages.memory.long_term_memory import LongTermMemory


class TextTiling(Stage):
    """Cuts each conversation where the likeness of `n_block` lines on each side is lower than around it by mu + `gamma` * sigma.

    An event is told `n_block` + `n_climb` lines after its end at most (the second is how far the rise after a valley is followed), or
    when `silence_s` and the longest line have passed. `min_lines`, `max_lines` and `max_s` bound an event; with `apart` False the whole
    room is one conversation. With `memory`, a session that was cut short goes on. See `depth_finder` for the method.
    """

    line = In(Line)
    events = Out(Event)

    def __init__(
        self,
        n_block: int = 3,
        n_climb: int = 3,
        gamma: float = 0.5,
        min_lines: int = 3,
        max_lines: int = 128,
        max_s: float = 300.0,
        silence_s: float = 30.0,
        apart: bool = True,
        memory: LongTermMemory | None = None,
    ) -> None:
        limits = Limits(max_lines, max_s, silence_s)

        def make(reason: str) -> CuttingSegmenter:
            return CuttingSegmenter(DepthFinder(n_block, n_climb, gamma, min_lines), limits, reason)

        make("")
        self._stream = EventStream(RoomSegmenter(make, apart=apart), memory, type(self).__name__)

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

    def promise(self, pts_ns: int) -> int:
        """No event ends before this any more: one that is open may end with the last line."""
        return self._stream.promise(pts_ns)

    def flush(self) -> Iterator[Emit[Event]]:
        """The events that the end of the session ends."""
        for event in self._stream.end():
            yield self.events(event)
