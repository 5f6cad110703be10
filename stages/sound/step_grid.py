"""Audio cut into overlapping windows that lie on a grid of the session clock: the same windows wherever a run began."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array


@dataclass(frozen=True)
class GridWindow:
    """One window: the number of the step that it begins with, and samples, float32, shape (window_frames,)."""

    step: int
    samples: Float32Array


class StepGrid:
    """Takes samples that follow each other, gives windows that begin at each multiple of `hop_frames` since the session began.

    The first window is filled up with silence before the first sample, the last one behind the last. `starts_ns` and `ends_ns` say
    what was really heard.
    """

    def __init__(self, rate_hz: int, hop_frames: int, window_frames: int) -> None:
        self._rate_hz = rate_hz
        self._hop_frames = hop_frames
        self._window_frames = window_frames
        self.reset()

    def reset(self) -> None:
        """The next samples have nothing to do with those before."""
        self._step: int | None = None
        self._next_frame = 0
        self._waiting: Float32Array = np.zeros(0, dtype=np.float32)
        self.starts_ns = self.ends_ns = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come since the last reset."""
        return self._step is None

    def continues(self, pts_ns: int) -> bool:
        """Whether a block that starts then follows what came before (one sample more or less is rounding)."""
        return self._step is None or abs(self._frame(pts_ns) - self._next_frame) <= 1

    def step_at(self, time_ns: int) -> int:
        """The number of the step in which a moment lies."""
        return self._frame(time_ns) // self._hop_frames

    def begin_ns(self, step: int) -> int:
        """When a step begins."""
        return step * self._hop_frames * NS_PER_S // self._rate_hz

    def push(self, pts_ns: int, samples: Float32Array) -> Iterator[GridWindow]:
        """Take samples, float32, shape (frames,); the windows that became complete."""
        if self._step is None:
            frame = self._frame(pts_ns)
            self._step = frame // self._hop_frames
            self._next_frame = frame
            self._waiting = np.zeros(frame % self._hop_frames, dtype=np.float32)
            self.starts_ns = pts_ns
        self._next_frame += len(samples)
        self.ends_ns = self._next_frame * NS_PER_S // self._rate_hz
        self._waiting = np.concatenate([self._waiting, samples])
        yield from self._complete()

    def flush(self) -> Iterator[GridWindow]:
        """The windows of the steps that are left, filled up with silence."""
        if self._step is None:
            return
        n_steps = -(-len(self._waiting) // self._hop_frames)
        padding = (n_steps - 1) * self._hop_frames + self._window_frames - len(self._waiting) if n_steps else 0
        self._waiting = np.concatenate([self._waiting, np.zeros(max(0, padding), dtype=np.float32)])
        yield from self._complete(n_steps)

    def _complete(self, n_most: int | None = None) -> Iterator[GridWindow]:
        while self._step is not None and len(self._waiting) >= self._window_frames and n_most != 0:
            yield GridWindow(self._step, self._waiting[: self._window_frames])
            self._waiting = self._waiting[self._hop_frames :]
            self._step += 1
            n_most = None if n_most is None else n_most - 1

    def _frame(self, time_ns: int) -> int:
        return (time_ns * self._rate_hz + NS_PER_S // 2) // NS_PER_S
