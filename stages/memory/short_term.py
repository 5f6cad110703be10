"""Short-term memory: a bounded set of lines that are rehearsed by what comes after, and merge when there are too many.

Usage is uses over lifetime, as in XMem (Cheng and Schwing 2022, arXiv 2207.07115, section 3.2): every new stimulus is one step of
life for all, and a use in the measure of its affinity. When the store is full, the two most alike neighbours in time become one
(MovieChat, Song et al. 2024, arXiv 2307.16449, section 3.3): the more used one stays, with a vector that both have a part in
(XMem's potentiation), and the other leaves with its usage, for consolidation to see.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.packets import Float32Array


class ShortTermError(ValueError):
    """A setting or a stimulus that the store cannot take."""


@dataclass(frozen=True)
class Trace:
    """One item. `vector` is float32, shape (dimension,), of unit length; `n_lines` is how many lines it stands for."""

    key: str
    vector: Float32Array
    uses: float = 0.0
    life: int = 0
    n_lines: int = 1

    @property
    def usage(self) -> float:
        """Uses over lifetime, 0 to 1."""
        return self.uses / self.life if self.life else 0.0


@dataclass(frozen=True)
class Leaving:
    """A line that has left the store, with its usage when it went."""

    key: str
    usage: float


class ShortTermStore:
    """At most `capacity` traces, in the order in which they came. A pure state machine."""

    def __init__(self, capacity: int) -> None:
        if capacity < 2:
            raise ShortTermError(f"short-term memory: capacity must be at least 2, found {capacity}")
        self._capacity = capacity
        self._traces: list[Trace] = []

    @property
    def traces(self) -> tuple[Trace, ...]:
        """What is in the store, oldest first."""
        return tuple(self._traces)

    def take(self, key: str, vector: Float32Array) -> list[Leaving]:
        """A new line: it rehearses what is there, then is there itself; what had to leave for it."""
        if any(trace.key == key for trace in self._traces):
            raise ShortTermError(f"short-term memory: line {key!r} is there already")
        self.rehearse(vector)
        self._traces.append(Trace(key, vector))
        return [self._merge()] if len(self._traces) > self._capacity else []

    def rehearse(self, vector: Float32Array) -> None:
        """A related input or a question: every trace lives a step longer, and is used in the measure of its likeness (0 to 1)."""
        self._traces = [
            replace(trace, uses=trace.uses + min(1.0, max(0.0, float(trace.vector @ vector))), life=trace.life + 1)
            for trace in self._traces
        ]

    def clear(self) -> list[Leaving]:
        """Everything leaves, oldest first."""
        leaving = [Leaving(trace.key, trace.usage) for trace in self._traces]
        self._traces = []
        return leaving

    def _merge(self) -> Leaving:
        likeness = [float(a.vector @ b.vector) for a, b in zip(self._traces, self._traces[1:], strict=False)]
        place = max(range(len(likeness)), key=lambda i: (likeness[i], -i))
        one, other = self._traces[place], self._traces[place + 1]
        stays, goes = (other, one) if other.usage > one.usage else (one, other)
        mean = one.vector.astype(np.float64) * one.n_lines + other.vector.astype(np.float64) * other.n_lines
        length = float(np.linalg.norm(mean))
        vector = (mean / length).astype(np.float32) if length > 1e-6 else stays.vector
        merged = replace(stays, vector=vector, n_lines=one.n_lines + other.n_lines)
        self._traces[place : place + 2] = [merged]
        return Leaving(goes.key, goes.usage)
