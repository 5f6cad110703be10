"""The blocks of one track, cut anew into frames of one length, so that what follows does not depend on the block size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array, SpeechBlock

FRAME_S = 0.032


@dataclass(frozen=True)
class Frame:
    """A short piece of a track: `first` counts samples from the start of the unbroken stretch, samples are (frames,)."""

    first: int
    samples: Float32Array
    probability: float
    presence: float

    @property
    def end(self) -> int:
        """One past the last sample."""
        return self.first + len(self.samples)


class FrameGrid:
    """One unbroken stretch of one track: blocks in, frames of 32 ms out; probability and presence are means over a frame."""

    def __init__(self, origin_ns: int, sample_rate_hz: int) -> None:
        self.origin_ns = origin_ns
        self.sample_rate_hz = sample_rate_hz
        self.frame_samples = max(1, round(FRAME_S * sample_rate_hz))
        self._pieces: list[tuple[Float32Array, float, float]] = []
        self._n_waiting = 0
        self._n_out = 0

    def time_ns(self, sample: int) -> int:
        """The session time of a sample of this stretch."""
        return self.origin_ns + sample * NS_PER_S // self.sample_rate_hz

    @property
    def next_ns(self) -> int:
        """Where the next block has to start to go on with this stretch."""
        return self.time_ns(self._n_out + self._n_waiting)

    @property
    def n_framed(self) -> int:
        """How many samples have come out in frames."""
        return self._n_out

    @property
    def is_even(self) -> bool:
        """Whether everything that went in has come out."""
        return self._n_waiting == 0

    def push(self, block: SpeechBlock) -> list[Frame]:
        """The frames that a block completes."""
        if len(block.beam.samples):
            self._pieces.append((block.beam.samples, block.probability, block.beam.presence))
            self._n_waiting += len(block.beam.samples)
        frames = []
        while self._n_waiting >= self.frame_samples:
            frames.append(self._frame(self.frame_samples))
        return frames

    def rest(self) -> list[Frame]:
        """What is left at the end of the stretch, shorter than a frame."""
        return [self._frame(self._n_waiting)] if self._n_waiting else []

    def _frame(self, length: int) -> Frame:
        taken: list[tuple[Float32Array, float, float]] = []
        missing = length
        while missing:
            samples, probability, presence = self._pieces.pop(0)
            if len(samples) > missing:
                self._pieces.insert(0, (samples[missing:], probability, presence))
                samples = samples[:missing]
            taken.append((samples, probability, presence))
            missing -= len(samples)
        frame = Frame(
            first=self._n_out,
            samples=taken[0][0] if len(taken) == 1 else np.concatenate([samples for samples, _, _ in taken]),
            probability=sum(len(samples) * value for samples, value, _ in taken) / length,
            presence=sum(len(samples) * value for samples, _, value in taken) / length,
        )
        self._n_waiting -= length
        self._n_out += length
        return frame
