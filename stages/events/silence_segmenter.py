"""Cuts the lines of one conversation where nobody speaks for a while."""

from __future__ import annotations

from pipeline.packets import NS_PER_S, nanoseconds
from stages.events.segmenter import Segmenter
from stages.events.spoken_line import SpokenLine, Stretch

_LONGEST_LINE_NS = 30 * NS_PER_S


class SilenceSegmenter(Segmenter):
    """A stretch ends after `silence_s` without speech, or when it has lasted `max_s`."""

    def __init__(self, silence_s: float, max_s: float, reason: str = "the session begins") -> None:
        super().__init__(reason)
        if not (silence_s > 0 and max_s > 0):
            raise ValueError(f"silence segmentation: silence_s and max_s must be above 0, found {silence_s} and {max_s}")
        self._silence_ns = nanoseconds(silence_s)
        self._max_ns = nanoseconds(max_s)
        self._last_end_ns: int | None = None

    def take(self, line: SpokenLine) -> list[Stretch]:
        """The stretch that is known to have ended, now that this line is there."""
        ended = []
        pause_ns = 0 if self._last_end_ns is None else line.start_ns - self._last_end_ns
        if self._open and pause_ns >= self._silence_ns:
            ended.append(self._close(len(self._open), min(line.end_ns, self._silent_ns())))
        elif self._open and line.end_ns - self._open[0].start_ns > self._max_ns:
            ended.append(self._close(len(self._open), line.end_ns))
            self.reason = "the event before grew too long"
        if not self._open and pause_ns >= self._silence_ns:
            self.reason = f"silence of {pause_ns / NS_PER_S:.1f} s"
        self._open.append(line)
        self._last_end_ns = max(self._last_end_ns or 0, line.end_ns)
        return ended

    def prime(self, line: SpokenLine) -> None:
        """Remember when there was speech last."""
        self._last_end_ns = max(self._last_end_ns or 0, line.end_ns)

    def passed(self, pts_ns: int) -> list[Stretch]:
        """The stretch that silence has ended, once every line that began before the silence was long enough must have come."""
        return [self._close(len(self._open), self._silent_ns())] if self._open and pts_ns >= self._silent_ns() else []

    def _silent_ns(self) -> int:
        return (self._last_end_ns or 0) + self._silence_ns + _LONGEST_LINE_NS
