"""One unbroken stretch of a beam under Silero: chunks for the network, probabilities for the blocks as they came."""

from __future__ import annotations

from collections import deque

import numpy as np

from models.silero import CHUNK_FRAMES, Silero, SileroState
from pipeline.packets import NS_PER_S, BeamBlock, Float32Array, SpeechBlock


class JudgedStretch:
    """A `Stretch` of the track order: beam blocks in, the same blocks with a probability out.

    The network reads chunks of 512 samples. A block waits until the chunk with its last sample is full; its probability is the
    mean of the chunks that it lies in, weighted by how much of it lies in each.
    """

    def __init__(self, first: BeamBlock, silero: Silero) -> None:
        self._silero = silero
        self._state = SileroState()
        self._origin_ns = first.pts_ns
        self._rate_hz = first.sample_rate_hz
        self._n_samples = 0
        self._waiting: deque[tuple[int, BeamBlock]] = deque()
        self._unread: list[Float32Array] = []
        self._n_unread = 0
        self._chunks: deque[tuple[int, float]] = deque()

    @property
    def next_ns(self) -> int:
        """Where the next block starts if it goes on with this stretch."""
        return self._origin_ns + self._n_samples * NS_PER_S // self._rate_hz

    @property
    def earliest_end_ns(self) -> int | None:
        """The end of the first block that waits for its chunk."""
        return self._waiting[0][1].end_ns if self._waiting else None

    def push(self, block: BeamBlock) -> list[SpeechBlock]:
        """The blocks whose probability is known with this one."""
        self._waiting.append((self._n_samples, block))
        self._unread.append(block.samples)
        self._n_samples += len(block.samples)
        self._n_unread += len(block.samples)
        if self._n_unread >= CHUNK_FRAMES:
            samples = np.concatenate(self._unread)
            n_read = len(samples) // CHUNK_FRAMES * CHUNK_FRAMES
            for first in range(0, n_read, CHUNK_FRAMES):
                self._judge(samples[first : first + CHUNK_FRAMES])
            self._unread = [samples[n_read:]]
            self._n_unread = len(samples) - n_read
        return self._known(self._n_samples - self._n_unread)

    def close(self) -> list[SpeechBlock]:
        """The blocks that still wait; their last chunk is filled up with silence."""
        if self._n_unread:
            samples = np.concatenate(self._unread)
            self._judge(np.pad(samples, (0, CHUNK_FRAMES - len(samples))))
        return self._known(self._n_samples)

    def _judge(self, chunk: Float32Array) -> None:
        first = self._chunks[-1][0] + CHUNK_FRAMES if self._chunks else 0
        self._chunks.append((first, self._silero.probability(chunk, self._state)))

    def _known(self, n_read: int) -> list[SpeechBlock]:
        known = []
        while self._waiting and self._waiting[0][0] + len(self._waiting[0][1].samples) <= n_read:
            first, block = self._waiting.popleft()
            known.append(
                SpeechBlock(
                    pts_ns=block.pts_ns, duration_ns=block.duration_ns, beam=block, probability=self._mean(first, len(block.samples))
                )
            )
        # The last chunk stays: the next block may begin in it.
        position = self._waiting[0][0] if self._waiting else self._n_samples
        while len(self._chunks) > 1 and self._chunks[0][0] + CHUNK_FRAMES <= position:
            self._chunks.popleft()
        return known

    def _mean(self, first: int, length: int) -> float:
        total = 0.0
        for begin, probability in self._chunks:
            overlap = min(begin + CHUNK_FRAMES, first + length) - max(begin, first)
            total += max(0, overlap) * probability
        return total / length if length else 0.0
