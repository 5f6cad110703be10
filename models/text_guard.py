"""Strikes text that nobody said: what a recogniser makes up in silence, noise and music, and the loops it falls into.

Whisper was trained on subtitles and writes fluent sentences over anything. The evidence against a text: the model itself gives
a high probability to there being no speech, the text was a guess, its words lie where nothing can be heard, or it holds more
words than anybody can say in that time, in all or in one place. Phrases that Whisper is known to make up only tip the scales.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.recognition import Recognition, SpokenWord
from models.repetition import kept_units, plain, repeats
from models.voice_activity import STEP_S, active_steps
from models.word_times import active_share, squeezed_words

# Weak evidence, enough only against a text that Whisper is known to make up.
_MAYBE_NO_SPEECH = 0.25
_UNSURE_LOG_PROBABILITY = -0.6
# Below these even without doubt about speech: a text of guessed words.
_HOPELESS_LOG_PROBABILITY = -1.6
_HOPELESS_WORD_PROBABILITY = 0.2
# People say 10 to 20 letters in a second of sound, pauses left out.
_LETTERS_PER_S = 45.0
_SILENT_SHARE = 0.05
_UNLIKELY_WORD = 0.4

_MADE_UP = frozenset(
    {
        "you",
        "bye",
        "bye bye",
        "so",
        "oh",
        "the",
        "thank you",
        "thank you very much",
        "thank you so much",
        "thank you for watching",
        "thanks for watching",
        "thank you for your attention",
        "please subscribe",
        "subscribe to my channel",
        "see you next time",
        "see you in the next video",
        "ill see you next time",
        "music",
        "applause",
        "silence",
    }
)


def believed_words(heard: Recognition, samples: npt.NDArray[np.float32], sample_rate_hz: int) -> list[SpokenWord]:
    """The words that were really said: all of them, some, or none.

    Args:
        heard: what a recogniser made of the samples.
        samples: float32, shape (frames,).
        sample_rate_hz: of the samples.
    """
    active = active_steps(samples, sample_rate_hz)
    misplaced = _misplaced(heard.words, active)
    words = [word for index, word in enumerate(heard.words) if index not in misplaced]
    words = [words[index] for index in kept_units([plain(word.text) for word in words])]
    words = [word for word in words if active_share(word, active) > _SILENT_SHARE or word.probability > _UNLIKELY_WORD]
    return [] if objection(heard, words, active) else words


def _misplaced(words: Sequence[SpokenWord], active: npt.NDArray[np.bool_]) -> set[int]:
    """Which words are not in the sound: the squeezed ones, and whole repeats that hold one of them or lie in silence."""
    misplaced = set(squeezed_words(words))
    for repeat in repeats([plain(word.text) for word in words]):
        in_sound = sum(active_share(words[index], active) for index in repeat) / len(repeat) > _SILENT_SHARE
        if not in_sound or not misplaced.isdisjoint(repeat):
            misplaced.update(repeat)
    return misplaced


def objection(heard: Recognition, words: list[SpokenWord], active: npt.NDArray[np.bool_]) -> str:
    """Why a text is not to be believed, in words for a log; empty when it is.

    Args:
        heard: what a recogniser gave.
        words: those of its words that are left.
        active: bool, shape (steps,), which steps of 10 ms of the audio stand out from the background.
    """
    if not words:
        return "no words"
    if heard.is_silence:
        return "no speech, by the model's own account"
    mean = sum(word.probability for word in words) / len(words)
    if heard.mean_log_probability < _HOPELESS_LOG_PROBABILITY or mean < _HOPELESS_WORD_PROBABILITY:
        return "a guess"
    if not any(active_share(word, active) > _SILENT_SHARE for word in words):
        return "words where there is no sound"
    if sum(len(word.text) for word in words) > _LETTERS_PER_S * STEP_S * float(active.sum()):
        return "more words than anybody can say in so little sound"
    doubtful = heard.no_speech_probability > _MAYBE_NO_SPEECH or heard.mean_log_probability < _UNSURE_LOG_PROBABILITY
    if doubtful and " ".join(filter(None, (plain(word.text) for word in words))).replace("'", "") in _MADE_UP:
        return "a phrase that is often made up, on weak evidence"
    return ""
