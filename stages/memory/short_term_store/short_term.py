"""Short-term memory: a bounded set of traces that are rehearsed by what comes after, and merge or leave when there are too many.

Usage is uses over lifetime, as in XMem (Cheng and Schwing 2022, arXiv 2207.07115, section 3.2): every stimulus is one step of life for
all, and a use in the measure of its affinity. When there are too many items or bytes, the two most alike neighbours in time become one
(MovieChat, Song et al. 2024, arXiv 2307.16449, section 3.3), with a vector that both have a part in (XMem's potentiation); where no
neighbours are alike, the least used leaves, as XMem's long-term memory evicts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from pipeline.packets import Float32Array

MOST_LINES = 32
"""So many lines one trace may stand for."""
TRACE_BYTES = 48
"""What a trace takes besides its vector and its lines, in `short_term_state`."""
STATE_BYTES = 16
"""What an empty store takes there."""


class ShortTermError(ValueError):
    """A setting, a stimulus or a stored state that the store cannot take."""


@dataclass(frozen=True)
class Trace:
    """One item. `vector` is float32, shape (dimension,), of unit length; `lines` are the keys of the lines that it stands for.

    `key` is the line of it that was used most. The span is on the session's clock.
    """

    key: str
    vector: Float32Array
    uses: float = 0.0
    life: int = 0
    lines: tuple[str, ...] = ()
    start_ns: int = 0
    end_ns: int = 0

    @property
    def usage(self) -> float:
        """Uses over lifetime, 0 to 1."""
        return self.uses / self.life if self.life else 0.0

    @property
    def n_lines(self) -> int:
        """How many lines it stands for."""
        return len(self.lines)

    @property
    def n_bytes(self) -> int:
        """Its size as it is stored."""
        return TRACE_BYTES + 4 * len(self.vector) + sum(2 + len(line.encode()) for line in self.lines)


@dataclass(frozen=True)
class Leaving:
    """A line that has left the store, or was merged or gated there, with its usage then. `trace` is the whole trace where that has left."""

    key: str
    usage: float
    trace: Trace | None = None


class ShortTermStore:
    """At most `capacity` traces and `most_bytes` bytes, in the order in which they came. A pure state machine.

    Bytes are those of the stored state; 0 is no bound. Neighbours merge when their cosine is at least `merge_likeness`.
    """

    def __init__(self, capacity: int, most_bytes: int = 0, merge_likeness: float = 0.0, traces: Collection[Trace] = ()) -> None:
        if capacity < 2:
            raise ShortTermError(f"short-term memory: capacity must be at least 2, found {capacity}")
        if most_bytes < 0:
            raise ShortTermError(f"short-term memory: bytes must be 0 (no bound) or more, found {most_bytes}")
        if not -1.0 <= merge_likeness <= 1.0:
            raise ShortTermError(f"short-term memory: merge_likeness must be a cosine, -1 to 1, found {merge_likeness}")
        self._capacity = capacity
        self._most_bytes = most_bytes
        self._merge_likeness = merge_likeness
        self._traces = list(traces)

    @property
    def traces(self) -> tuple[Trace, ...]:
        """What is in the store, oldest first."""
        return tuple(self._traces)

    def used_bytes(self) -> int:
        """The bytes of the state, as it is stored."""
        return STATE_BYTES + sum(trace.n_bytes for trace in self._traces)

    def take(self, key: str, vector: Float32Array, start_ns: int = 0, end_ns: int = 0) -> list[Leaving]:
        """A new line: it rehearses what is there, then is there itself; what had to leave for it."""
        self._refuse(key)
        self.rehearse(vector)
        self._traces.append(Trace(key, vector, lines=(key,), start_ns=start_ns, end_ns=end_ns))
        return self.keep_bounds()

    def join(self, key: str, vector: Float32Array, place: int, start_ns: int = 0, end_ns: int = 0) -> list[Leaving]:
        """A line that says again what a trace has: it rehearses all, becomes part of that one, and leaves with its usage.

        A trace that stands for as many lines as it may is rehearsed only.
        """
        self._refuse(key)
        self.rehearse(vector)
        trace = self._traces[place]
        if trace.n_lines < MOST_LINES:
            other = Trace(key, vector, lines=(key,), start_ns=start_ns, end_ns=end_ns)
            self._traces[place] = _merged(trace, trace, other)
        return [Leaving(key, trace.usage), *self.keep_bounds()]

    def rehearse(self, vector: Float32Array) -> None:
        """A related input or a question: every trace lives a step longer, and is used in the measure of its likeness (0 to 1)."""
        self._traces = [
            replace(trace, uses=trace.uses + min(1.0, max(0.0, float(trace.vector @ vector))), life=trace.life + 1)
            for trace in self._traces
        ]

    def forget(self, lines: Collection[str]) -> list[Leaving]:
        """Drop every trace that has a part in one of some lines; what other lines leave with. They make no prototypes."""
        gone = set(lines)
        dropped = [trace for trace in self._traces if gone.intersection(trace.lines)]
        self._traces = [trace for trace in self._traces if not gone.intersection(trace.lines)]
        return [Leaving(trace.key, trace.usage) for trace in dropped if trace.key not in gone]

    def clear(self) -> list[Leaving]:
        """Everything leaves, oldest first."""
        leaving = [Leaving(trace.key, trace.usage, trace) for trace in self._traces]
        self._traces = []
        return leaving

    def keep_bounds(self) -> list[Leaving]:
        """Merge and drop until the bounds hold; what left for that. To be called where a stored state meets smaller bounds."""
        leaving = []
        while len(self._traces) > self._capacity or (self._most_bytes and self._traces and self.used_bytes() > self._most_bytes):
            leaving.append(self._make_room())
        return leaving

    def _make_room(self) -> Leaving:
        alike = [
            (float(a.vector @ b.vector), -place)
            for place, (a, b) in enumerate(zip(self._traces, self._traces[1:], strict=False))
            if a.n_lines + b.n_lines <= MOST_LINES
        ]
        likeness, place = max(alike, default=(-2.0, 0))
        if likeness < self._merge_likeness:
            # The newest has had no time to be used.
            older = self._traces[:-1] or self._traces
            least = min(range(len(older)), key=lambda n: (older[n].usage, n))
            trace = self._traces.pop(least)
            return Leaving(trace.key, trace.usage, trace)
        one, other = self._traces[-place], self._traces[1 - place]
        stays, goes = (other, one) if other.usage > one.usage else (one, other)
        self._traces[-place : 2 - place] = [_merged(stays, one, other)]
        return Leaving(goes.key, goes.usage)

    def _refuse(self, key: str) -> None:
        if any(key in trace.lines for trace in self._traces):
            raise ShortTermError(f"short-term memory: line {key!r} is there already")


def _merged(stays: Trace, one: Trace, other: Trace) -> Trace:
    """One trace of two, with the uses and life of the one that stays."""
    mean = one.vector.astype(np.float64) * one.n_lines + other.vector.astype(np.float64) * other.n_lines
    length = float(np.linalg.norm(mean))
    return replace(
        stays,
        vector=(mean / length).astype(np.float32) if length > 1e-6 else stays.vector,
        lines=one.lines + other.lines,
        start_ns=min(one.start_ns, other.start_ns),
        end_ns=max(one.end_ns, other.end_ns),
    )
