"""Events by surprise: a boundary where what is said could not be foreseen, for each conversation in the room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipeline.packets import Event, Line
from pipeline.stage import Emit, In, Out, Stage
from stages.events.event_stream import EventStream
from stages.events.room_segmenter import RoomSegmenter
from stages.events.surprise_segmenter import SurpriseSegmenter, settings_for
from stages.events.talk_profile import TalkKind
from stages.memory.long_term_memory import LongTermMemory


class Surprise(Stage):
    """Cuts each conversation where the odds of a new topic exceed mu + `gamma` * sigma of its last `n_recent` lines.

    `talk` says what is usual: "conversation" for rooms where people talk, in events of some lines; "chat" for short lines whose topic
    changes every few of them; "meeting" for the few great topics of a meeting, told later. A setting that is not given is the talk's.
    A boundary moves by up to `n_moves` lines to where both sides are most alike within, seen over `n_around` lines on each side: so an
    event is told at most `n_around` + `n_moves` lines after its end, or when `silence_s` and the longest line have passed. An event has
    at least `min_lines` (unless silence or the session ends it), at most `max_lines`, and lasts `max_s` at most, give or take a line.
    Where the recogniser tells how likely its words were, `surprisal_ratio` says how many times as unlikely they are taken to be where a
    topic begins (1 to 10): 1 leaves them to the surprise of an event alone, since measured they do not tell topics (README). With
    `apart` False the whole room is one conversation. With `memory`, a session that was cut short goes on.
    """

    line = In(Line)
    events = Out(Event)

    def __init__(
        self,
        talk: TalkKind = "conversation",
        gamma: float | None = None,
        n_recent: int | None = None,
        n_moves: int | None = None,
        n_around: int | None = None,
        min_lines: int | None = None,
        max_lines: int | None = None,
        max_s: float | None = None,
        silence_s: float = 30.0,
        surprisal_ratio: float = 1.0,
        apart: bool = True,
        memory: LongTermMemory | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "gamma": gamma,
            "n_recent": n_recent,
            "n_moves": n_moves,
            "n_around": n_around,
            "min_lines": min_lines,
            "max_lines": max_lines,
            "max_s": max_s,
            "silence_s": silence_s,
            "surprisal_ratio": surprisal_ratio,
        }
        settings = replace(settings_for(talk), **{name: value for name, value in given.items() if value is not None})
        self._stream = EventStream(
            RoomSegmenter(lambda reason: SurpriseSegmenter(settings, reason), apart=apart),
            memory,
            type(self).__name__,
            with_sounds="sound" in self.inputs,
        )

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
