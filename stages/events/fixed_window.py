"""Events of fixed length: the baseline that says nothing about what was said."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import Event, Line
from pipeline.stage import Emit, In, Out, Stage
from stages.events.event_stream import EventStream
from stages.events.room_segmenter import RoomSegmenter
from stages.events.window_segmenter import WindowSegmenter
from stages.memory.long_term_memory import LongTermMemory


class FixedWindow(Stage):
    """Everything in the room that ends within the same `window_s` seconds is one event.

    With `memory`, a session that was cut short goes on.
    """

    line = In(Line)
    events = Out(Event)

    def __init__(self, window_s: float = 30.0, memory: LongTermMemory | None = None) -> None:
        WindowSegmenter(window_s)
        self._stream = EventStream(
            RoomSegmenter(lambda reason: WindowSegmenter(window_s, reason), apart=False), memory, type(self).__name__
        )

    def start(self) -> None:
        """Take up what a run before left without an event."""
        self._stream.resume()

    def on_line(self, line: Line) -> Iterator[Emit[Event]]:
        """Take in a line."""
        for event in self._stream.take(line):
            yield self.events(event)

    def on_passed(self, pts_ns: int) -> Iterator[Emit[Event]]:
        """End windows that are over."""
        for event in self._stream.passed(pts_ns):
            yield self.events(event)

    def promise(self, pts_ns: int) -> int:
        """No event ends before this any more: one that is open may end with the last line."""
        return self._stream.promise(pts_ns)

    def flush(self) -> Iterator[Emit[Event]]:
        """The window that the end of the session ends."""
        for event in self._stream.end():
            yield self.events(event)
