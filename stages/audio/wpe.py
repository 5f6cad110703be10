"""Less reverberation in all channels, by WPE."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.geometry import ArrayGeometry
from pipeline.packets import NS_PER_S, AudioBlock, Float32Array, Gap
from pipeline.stage import Emit, In, Out, Stage

if TYPE_CHECKING:
    from models.wpe import Wpe as Algorithm

_GRAPH_RATE_HZ = 16000
_WINDOW_FRAMES = 512


class WpeStageError(ValueError):
    """A setting that the stage cannot work with."""


class Wpe(Stage):
    """Takes late reverberation out of every channel of an array, by linear prediction from the past (WPE, recursive).

    The blocks that leave have exactly the times of those that came, and the channels keep their places, so it can stand before
    localiser and beamformer. Separate recordings (`lanes`) of more than one channel pass as they are.

    Args:
        taps: how many past frames (16 ms each) of each predictor are used.
        delay: how many frames back the past begins; what is nearer counts as the speech itself. 2 at least.
        alpha: how slowly the past is forgotten, per frame: 0.9995 is a time constant of 32 s.
        max_predictors: the past of at most so many channels is used; the work grows with its square.
        highest_hz: what is higher passes as it is.
        n_threads: CPU threads for the work; more than one hardly helps.
        device: where the work is done.
    """

    audio = In(AudioBlock)
    dry = Out(AudioBlock)

    def __init__(
        self,
        taps: int = 10,
        delay: int = 3,
        alpha: float = 0.9995,
        max_predictors: int = 3,
        highest_hz: float = 6000.0,
        n_threads: int = 1,
        device: str = "cpu",
    ) -> None:
        if taps < 1 or delay < 2 or not 0.0 < alpha <= 1.0 or max_predictors < 1 or not highest_hz > 0.0:
            raise WpeStageError(
                f"Wpe: taps {taps}, delay {delay}, alpha {alpha:g}, max_predictors {max_predictors}, highest_hz {highest_hz:g}; "
                "allowed are taps and max_predictors from 1, delay from 2, alpha over 0 and at most 1, highest_hz over 0"
            )
        self._taps, self._delay, self._alpha = taps, delay, alpha
        self._max_predictors = max_predictors
        self._highest_hz = highest_hz
        self._n_threads = n_threads
        self._device = device
        self.delay_ns = _WINDOW_FRAMES * NS_PER_S // _GRAPH_RATE_HZ
        self._clear()

    def _clear(self) -> None:
        self._for: tuple[ArrayGeometry, int] | None = None
        self._core: Algorithm | None = None
        self._waiting: deque[AudioBlock] = deque()
        self._done: list[Float32Array] = []
        self._n_early = 0

    def start(self) -> None:
        """Load torch now rather than at the first block."""
        import models.wpe  # noqa: F401 - for the time it takes

        self._clear()

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[AudioBlock]]:
        """Take a block; it leaves once its last window has come."""
        if self._for != (block.array, block.sample_rate_hz):
            yield from self.flush()
            self._begin(block)
        if self._core is None:
            yield self.dry(block)
            return
        if self._waiting and block.pts_ns > self._waiting[-1].end_ns + 1:
            yield from self.flush()
        self._waiting.append(block)
        yield from self._take(self._core, block.samples)

    def _begin(self, block: AudioBlock) -> None:
        from models.torch_threads import limit_torch_threads
        from models.wpe import WINDOW_FRAMES
        from models.wpe import Wpe as Algorithm

        limit_torch_threads(self._n_threads)
        self._for = (block.array, block.sample_rate_hz)
        n_channels = block.array.n_channels
        self.delay_ns = -(-WINDOW_FRAMES * NS_PER_S // block.sample_rate_hz)
        if block.array.lanes and n_channels > 1:
            self._core = None
            return
        n_bins = int(self._highest_hz * WINDOW_FRAMES / block.sample_rate_hz) + 1
        predictors = spread_channels(block.array, self._max_predictors)
        self._core = Algorithm(n_channels, n_bins, self._taps, self._delay, self._alpha, predictors, self._device)
        self._n_early = self._core.latency_frames

    def _take(self, core: Algorithm, samples: Float32Array) -> Iterator[Emit[AudioBlock]]:
        import torch

        clean = torch.from_numpy(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)).to(self._device)
        done = core.push(clean).cpu().numpy()
        n_cut = min(self._n_early, done.shape[1])
        self._n_early -= n_cut
        ready = np.concatenate([*self._done, done[:, n_cut:]], axis=1)
        while self._waiting and self._waiting[0].samples.shape[1] <= ready.shape[1]:
            block = self._waiting.popleft()
            n_frames = block.samples.shape[1]
            yield self.dry(replace(block, samples=np.ascontiguousarray(ready[:, :n_frames])))
            ready = ready[:, n_frames:]
        self._done = [ready]

    def flush(self) -> Iterator[Emit[AudioBlock]]:
        """What is still held; silence follows it. What comes next is a new stretch, in the same room."""
        if self._core is not None:
            if self._waiting:
                silence = np.zeros((self._waiting[0].samples.shape[0], 2 * _WINDOW_FRAMES), dtype=np.float32)
                yield from self._take(self._core, silence)
            self._core.reset()
            self._n_early = self._core.latency_frames
        self._done = []

    def on_gap(self, gap: Gap) -> Iterator[Emit[AudioBlock]]:  # noqa: ARG002 - what was lost does not matter, only that it was
        """Finish what came before; what was learnt about the room stays."""
        yield from self.flush()

    def memory_bytes(self) -> int:
        """Prediction from ten frames of three channels, for 16 channels, and torch's buffers."""
        return 64 * 2**20

    def stop(self) -> None:
        """Let go of the filters."""
        self._clear()


def spread_channels(array: ArrayGeometry, n_most: int) -> list[int]:
    """The reference and then, each time, the channel farthest from those already taken: at most `n_most`, in ascending order."""
    taken = [array.reference]
    while len(taken) < min(n_most, array.n_channels):
        away = np.linalg.norm(array.positions[:, None] - array.positions[taken][None], axis=2).min(axis=1)
        away[taken] = -1.0
        taken.append(int(np.argmax(away)))
    return sorted(taken)
