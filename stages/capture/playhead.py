"""Cuts a recording into the packets that a graph gets, on a fixed grid, whatever pieces it was recorded in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock, Float32Array, Gap
from pipeline.recorded import frames_to_ns, gap_at, ns_to_frames

# A long gap is told in pieces, so that a graph that runs live does not wait for its end.
_PIECE_S = 1


class Playhead:
    """Where the reading of a recording stands.

    Blocks lie on a grid from frame 0, also when reading starts later. A block in which every frame was lost does not come;
    one that was lost in part comes with zeros there. `marks` takes what was lost, in any order and any pieces, before the frames
    concerned are read; it comes out as Gap packets that are cut at whole seconds, always the same for the same losses.
    """

    def __init__(self, array: ArrayGeometry, sample_rate_hz: int, block_frames: int, start_frame: int = 0) -> None:
        self.block_frames = block_frames
        self.frame = start_frame // block_frames * block_frames
        self.marks: deque[Gap] = deque()
        self._array = array
        self._rate = sample_rate_hz
        self._first = self.frame
        self._lost: dict[str, list[tuple[int, int]]] = {}

    def cut(self, read: Callable[[int, int], Float32Array], n_frames: int, ended: bool) -> Iterator[AudioBlock | Gap]:
        """The packets of what is recorded by now; at the end also the last, shorter block and the gaps after it.

        `read(first, n)` gives float32, shape (channels, n). Packets come in the order in which they end.
        """
        while self.frame + self.block_frames <= n_frames or (ended and self.frame < n_frames):
            first, last = self.frame, min(self.frame + self.block_frames, n_frames)
            samples = read(first, last - first)
            self._take_marks()
            is_lost = self._is_lost(first, last)
            yield from self._gaps_until(last)
            self.frame = last
            if not is_lost:
                start, end = frames_to_ns(first, self._rate), frames_to_ns(last, self._rate)
                yield AudioBlock(
                    pts_ns=start,
                    duration_ns=end - start,
                    samples=np.ascontiguousarray(samples),
                    sample_rate_hz=self._rate,
                    array=self._array,
                )
        if ended:
            self._take_marks()
            yield from self._gaps_until(None)

    def jump(self, frame: int) -> int:
        """Go on at the first block that begins at or after a frame; where that is."""
        self.frame = -(-frame // self.block_frames) * self.block_frames
        return self.frame

    def _take_marks(self) -> None:
        while self.marks:
            gap = self.marks.popleft()
            start = max(ns_to_frames(gap.pts_ns, self._rate), self._first)
            end = ns_to_frames(gap.end_ns, self._rate)
            if start < end:
                self._lost[gap.reason] = _joined([*self._lost.get(gap.reason, []), (start, end)])

    def _is_lost(self, first: int, last: int) -> bool:
        """Whether every frame of a block was lost, for one reason or another."""
        reached = first
        for start, end in sorted(stretch for stretches in self._lost.values() for stretch in stretches):
            if start > reached:
                break
            reached = max(reached, end)
        return reached >= last

    def _gaps_until(self, last: int | None) -> Iterator[Gap]:
        """The pieces of gaps that end by a frame (None: all), in the order in which they end.

        One that ends exactly there may still grow, unless a whole second ends there too.
        """
        piece = _PIECE_S * self._rate
        ready: list[tuple[int, str, int]] = []
        for reason, stretches in self._lost.items():
            left: list[tuple[int, int]] = []
            for start, end in stretches:
                while start < end:
                    stop = min(end, (start // piece + 1) * piece)
                    if last is not None and (stop > last or (stop == last and stop % piece)):
                        break
                    ready.append((stop, reason, start))
                    start = stop
                if start < end:
                    left.append((start, end))
            self._lost[reason] = left
        for stop, reason, start in sorted(ready):
            yield gap_at(start, stop - start, self._rate, reason)


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches (start, end) with those that touch or overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
