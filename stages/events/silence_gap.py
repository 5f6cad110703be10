"""Events by silence: one ends when nobody of a conversation has spoken for a while."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import Event, Line
from pipeline.stage import Emit, In, Out, Stage
from stages.events.event_stream import EventStream
from stages.events.room_segmenter import RoomSegmenter
from stages.events.silence_segmenter import SilenceSegmenter
from stages.memory.long_term_memory import LongTermMemory


class SilenceGap(Stage):
    """An event ends after `silence_s` without speech in its conversation, or when it has lasted `max_s`.

    With `apart` False the whole room is one conversation. With `memory`, a session that was cut short goes on.
    """

    line = In(Line)
    events = Out(Event)

    def __init__(self, silence_s: float = 5.0, max_s: float = 300.0, apart: bool = True, memory: LongTermMemory | None = None) -> None:
        SilenceSegmenter(silence_s, max_s)
        self._stream = EventStream(
            RoomSegmenter(lambda reason: SilenceSegmenter(silence_s, max_s, reason), apart=apart), memory, type(self).__name__
        )

    def start(self) -> None:
        """Take up what a run before left without an event."""
        self._stream.resume()

    def on_line(self, line: Line) -> Iterator[Emit[Event]]:
        """Take in a line."""
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
