"""Gives each transcript its meaning: a vector."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import Line, Transcript
from pipeline.stage import Emit, In, Out, Stage
from stages.memory.text_encoder import TextEncoder


class LineEncoder(Stage):
    """Encodes the words of a transcript with the graph's text encoder."""

    transcript = In(Transcript)
    lines = Out(Line)

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder

    def on_transcript(self, transcript: Transcript) -> Iterator[Emit[Line]]:
        """One line for each transcript, with the same span."""
        vector = self._encoder.encode([transcript.text])[0].copy()
        yield self.lines(Line(pts_ns=transcript.pts_ns, duration_ns=transcript.duration_ns, transcript=transcript, embedding=vector))
