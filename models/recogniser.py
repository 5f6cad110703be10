"""What every speech recogniser of Whisper's kind does around its decoder: windows, batches, second attempts, doubts."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from models.recognition import (
    CAREFUL_BEAM,
    SAMPLE_RATE_HZ,
    SHORTEST_S,
    WINDOW_S,
    RecogniserError,
    Recognition,
    SpokenWord,
    best_of,
    checked_length_s,
    nothing_heard,
    token_bound,
)
from models.repetition import plain
from models.text_guard import believed_words
from models.voice_activity import active_steps, contrast_db
from models.word_times import tightened, whole_words, with_hidden_fade

Float32Array = npt.NDArray[np.float32]

_REPETITION_PENALTY = 1.2
# With a vocabulary before it the model is less sure that nobody speaks; from here on it is asked again without one.
_MAYBE_NO_SPEECH = 0.15


@dataclass(frozen=True)
class Search:
    """How to look for a text: `n_tokens` bounds its length."""

    beam_size: int
    n_tokens: int
    repetition_penalty: float = 1.0
    with_vocabulary: bool = True


class Recogniser(ABC):
    """A loaded model that hears several stretches of audio at once.

    Whisper pads all audio to 30 s and spends most of its time on that silence. Here the first attempt pads it by about
    `padding_s` only. What is decoded together has the same window and bounds, so what comes out does not depend on what else was
    in the batch. A doubtful result (confidence under `min_confidence`, a loop, or words that are not in the sound) is decoded
    again over the full window with a wider search, and once more with a penalty on repetition, where the engine has one, if
    that is a loop or has such words too. All attempts are deterministic: Whisper's own second attempt samples at random.

    A `vocabulary` is shown to the decoder as if it had been said before. That makes it write the names, and now and then into
    sounds that hold none, so a text with a name in it, or a doubtful one, counts only if something is heard without it too.
    """

    window_step_s: ClassVar[float] = 1.0
    can_penalise: ClassVar[bool] = True

    def __init__(
        self, language: str, known: Collection[str], beam_size: int, padding_s: float, min_confidence: float, vocabulary: Sequence[str]
    ) -> None:
        """`language` is "auto" or one of `known`. Raises RecogniserError for another."""
        if language != "auto" and language not in known:
            raise RecogniserError(f"language {language!r} is not known; allowed are auto, {', '.join(sorted(known))}")
        self.language = None if language == "auto" else language
        self.beam_size = beam_size
        self.padding_s = padding_s
        self.min_confidence = min_confidence
        self.vocabulary = tuple(term.strip() for term in vocabulary if term.strip())
        self._names = frozenset(plain(word) for term in self.vocabulary for word in term.split())

    @abstractmethod
    def decoded(self, pieces: Sequence[Float32Array], window_s: float, search: Search) -> list[Recognition]:
        """One attempt at each piece, all in one batch, with words as an alignment places them (see `placed`)."""

    def recognise(self, pieces: Sequence[Float32Array]) -> list[Recognition]:
        """The words in each piece of up to 30 s: float32, shape (frames,), at 16 kHz.

        Raises:
            RecogniserError: a piece is longer.
        """
        found = [nothing_heard(self.language or "") for _ in pieces]
        by_window: dict[float, list[int]] = {}
        for index, samples in enumerate(pieces):
            length_s = checked_length_s(len(samples))
            if length_s >= SHORTEST_S and active_steps(samples, SAMPLE_RATE_HZ).any():
                padded_s = math.ceil((length_s + self.padding_s) / self.window_step_s) * self.window_step_s
                by_window.setdefault(min(WINDOW_S, padded_s), []).append(index)
        for window_s, group in sorted(by_window.items()):
            # The bound on the text is that of the window: the same for every batch.
            search = Search(self.beam_size, token_bound(window_s))
            for index, first in zip(group, self.decoded([pieces[index] for index in group], window_s, search), strict=True):
                found[index] = self._heard(first, pieces[index], window_s, search)
        return found

    def _careful(self, first: Recognition, samples: Float32Array, search: Search) -> Recognition:
        """The first attempt, or a better one where it is doubtful."""
        tried = [first]
        if first.is_doubtful(self.min_confidence):
            wider = replace(search, beam_size=max(self.beam_size, CAREFUL_BEAM), n_tokens=token_bound(len(samples) / SAMPLE_RATE_HZ))
            tried += self.decoded([samples], WINDOW_S, wider)
            if self.can_penalise and (tried[-1].is_loop or tried[-1].n_squeezed):
                tried += self.decoded([samples], WINDOW_S, replace(wider, repetition_penalty=_REPETITION_PENALTY))
        return best_of(tried)

    def _heard(self, first: Recognition, samples: Float32Array, window_s: float, search: Search) -> Recognition:
        """What comes of a first attempt: nothing, if that was made with the vocabulary and without it nobody is heard to speak."""
        if self.vocabulary and first.words and self._needs_proof(first):
            without = replace(search, with_vocabulary=False)
            blank = self._careful(self.decoded([samples], window_s, without)[0], samples, without)
            if not believed_words(blank, samples, SAMPLE_RATE_HZ):
                return blank
        return self._careful(first, samples, search)

    def _needs_proof(self, first: Recognition) -> bool:
        has_name = any(plain(word.text) in self._names for word in first.words)
        return has_name or first.no_speech_probability > _MAYBE_NO_SPEECH or first.is_doubtful(self.min_confidence)

    @property
    def vocabulary_text(self) -> str:
        """The vocabulary as a text that could have been said before; empty without one."""
        return f" {', '.join(self.vocabulary)}." if self.vocabulary else ""

    def language_of(self, probabilities: Sequence[tuple[str, float]]) -> tuple[str, float]:
        """The language to write in, and how well the audio fits it (0 to 1), from the probability of each language.

        A language that was found is as sure as its probability; a fixed one is in doubt as far as another is more probable.
        """
        best, highest = max(probabilities, key=lambda entry: entry[1])
        if self.language is None:
            return best, min(1.0, highest)
        return self.language, min(1.0, dict(probabilities).get(self.language, 0.0) / max(highest, 1e-9))


def placed(pieces: Iterable[SpokenWord], samples: Float32Array) -> tuple[SpokenWord, ...]:
    """Whole words out of an alignment's pieces, with the pauses between them taken off."""
    words = tightened(whole_words(pieces), active_steps(samples, SAMPLE_RATE_HZ))
    return tuple(with_hidden_fade(words, contrast_db(samples, SAMPLE_RATE_HZ), len(samples) / SAMPLE_RATE_HZ))
