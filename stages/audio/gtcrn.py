"""Cleaner beams by the denoiser GTCRN."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pipeline.packets import NS_PER_S, BeamBlock, Float32Array, Gap
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.track_order import TrackOrder

if TYPE_CHECKING:
    from models.gtcrn import Gtcrn as Network

_RATE_HZ = 16000
_WINDOW_NS = 32_000_000


class GtcrnStageError(ValueError):
    """A setting or a beam that the denoiser cannot work with."""


class CleanedStretch:
    """A `Stretch` of the track order: the blocks of an unbroken stretch of a beam in, the same blocks cleaned out."""

    def __init__(self, first: BeamBlock, network: Network, kept: float) -> None:
        from models.gtcrn import LATENCY_FRAMES, GtcrnState

        self._network = network
        self._kept = kept
        self._state = GtcrnState()
        self._origin_ns = first.pts_ns
        self._n_samples = 0
        self._n_early = self._n_late = LATENCY_FRAMES
        self._waiting: deque[BeamBlock] = deque()
        self._clean: Float32Array = np.zeros(0, dtype=np.float32)

    @property
    def next_ns(self) -> int:
        """Where the next block starts if it goes on with this stretch."""
        return self._origin_ns + self._n_samples * NS_PER_S // _RATE_HZ

    @property
    def earliest_end_ns(self) -> int | None:
        """The end of the first block that waits for its window."""
        return self._waiting[0].end_ns if self._waiting else None

    def push(self, block: BeamBlock) -> list[BeamBlock]:
        """The blocks that are clean with this one."""
        self._waiting.append(block)
        self._n_samples += len(block.samples)
        return self._cleaned(block.samples)

    def close(self) -> list[BeamBlock]:
        """The blocks that still wait; silence follows them."""
        return self._cleaned(np.zeros(2 * self._n_late, dtype=np.float32))

    def _cleaned(self, samples: Float32Array) -> list[BeamBlock]:
        clean = self._network.push(samples, self._state)
        n_cut = min(self._n_early, len(clean))
        self._n_early -= n_cut
        self._clean = np.concatenate([self._clean, clean[n_cut:]])
        done = []
        while self._waiting and len(self._waiting[0].samples) <= len(self._clean):
            block = self._waiting.popleft()
            n_frames = len(block.samples)
            kept = np.float32(self._kept) * np.nan_to_num(block.samples, nan=0.0, posinf=0.0, neginf=0.0)
            done.append(replace(block, samples=np.float32(1.0 - self._kept) * self._clean[:n_frames] + kept))
            self._clean = self._clean[n_frames:]
        return done


class Gtcrn(Stage):
    """Takes noise out of every beam, with a small recurrent network that works as the sound comes.

    The blocks that leave have exactly the times of those that came. The network keeps a state for each track and starts anew where
    a track's blocks do not follow each other. Beams must be at 16 kHz. It pleases listeners; recognisers that learnt from noisy
    speech may do worse with it (`stages/audio/README.md` has figures), so no shipped configuration uses it.

    Args:
        kept: how much of the beam as it was stays in: 0 is none, 1 all of it.
        n_threads: CPU threads for the network; more than one hardly helps.
    """

    weights: ClassVar[tuple[str, ...]] = ("gtcrn.onnx",)

    beam = In(BeamBlock)
    cleaned = Out(BeamBlock)
    delay_ns = _WINDOW_NS

    def __init__(self, kept: float = 0.0, n_threads: int = 1) -> None:
        if not 0.0 <= kept <= 1.0:
            raise GtcrnStageError(f"Gtcrn: kept is {kept:g}; it must be from 0 (the cleaned beam) to 1 (the beam as it was)")
        self._kept = kept
        self._n_threads = n_threads
        self._order: TrackOrder[BeamBlock, BeamBlock] | None = None

    def start(self) -> None:
        """Load the network."""
        from models.gtcrn import Gtcrn as Network
        from models.weights import path_of

        network = Network(path_of(self.weights[0]), self._n_threads)

        def begin(block: BeamBlock) -> CleanedStretch:
            return CleanedStretch(block, network, self._kept)

        self._order = TrackOrder(begin, lambda block: block.track.name)

    def stop(self) -> None:
        """Let go of the network."""
        self._order = None

    def on_beam(self, block: BeamBlock) -> Iterator[Emit[BeamBlock]]:
        """Clean a block; blocks leave in the order of their ends."""
        if block.sample_rate_hz != _RATE_HZ:
            raise GtcrnStageError(f"Gtcrn: track {block.track.name} comes at {block.sample_rate_hz} Hz; {_RATE_HZ} Hz is needed")
        return map(self.cleaned, self._started().take(block))

    def on_passed(self, pts_ns: int) -> Iterator[Emit[BeamBlock]]:
        """Finish what a track left over when it stopped sending."""
        return map(self.cleaned, self._started().passed(pts_ns))

    def on_gap(self, gap: Gap) -> Iterator[Emit[BeamBlock]]:
        """Finish what came before a lost stretch; the network starts anew behind it."""
        return map(self.cleaned, self._started().gap(gap))

    def flush(self) -> Iterator[Emit[BeamBlock]]:
        """Finish what is left."""
        return map(self.cleaned, self._started().flush())

    def promise(self, pts_ns: int) -> int:
        """Nothing ends before the first block that waits for its window."""
        return self._started().bound_ns(pts_ns)

    def memory_bytes(self) -> int:
        """The network and the states of eight tracks."""
        return 16 * 2**20

    def _started(self) -> TrackOrder[BeamBlock, BeamBlock]:
        if self._order is None:
            raise GtcrnStageError("Gtcrn: the stage has not been started; call start() first")
        return self._order
