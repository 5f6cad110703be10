"""Stages for the tests of the speech chain: a source of beams from files, and a sink."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import soundfile

from pipeline.packets import NS_PER_S, BeamBlock, PartialTranscript, Track, Transcript
from pipeline.stage import Emit, In, Out, Source, Stage

RATE = 16000


class Beams(Source):
    """Each track is a list of "second:gain:presence:path": recordings, from when on, how loud and how present."""

    beams = Out(BeamBlock)

    def __init__(self, tracks: list[list[str]], length_s: float, block_frames: int = 512) -> None:
        self._tracks = tracks
        self._n_frames = round(length_s * RATE)
        self._block_frames = block_frames

    def packets(self) -> Iterator[Emit[BeamBlock]]:
        hiss = np.random.default_rng(1).standard_normal(self._n_frames).astype(np.float32) * 1e-4
        mixes = [hiss.copy() for _ in self._tracks]
        presences = [np.full(self._n_frames, 0.5) for _ in self._tracks]
        for mix, presence, entries in zip(mixes, presences, self._tracks, strict=True):
            for entry in entries:
                second, gain, present, path = entry.split(":", 3)
                samples, _ = soundfile.read(path, dtype="float32")
                span = slice(round(float(second) * RATE), round(float(second) * RATE) + len(samples))
                mix[span] += float(gain) * samples
                presence[span] = float(present)
        for first in range(0, self._n_frames - self._block_frames + 1, self._block_frames):
            span = slice(first, first + self._block_frames)
            start, end = (frame * NS_PER_S // RATE for frame in (span.start, span.stop))
            for number, (mix, presence) in enumerate(zip(mixes, presences, strict=True)):
                block = BeamBlock(
                    pts_ns=start,
                    duration_ns=end - start,
                    samples=mix[span].copy(),
                    sample_rate_hz=RATE,
                    track=Track(name=f"t{number + 1}", azimuth_deg=90.0 * number),
                    presence=float(presence[span].mean()),
                )
                yield self.beams(block)


class Lines(Stage):
    """Keeps what arrives."""

    transcript = In(Transcript)
    lossless = True

    def __init__(self) -> None:
        self.found: list[Transcript] = []

    def on_transcript(self, transcript: Transcript) -> Iterator[Emit[Transcript]]:
        self.found.append(transcript)
        return iter(())


class Partials(Stage):
    """Keeps the partial transcripts that arrive."""

    partial = In(PartialTranscript)
    lossless = True

    def __init__(self) -> None:
        self.found: list[PartialTranscript] = []

    def on_partial(self, partial: PartialTranscript) -> Iterator[Emit[PartialTranscript]]:
        self.found.append(partial)
        return iter(())
