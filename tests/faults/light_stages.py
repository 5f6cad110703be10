"""Stages that need no weights and still give a memory words, voices and sounds: which, depends on the time in the session alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array, Gap, SoundEvent, Transcript, Utterance, Word
from pipeline.stage import Emit, In, Out, Stage

SUBJECTS = (
    "the ferry leaves on saturday at half past nine",
    "my dog will come along on the ferry",
    "we meet at the old lighthouse before noon",
    "the budget for the kitchen is eight thousand",
    "paint the kitchen walls in a light green",
    "who takes the minutes of the meeting today",
    "the train to the harbour is late again",
    "bring the blue folder with the contracts",
)
_SUBJECT_NS = 20 * NS_PER_S


def unit(seed: int, size: int) -> Float32Array:
    """A vector of unit length, float32, shape (size,), the same for the same seed."""
    vector = np.random.default_rng(seed).standard_normal(size)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Sayer(Stage):
    """Gives each utterance words; every twenty seconds the subject changes. Two voices take turns on each track."""

    utterance = In(Utterance)
    transcripts = Out(Transcript)

    def on_utterance(self, utterance: Utterance) -> Iterator[Emit[Transcript | Gap]]:
        """One transcript for each utterance, over exactly its span."""
        # The moment is rounded: heard again from another start, a voice's level may be told a little differently.
        tenths = round(utterance.pts_ns / (NS_PER_S / 2))
        subject = SUBJECTS[utterance.pts_ns // _SUBJECT_NS % len(SUBJECTS)]
        words = [*subject.split(), f"number{tenths}"]
        borders = [utterance.pts_ns + place * utterance.duration_ns // len(words) for place in range(len(words) + 1)]
        yield self.transcripts(
            Transcript(
                pts_ns=utterance.pts_ns,
                duration_ns=utterance.duration_ns,
                utterance=utterance,
                text=" ".join(words),
                words=tuple(Word(word, borders[place], borders[place + 1], 0.5) for place, word in enumerate(words)),
                language="en",
                confidence=0.5,
                voice=unit(tenths % 2 + 1, 192),
            )
        )


class Clatter(Stage):
    """A sound for each utterance that lies in the second half of a subject: some have a name, some have none and recur."""

    utterance = In(Utterance)
    sounds = Out(SoundEvent)

    def on_utterance(self, utterance: Utterance) -> Iterator[Emit[SoundEvent | Gap]]:
        """At most one sound, over the span of the utterance."""
        if utterance.pts_ns % _SUBJECT_NS > _SUBJECT_NS // 2:
            is_known = round(utterance.pts_ns / (NS_PER_S / 2)) % 2 == 0
            yield self.sounds(
                SoundEvent(
                    pts_ns=utterance.pts_ns,
                    duration_ns=utterance.duration_ns,
                    label="Door" if is_known else None,
                    score=0.75,
                    azimuth_deg=None,
                    elevation_deg=None,
                    embedding=unit(7 if is_known else 8, 1024),
                )
            )
