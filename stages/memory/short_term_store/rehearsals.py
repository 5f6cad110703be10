"""Questions on their way to short-term memory, which they rehearse."""

from __future__ import annotations

from collections import deque

from pipeline.packets import Float32Array

_MOST = 64


class Rehearsals:
    """The vectors of the latest 64 questions that nobody has taken yet; `LongTermMemory.rehearsals` is one.

    Searches add them, from any thread; whoever keeps a short-term memory takes them before its next line. A question of another
    process does not come here.
    """

    def __init__(self) -> None:
        self._waiting: deque[Float32Array] = deque(maxlen=_MOST)

    def add(self, vector: Float32Array) -> None:
        """A question was asked; float32, shape (dimension,), of unit length."""
        self._waiting.append(vector)

    def drain(self) -> list[Float32Array]:
        """Take what waits, oldest first. What comes meanwhile may wait for the next time."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]
