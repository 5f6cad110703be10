"""The interface of what cuts the lines of one conversation into stretches."""

from __future__ import annotations

from abc import ABC, abstractmethod

from stages.events.spoken_line import SpokenLine, Stretch


class Segmenter(ABC):
    """Takes lines in the order of their ends and gives back stretches: every line stands in exactly one, in order.

    A pure state machine: the same calls give the same stretches.
    """

    reason: str
    """Why the open stretch began where it did."""
    surprise: float
    """How surprising that was, in nats."""

    def __init__(self, reason: str = "the session begins", surprise: float = 0.0) -> None:
        self.reason = reason
        self.surprise = surprise
        self._open: list[SpokenLine] = []

    @property
    def open_lines(self) -> tuple[SpokenLine, ...]:
        """Lines that belong to no stretch yet."""
        return tuple(self._open)

    @abstractmethod
    def take(self, line: SpokenLine) -> list[Stretch]:
        """The stretches that are known to have ended, now that this line is there."""

    def prime(self, line: SpokenLine) -> None:  # noqa: B027 - most segmenters need no context
        """Let a line that is already part of a stretch count as context."""

    def hear(self, label: str) -> None:  # noqa: B027 - most segmenters have no ear for sounds
        """A sound that is not speech was heard."""

    def passed(self, pts_ns: int) -> list[Stretch]:  # noqa: ARG002 - for those that end a stretch in silence
        """The stretches that time has ended: no line that ends before `pts_ns` will come any more.

        Whether it was told may not change what comes out, only when.
        """
        return []

    def end(self, pts_ns: int) -> list[Stretch]:
        """Everything that is open, at the end of the session."""
        return [self._close(len(self._open), pts_ns)] if self._open else []

    def _close(self, count: int, closed_ns: int) -> Stretch:
        """The first `count` open lines as a stretch; who calls it says why the next one begins."""
        stretch = Stretch(lines=tuple(self._open[:count]), reason=self.reason, surprise=self.surprise, closed_ns=closed_ns)
        self._open = self._open[count:]
        return stretch
