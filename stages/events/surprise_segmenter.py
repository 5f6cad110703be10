"""Cuts the lines of one conversation into stretches where they surprise: a pure state machine.

A boundary falls where surprise exceeds mu + gamma * sigma of the recent past, and then moves to the modularity optimum nearby
(EM-LLM, Fountas et al. 2024, arXiv 2407.09450, sections 3.1 and 3.2).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from pipeline.packets import NS_PER_S
from stages.events.modularity import best_split
from stages.events.segmenter import Segmenter
from stages.events.spoken_line import SpokenLine, Stretch
from stages.events.surprise_model import USUAL_TOPIC_NATS, Surprise, SurpriseModel

# How much surprise varies in talk before any has been heard (TIAGE); together with its mean it counts as a few lines.
_PRIOR_DEVIATION_NATS = 0.65
_PRIOR_LINES = 8
_LONGEST_LINE_NS = 30 * NS_PER_S


@dataclass(frozen=True)
class SurpriseSettings:
    """When to cut.

    `gamma` deviations above the mean of the last `n_recent` surprises is a boundary. It is moved by up to `n_moves` lines to the
    modularity optimum among `n_around` lines on each side. Stretches have at least `min_lines` and at most `max_lines` lines,
    and no line is added once one has lasted `max_s`; a silence of `silence_s` always ends one.
    """

    gamma: float = 0.75
    n_recent: int = 40
    n_moves: int = 1
    n_around: int = 3
    min_lines: int = 3
    max_lines: int = 128
    max_s: float = 300.0
    silence_s: float = 30.0

    def __post_init__(self) -> None:
        if not (0 <= self.n_moves < self.n_around and 1 <= self.min_lines < self.max_lines and self.max_s > 0 and self.silence_s > 0):
            raise ValueError(
                "surprise segmentation: n_moves must be at least 0 and below n_around, min_lines at least 1 and below max_lines,"
                f" max_s and silence_s above 0; found {self}"
            )


@dataclass(frozen=True)
class _Boundary:
    """A place in the open lines where a stretch may begin, and why."""

    place: int
    reason: str
    surprise: float


class SurpriseSegmenter(Segmenter):
    """The lines of one conversation, cut where they surprise."""

    def __init__(self, settings: SurpriseSettings, reason: str = "the session begins", surprise: float = 0.0) -> None:
        super().__init__(reason, surprise)
        self._settings = settings
        self._model = SurpriseModel()
        self._recent: deque[float] = deque(maxlen=settings.n_recent)
        self._boundaries: list[_Boundary] = []
        self._last_end_ns = 0

    def prime(self, line: SpokenLine) -> None:
        """Let a line that is already part of a stretch count as context."""
        self._heard(line)

    def take(self, line: SpokenLine) -> list[Stretch]:
        """The stretches that are known to have ended, now that this line is there."""
        settings, ended = self._settings, []
        pause_ns = line.start_ns - self._last_end_ns
        if self._open and pause_ns >= settings.silence_s * NS_PER_S:
            ended += self._settle(line.end_ns, final=True)
            ended.append(self._close(len(self._open), min(line.end_ns, self._silent_ns())))
        elif self._open and (len(self._open) >= settings.max_lines or line.end_ns - self._open[0].start_ns > settings.max_s * NS_PER_S):
            ended += self._settle(line.end_ns, final=True)
            ended.append(self._close(len(self._open), line.end_ns))
            self.reason, self.surprise = "the event before grew too long", 0.0
        threshold = self._threshold()
        surprise = self._heard(line)
        if not self._open and surprise is not None and pause_ns >= settings.silence_s * NS_PER_S:
            self.reason, self.surprise = f"silence of {pause_ns / NS_PER_S:.1f} s", surprise.total
        elif self._open and surprise is not None and surprise.total > threshold:
            self._boundaries.append(_Boundary(len(self._open), _reason(surprise, line, threshold), surprise.total))
        self._open.append(line)
        return ended + self._settle(line.end_ns, final=False)

    def passed(self, pts_ns: int) -> list[Stretch]:
        """The stretch that silence has ended, once every line that began before the silence was long enough must have come."""
        if not self._open or pts_ns < self._silent_ns():
            return []
        ended = self._settle(self._silent_ns(), final=True)
        return [*ended, self._close(len(self._open), self._silent_ns())]

    def end(self, pts_ns: int) -> list[Stretch]:
        """Everything that is open, at the end of the session."""
        return self._settle(pts_ns, final=True) + super().end(pts_ns)

    def _silent_ns(self) -> int:
        """Any line that comes after this time began after a silence that ends a stretch."""
        return self._last_end_ns + round(self._settings.silence_s * NS_PER_S) + _LONGEST_LINE_NS

    def _heard(self, line: SpokenLine) -> Surprise | None:
        surprise = self._model.take(line)
        if surprise is not None:
            self._recent.append(surprise.total)
        self._last_end_ns = max(self._last_end_ns, line.end_ns)
        return surprise

    def _threshold(self) -> float:
        """Mu + gamma * sigma of the recent past, without the line that is judged."""
        count = len(self._recent) + _PRIOR_LINES
        mean = (math.fsum(self._recent) + _PRIOR_LINES * USUAL_TOPIC_NATS) / count
        spread = math.fsum((value - mean) ** 2 for value in self._recent) + _PRIOR_LINES * _PRIOR_DEVIATION_NATS**2
        return mean + self._settings.gamma * math.sqrt(spread / count)

    def _settle(self, now_ns: int, *, final: bool) -> list[Stretch]:
        """Decide boundaries that have enough lines after them (all of them when no more lines will come)."""
        settings, ended = self._settings, []
        while self._boundaries:
            first = self._boundaries[0]
            if not final and len(self._open) < first.place + settings.n_around:
                break
            del self._boundaries[0]
            if any(other.surprise > first.surprise and other.place - first.place < settings.min_lines for other in self._boundaries):
                # Both cannot stand so near each other: the greater surprise does.
                continue
            begin = max(0, first.place - settings.n_around)
            around = self._open[begin : first.place + settings.n_around]
            least, most = settings.min_lines, len(self._open) - settings.min_lines
            places = range(max(first.place - settings.n_moves, least), min(first.place + settings.n_moves, most) + 1)
            split = best_split([line.vector for line in around], [place - begin for place in places], first.place - begin)
            if split is None:
                continue
            cut = begin + split
            ended.append(self._close(cut, now_ns))
            self.reason, self.surprise = first.reason, first.surprise
            self._boundaries = [_Boundary(b.place - cut, b.reason, b.surprise) for b in self._boundaries if b.place > cut]
        return ended


def _reason(surprise: Surprise, line: SpokenLine, threshold: float) -> str:
    """The lane that did most, in words."""
    found = f"surprise {surprise.total:.2f} > {threshold:.2f}"
    if surprise.silence >= 2.0 and surprise.silence >= surprise.people:
        return f"silence of {surprise.pause_s:.1f} s: {found}"
    if surprise.joined and surprise.people >= 1.0:
        return f"somebody joined: {line.track}: {found}"
    return f"topic changed: {found}"
