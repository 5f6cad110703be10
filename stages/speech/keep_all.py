"""Takes every transcript as the track's own."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import Transcript
from pipeline.stage import Emit, In, Out, Stage


class KeepAll(Stage):
    """Passes every transcript on at once: for one microphone, or where no beam hears another talker."""

    transcript = In(Transcript)
    transcripts = Out(Transcript)

    def on_transcript(self, transcript: Transcript) -> Iterator[Emit[Transcript]]:
        """Pass it on."""
        yield self.transcripts(transcript)
