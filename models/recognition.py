"""What a speech recogniser gives back for one stretch of audio, whichever engine it runs on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.repetition import find_loop, text_units
from models.word_times import squeezed_words

SAMPLE_RATE_HZ = 16000
# Whisper's encoder hears this much at once, and was trained on audio that is filled up to it with silence.
WINDOW_S = 30.0
# Less than this holds no word.
SHORTEST_S = 0.1
# A beam this wide is what Whisper's authors report their figures with.
CAREFUL_BEAM = 5
# There is no speech when the model thinks so and its text is a guess. Whisper's paper (Radford et al. 2022, section 4.5) takes
# two thresholds, 0.6 and -1; one bound on both together parts the base model's texts better: on 180 utterances of clean and
# reverberant speech the sum below reaches 0.8, on 45 sounds without speech it starts at 1.3.
_MAYBE_NO_SPEECH = 0.35
_NO_SPEECH_EVIDENCE = 1.25
# With the audio the decoder sees at most this many tokens of vocabulary; half of its context, as Whisper was trained.
MAX_PROMPT_TOKENS = 223


class RecogniserError(ValueError):
    """A recogniser was given a setting or audio that it cannot use."""

    exit_code = 2


class RecogniserLoadError(RuntimeError):
    """A model whose files are there does not load: one is damaged, or the device has no room or not the precision."""


@dataclass(frozen=True)
class SpokenWord:
    """A word with its place in the audio, in seconds from the first sample, and its probability (0 to 1)."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True)
class Recognition:
    """The text of one stretch of audio and how sure the recogniser is of it.

    `mean_log_probability` is over the text's tokens and its end; `no_speech_probability` is what the model gives to there
    being no speech at all; `language_fit` (0 to 1) is how well the audio fits the language that the text is in.
    """

    text: str
    words: tuple[SpokenWord, ...]
    language: str
    mean_log_probability: float
    no_speech_probability: float
    language_fit: float = 1.0

    @property
    def is_loop(self) -> bool:
        """Whether the text says the same thing over and over.

        Whisper's own test, how well the text compresses, also strikes good prose that uses one pattern again and again.
        """
        return find_loop(text_units(self.text)) is not None

    @property
    def n_squeezed(self) -> int:
        """How many of the words are not in the sound, by their times."""
        return len(squeezed_words(self.words))

    @property
    def confidence(self) -> float:
        """The mean probability of the text's tokens, 0 to 1; no higher than what its language is worth."""
        return min(1.0, math.exp(self.mean_log_probability), self.language_fit)

    @property
    def is_silence(self) -> bool:
        """Whether the model itself takes the audio for one without speech."""
        evidence = self.no_speech_probability - self.mean_log_probability
        return self.no_speech_probability > _MAYBE_NO_SPEECH and evidence > _NO_SPEECH_EVIDENCE

    def is_doubtful(self, min_confidence: float) -> bool:
        """Whether a more careful attempt is worth its time."""
        is_guess = math.exp(self.mean_log_probability) < min_confidence
        return not self.is_silence and (is_guess or self.is_loop or self.n_squeezed > 0)


def best_of(attempts: list[Recognition]) -> Recognition:
    """The best of several attempts; the first of equals.

    That is the most probable of those that are no loop, or of all if each is one, and among them of those with the fewest words
    that are not in the sound: a text that was made up by repeating what was said before is a probable one.
    """
    return min(attempts, key=lambda attempt: (attempt.is_loop, attempt.n_squeezed, -attempt.mean_log_probability))


def token_bound(duration_s: float) -> int:
    """How many tokens a stretch of speech can hold: nobody speaks 16 tokens (about 11 words) a second for long."""
    return 24 + round(16 * duration_s)


def checked_length_s(n_frames: int) -> float:
    """The length of audio at 16 kHz; raises RecogniserError for more than fits into the window."""
    length_s = n_frames / SAMPLE_RATE_HZ
    if length_s > WINDOW_S:
        raise RecogniserError(f"{length_s:.1f} s of audio at once; Whisper hears at most {WINDOW_S:.0f} s")
    return length_s


def nothing_heard(language: str) -> Recognition:
    """The recognition of audio that is too short to hold a word."""
    return Recognition("", (), language, 0.0, 1.0)
