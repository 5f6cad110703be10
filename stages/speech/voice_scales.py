"""How like two voices must be to be one person's: a scale for each encoder, because each has cosines of its own.

Which encoder made a voice is told by how many numbers it has. Voices of two encoders say nothing about each other.

A scale gives the logarithm of the odds that a piece of speech is by somebody known: `odds_per_cosine` times how far the cosine of the
two voices lies over `even`, less where little was heard. Where the odds are even, and how steep, is logistic regression (Platt's
scaling) on pieces of real speech against means of several others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.packets import Float32Array


class VoiceLengthError(ValueError):
    """A voice of an encoder that is not known, or voices of two encoders together."""


@dataclass(frozen=True)
class VoiceScale:
    """The likeness of voices of one encoder.

    Attributes:
        encoder: its name.
        even: the cosine at which one person is as likely as two.
        even_less: by how much lower that is where next to nothing was heard: short pieces are less like anything.
        odds_per_cosine: natural logarithm of odds for each 1 of cosine over that.
        full_s: a voice counts fully from this much speech on, and not at all up to `UNHEARD_S`.
        merge: two speakers of a session are one where their mean voices are at least so like.
    """

    encoder: str
    even: float
    even_less: float
    odds_per_cosine: float
    full_s: float
    merge: float

    def odds(self, likeness: float, seconds: float) -> float:
        """The logarithm of the odds that a voice heard for so long, so like another's, is theirs."""
        weight = min(1.0, max(0.0, (seconds - UNHEARD_S) / (self.full_s - UNHEARD_S)))
        return self.odds_per_cosine * weight * (likeness - self.even + self.even_less * (1.0 - weight))

    @property
    def two_places(self) -> float:
        """What being in two places at once takes from the odds: half a unit more than the likest voice gives."""
        return self.odds_per_cosine * (1.0 - self.even) + 0.5


UNHEARD_S = 0.4
"""So little speech says nothing about a voice."""
SCALES = {
    # Pieces of 2 to 4 s from ten AMI talkers: one person mostly 0.71 to 0.88, two people at most 0.78 (half of them under 0.67).
    256: VoiceScale("Resemblyzer", even=0.75, even_less=0.0, odds_per_cosine=30.0, full_s=2.0, merge=0.82),
    # Pieces by seventeen people (AMI's headsets; read speech, dry and in rooms of 0.3 to 0.8 s at 20 dB) against eleven means of three
    # pieces of 1.5 s. Pieces of 3 s: one person 0.52 and more, two at most 0.34; of 1.5 s 0.43 and 0.41; of 0.8 s 0.15 and 0.40 (one in
    # a hundred 0.31); each the first hundredth and the most. Even by the regression at 0.40, 0.37 and 0.27, with 23 to 30 to the cosine;
    # less is taken, because noise makes one person less alike (at 10 dB 6 of 100 pieces are under 0.36, at 5 dB 26) and two no more.
    # Means of two or four pieces: one person 0.44 and more in different rooms, 0.56 in one; two at most 0.35, two synthetic voices in
    # rooms 0.63: wrongly merging is worse than not merging.
    192: VoiceScale("CAM++", even=0.36, even_less=0.14, odds_per_cosine=20.0, full_s=1.5, merge=0.65),
}
"""By the length of a voice."""


def scale_of(voice: Float32Array) -> VoiceScale:
    """The scale of a voice, float32, shape (numbers,) or (ways, numbers).

    Raises:
        VoiceLengthError: no encoder makes voices of so many numbers.
    """
    scale = SCALES.get(voice.shape[-1])
    if scale is None:
        known = ", ".join(f"{numbers} ({entry.encoder})" for numbers, entry in SCALES.items())
        raise VoiceLengthError(f"a voice of {voice.shape[-1]} numbers: known encoders make {known}")
    return scale


def comparable(one: Float32Array, other: Float32Array) -> bool:
    """Whether two voices come from the same encoder."""
    return bool(one.shape[-1] == other.shape[-1])


def check_comparable(voices: Sequence[Float32Array]) -> None:
    """Raises VoiceLengthError where voices come from more than one encoder."""
    lengths = sorted({voice.shape[-1] for voice in voices})
    if len(lengths) > 1:
        raise VoiceLengthError(f"voices of {' and '.join(map(str, lengths))} numbers come from different encoders and cannot be compared")
