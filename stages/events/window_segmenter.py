"""Cuts the lines of a room every so many seconds, whatever is said."""

from __future__ import annotations

from pipeline.packets import nanoseconds
from stages.events.segmenter import Segmenter
from stages.events.spoken_line import SpokenLine, Stretch


class WindowSegmenter(Segmenter):
    """A line belongs to the window in which it ends; windows without lines make no stretch."""

    def __init__(self, window_s: float, reason: str = "the session begins") -> None:
        super().__init__(reason)
        if not window_s > 0:
            raise ValueError(f"fixed windows: window_s must be above 0, found {window_s}")
        self._window_s = window_s
        self._window_ns = nanoseconds(window_s)

    def take(self, line: SpokenLine) -> list[Stretch]:
        """The stretch of the window before, when this line is in a later one."""
        ended = self.passed(line.end_ns)
        self._open.append(line)
        return ended

    def passed(self, pts_ns: int) -> list[Stretch]:
        """The stretch of a window that is over."""
        if not self._open:
            return []
        over_ns = (self._open[0].end_ns // self._window_ns + 1) * self._window_ns
        if pts_ns < over_ns:
            return []
        stretch = self._close(len(self._open), over_ns)
        self.reason = f"a new window of {self._window_s:g} s"
        return [stretch]
