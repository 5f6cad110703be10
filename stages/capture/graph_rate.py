"""From a source's own rate to the graph's, in a stream, with the time of every sample kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.packets import Float32Array
from pipeline.pcm import runs
from pipeline.recorded import NOT_A_NUMBER
from stages.capture.sound import Piece


class GraphRate:
    """Resamples pieces with soxr (HQ).

    n frames become round(n * rate / source rate) frames in all, however they were cut; frame k of the outcome is the sound at
    k / rate: soxr's stream has no delay once it is flushed.
    """

    def __init__(self, source_rate_hz: int, rate_hz: int, n_channels: int) -> None:
        self._source_rate_hz, self._rate_hz = source_rate_hz, rate_hz
        self._n_in = 0
        self._stream = None
        if source_rate_hz != rate_hz:
            import soxr

            self._stream = soxr.ResampleStream(source_rate_hz, rate_hz, n_channels, dtype="float32", quality="HQ")
        self._nothing: Float32Array = np.zeros((n_channels, 0), dtype=np.float32)

    def converted(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """The pieces at the graph's rate. Each tells its losses before or with the samples that they concern."""
        if self._stream is None:
            yield from pieces
            return
        for piece in pieces:
            # One value that is no number would spread over all that the filter touches.
            finite = np.isfinite(piece.samples)
            bad = () if finite.all() else runs(np.any(~finite, axis=0))
            samples = np.where(finite, piece.samples, np.float32(0)) if bad else piece.samples
            lost = [*piece.lost, *((self._n_in + first, n, NOT_A_NUMBER) for first, n in bad)]
            self._n_in += samples.shape[1]
            yield Piece(self._resampled(samples, last=False), tuple(self._scaled(*stretch) for stretch in lost))
        yield Piece(self._resampled(self._nothing, last=True))

    def _resampled(self, samples: Float32Array, *, last: bool) -> Float32Array:
        frames = self._stream.resample_chunk(np.ascontiguousarray(samples.T), last=last) if self._stream is not None else samples.T
        return np.ascontiguousarray(frames.T, dtype=np.float32)

    def _scaled(self, first: int, n_frames: int, reason: str) -> tuple[int, int, str]:
        start = first * self._rate_hz // self._source_rate_hz
        end = -(-(first + n_frames) * self._rate_hz // self._source_rate_hz)
        return start, end - start, reason
