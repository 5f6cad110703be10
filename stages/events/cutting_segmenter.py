"""Cuts the lines of one conversation where a finder sees a topic begin, where silence falls, and where a stretch grows too long."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.packets import NS_PER_S
from stages.events.boundary_finder import Boundary, BoundaryFinder
from stages.events.segmenter import Segmenter
from stages.events.spoken_line import SpokenLine, Stretch

_LONGEST_LINE_NS = 30 * NS_PER_S


@dataclass(frozen=True)
class Limits:
    """What ends a stretch whatever is said: `max_lines` lines, `max_s` since it began, or a silence of `silence_s`."""

    max_lines: int
    max_s: float
    silence_s: float

    def __post_init__(self) -> None:
        if self.max_lines < 2 or not (self.max_s > 0 and self.silence_s > 0):
            raise ValueError(f"segmentation: max_lines must be at least 2, max_s and silence_s above 0; found {self}")


class CuttingSegmenter(Segmenter):
    """The lines of one conversation, cut where `finder` finds boundaries and where `limits` are reached."""

    def __init__(self, finder: BoundaryFinder, limits: Limits, reason: str = "the session begins", surprise: float = 0.0) -> None:
        super().__init__(reason, surprise)
        self._finder = finder
        self._limits = limits
        # The numbers, in the finder's count, of the first open line and of the next line to come.
        self._begin = 0
        self._next = 0
        self._last_end_ns: int | None = None

    def prime(self, line: SpokenLine) -> None:
        """Let a line that is already part of a stretch count as context."""
        self._heard(line)
        self._begin = self._next
        self._finder.began(self._begin)

    def take(self, line: SpokenLine) -> list[Stretch]:
        """The stretches that are known to have ended, now that this line is there."""
        limits, ended = self._limits, []
        pause_ns = 0 if self._last_end_ns is None else line.start_ns - self._last_end_ns
        if self._open and pause_ns >= limits.silence_s * NS_PER_S:
            ended += self._all(min(line.end_ns, self._silent_ns()))
        elif self._open and (len(self._open) >= limits.max_lines or line.end_ns - self._open[0].start_ns > limits.max_s * NS_PER_S):
            ended += self._all(line.end_ns)
            self.reason, self.surprise = "the event before grew too long", 0.0
        is_after_silence = not self._open and self._last_end_ns is not None and pause_ns >= limits.silence_s * NS_PER_S
        found = self._heard(line)
        if is_after_silence:
            self.reason, self.surprise = f"silence of {pause_ns / NS_PER_S:.1f} s", self._finder.surprise
        self._open.append(line)
        return ended + self._cut(found, line.end_ns)

    def hear(self, label: str) -> None:
        """A sound that is not speech was heard."""
        self._finder.hear(label)

    def passed(self, pts_ns: int) -> list[Stretch]:
        """The stretch that silence has ended, once every line that began before the silence was long enough must have come."""
        if not self._open or pts_ns < self._silent_ns():
            return []
        return self._all(self._silent_ns())

    def end(self, pts_ns: int) -> list[Stretch]:
        """Everything that is open, at the end of the session."""
        return self._all(pts_ns) if self._open else []

    def _silent_ns(self) -> int:
        """Any line that comes after this time began after a silence that ends a stretch."""
        return (self._last_end_ns or 0) + round(self._limits.silence_s * NS_PER_S) + _LONGEST_LINE_NS

    def _heard(self, line: SpokenLine) -> list[Boundary]:
        self._next += 1
        self._last_end_ns = max(self._last_end_ns or 0, line.end_ns)
        return self._finder.take(line)

    def _all(self, now_ns: int) -> list[Stretch]:
        """Every open line in stretches, since none will follow that belongs to them."""
        ended = self._cut(self._finder.settle(), now_ns)
        if self._open:
            ended.append(self._close(len(self._open), now_ns))
        self._begin = self._next
        self._finder.began(self._begin)
        return ended

    def _cut(self, boundaries: list[Boundary], now_ns: int) -> list[Stretch]:
        ended = []
        for boundary in boundaries:
            count = boundary.place - self._begin
            if 0 < count < len(self._open):
                ended.append(self._close(count, now_ns))
                self._begin = boundary.place
                self.reason, self.surprise = boundary.reason, boundary.surprise
        return ended
