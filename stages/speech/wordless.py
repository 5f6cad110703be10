"""The recogniser that knows no words: for graphs without weights."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import Gap, Transcript, Utterance, Word
from pipeline.stage import Emit, In, Out, Stage

TEXT = "[speech]"


class Wordless(Stage):
    """Keeps where and when somebody spoke, and the audio, but not the words: each utterance becomes "[speech]", confidence 0."""

    utterance = In(Utterance)
    transcripts = Out(Transcript)

    def on_utterance(self, utterance: Utterance) -> Iterator[Emit[Transcript | Gap]]:
        """One transcript for each utterance, over exactly its span."""
        word = Word(TEXT, utterance.pts_ns, utterance.end_ns, 0.0)
        yield self.transcripts(
            Transcript(
                pts_ns=utterance.pts_ns,
                duration_ns=utterance.duration_ns,
                utterance=utterance,
                text=TEXT,
                words=(word,),
                language="",
                confidence=0.0,
            )
        )
