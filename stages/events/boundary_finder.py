"""The interface of what says where, among the lines of one conversation, a topic begins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from stages.events.spoken_line import SpokenLine


@dataclass(frozen=True)
class Boundary:
    """A topic begins at line `place` (counted from 0 over all that was taken), and why; `surprise` in nats, at least 0."""

    place: int
    reason: str
    surprise: float


class BoundaryFinder(ABC):
    """Takes lines in the order of their ends. A pure state machine, bounded however long the talk.

    A boundary is told at most `n_ahead` lines after the last line before it, and no nearer than its least distance to the one before.
    """

    n_ahead: int
    surprise: float = 0.0
    """How surprising the newest line was, in nats."""

    @abstractmethod
    def take(self, line: SpokenLine) -> list[Boundary]:
        """The boundaries that are known, now that this line is there, in order."""

    @abstractmethod
    def settle(self) -> list[Boundary]:
        """What can be said of the lines so far, when none will follow that belong to them."""

    @abstractmethod
    def began(self, place: int) -> None:
        """Something else ended a stretch: one begins at line `place`."""

    def hear(self, label: str) -> None:  # noqa: B027 - most finders have no ear for sounds
        """A sound that is not speech was heard; it counts for the next line."""
