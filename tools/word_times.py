"""When each word of a dry clip is said, and whether a recogniser reads the clip back as it was written."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.kokoro import SpokenWord

SAMPLE_RATE_HZ = 16000
QUIET = 0.02
"""Samples whose envelope is under this share of the clip's peak (-34 dB) are not part of a word."""
MAX_EARLY_S = 0.08
MIN_WORD_S = 0.06
Samples = npt.NDArray[np.float32]


def envelope(samples: Samples, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """Level over windows of 10 ms, relative to its peak, float64, shape (frames,)."""
    width = max(1, sample_rate_hz // 100)
    power = np.convolve(samples.astype(np.float64) ** 2, np.ones(width) / width, mode="same")
    return np.asarray(np.sqrt(power / max(float(power.max(initial=0.0)), 1e-20)))


def tighten(words: Sequence[SpokenWord], samples: Samples, sample_rate_hz: int) -> tuple[SpokenWord, ...]:
    """The words with their edges at pauses moved to where the sound is.

    Durations and recognisers both count a pause to the word beside it. The end of a word before a pause comes back to the last
    loud sample in it; the start of a word after one moves to the first, or up to 80 ms earlier where it was late. A word that is
    left with less than 60 ms takes them from the next.
    """
    loud = envelope(samples, sample_rate_hz) > QUIET
    tight: list[SpokenWord] = []
    for place, word in enumerate(words):
        free_s = tight[-1].end_s if tight else 0.0
        first = max(free_s, word.start_s - (MAX_EARLY_S if word.start_s - free_s > 0.03 or not tight else 0.0))
        # The last word may sound on a little after its end.
        last = word.end_s + (MAX_EARLY_S if place == len(words) - 1 else 0.0)
        inside = np.flatnonzero(loud[int(first * sample_rate_hz) : int(last * sample_rate_hz)])
        if not len(inside):
            tight.append(SpokenWord(word.text, max(word.start_s, free_s), max(word.end_s, free_s)))
            continue
        tight.append(SpokenWord(word.text, first + float(inside[0]) / sample_rate_hz, first + float(inside[-1] + 1) / sample_rate_hz))
    for place, word in enumerate(tight[:-1]):
        end_s, following = word.start_s + MIN_WORD_S, tight[place + 1]
        if word.end_s < end_s < following.end_s:
            tight[place] = replace(word, end_s=end_s)
            tight[place + 1] = replace(following, start_s=max(following.start_s, end_s))
    return tuple(tight)


def bare(word: str) -> str:
    """A word without case and punctuation."""
    return "".join(char for char in word.lower() if char.isalnum() or char == "'")


def matched(text: str, heard: Sequence[SpokenWord], duration_s: float) -> tuple[SpokenWord, ...]:
    """The words of a known text with the times of what was heard.

    Words that were heard differently share the time between their neighbours, by length.
    """
    words = text.split()
    matcher = SequenceMatcher(None, [bare(word) for word in words], [bare(word.text) for word in heard], autojunk=False)
    times: list[SpokenWord] = []
    for _, w0, w1, h0, h1 in matcher.get_opcodes():
        if w1 == w0:
            continue
        if w1 - w0 == h1 - h0:
            times.extend(SpokenWord(words[w0 + i], heard[h0 + i].start_s, heard[h0 + i].end_s) for i in range(w1 - w0))
            continue
        start = heard[h0].start_s if h1 > h0 else (heard[h0 - 1].end_s if h0 else 0.0)
        end = heard[h1 - 1].end_s if h1 > h0 else (heard[h1].start_s if h1 < len(heard) else duration_s)
        edges = start + (end - start) * np.cumsum([0, *(len(word) for word in words[w0:w1])]) / sum(len(word) for word in words[w0:w1])
        times.extend(SpokenWord(words[w0 + i], float(edges[i]), float(edges[i + 1])) for i in range(w1 - w0))
    return tuple(times)


class Reader:
    """Whisper base (int8, greedy, English) over dry clips.

    `folder` holds the CTranslate2 model (without: "whisper-base" of the model catalogue).
    """

    def __init__(self, folder: Path | None = None, n_threads: int = 2) -> None:
        self._folder = folder
        self._n_threads = n_threads
        self._model: Any = None

    def read(self, samples: Samples) -> tuple[SpokenWord, ...]:
        """The words heard in 16 kHz samples, float32, shape (frames,), with their times."""
        if self._model is None:
            from faster_whisper import WhisperModel

            from models import weights

            folder = self._folder or weights.folder_of("whisper-base")
            self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=self._n_threads)
        segments, _ = self._model.transcribe(samples, language="en", beam_size=1, temperature=0.0, word_timestamps=True)
        return tuple(SpokenWord(w.word.strip(), float(w.start), float(w.end)) for segment in segments for w in segment.words or ())


def same_words(one: str, other: str) -> bool:
    """Whether two texts are the same words after Whisper's English normalisation (case, punctuation, numbers, spelling)."""
    from whisper.normalizers import EnglishTextNormalizer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its list of spellings open
        normalise = EnglishTextNormalizer()
    return bool(normalise(one) == normalise(other))
