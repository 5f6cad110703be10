"""Dry speech for scenes: lines spoken by Kokoro's voices or read from recordings, cut close, with the times of their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.kokoro import Kokoro, SpokenWord
from tools.room import SAMPLE_RATE_HZ
from tools.scene_parts import SceneError, Talker
from tools.scene_script import SpokenLine
from tools.word_times import Reader, matched, tighten

LEAD_S = 0.06
"""What is kept of a dry clip before its first word."""
TRAIL_S = 0.15
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """Dry speech at 16 kHz, float32, shape (frames,), of unit level while it sounds, cut close around its words."""

    samples: Samples
    text: str
    words: tuple[SpokenWord, ...]
    word_times: bool = True
    """Without, `words` is one for the whole text, from where the sound begins to where it ends."""


def close_cut(samples: Samples, text: str, words: Sequence[SpokenWord]) -> Clip:
    """A clip cut around its words, faded in and out over 10 ms, brought to unit RMS level over its loud parts."""
    words = tighten(words, samples, SAMPLE_RATE_HZ)
    first = max(0, round((words[0].start_s - LEAD_S) * SAMPLE_RATE_HZ))
    piece = samples[first : round((words[-1].end_s + TRAIL_S) * SAMPLE_RATE_HZ)].astype(np.float64)
    fade = np.minimum(1.0, np.arange(1, len(piece) + 1) / (SAMPLE_RATE_HZ // 100))
    piece = piece * fade * fade[::-1]
    loud = piece[np.abs(piece) > 0.1 * np.abs(piece).max(initial=0.0)]
    if not len(loud):
        raise SceneError(f"the speech for {text[:40]!r} is silent")
    shift_s = first / SAMPLE_RATE_HZ
    moved = tuple(SpokenWord(word.text, word.start_s - shift_s, word.end_s - shift_s) for word in words)
    return Clip((piece / np.sqrt(np.mean(loud**2))).astype(np.float32), text, moved)


class Speaking:
    """Turns the lines of a script into dry clips; the models load when they are first needed."""

    def __init__(self, voices: Kokoro | None = None, reader: Reader | None = None) -> None:
        self.voices = voices or Kokoro()
        self.reader = reader or Reader()

    def clip(self, line: SpokenLine, talker: Talker) -> Clip:
        """The dry clip of a line.

        Raises SceneError where its file is missing, unreadable or without speech.
        """
        import soxr

        if line.file is None:
            speech = self.voices.say(line.text or "", talker.voice or "", talker.speed)
            samples = soxr.resample(speech.samples, speech.sample_rate_hz, SAMPLE_RATE_HZ)
            return close_cut(samples, line.text or "", speech.words)
        samples = read_dry(line.file)
        if not line.word_times:
            whole = close_cut(samples, line.text or "", [SpokenWord(line.text or "", 0.0, len(samples) / SAMPLE_RATE_HZ)])
            return replace(whole, word_times=False)
        heard = self.reader.read(samples)
        text = line.text or " ".join(word.text for word in heard)
        if not heard or not text.split():
            raise SceneError(f"speech file {line.file}: no words can be heard in it")
        return close_cut(samples, text, matched(text, heard, len(samples) / SAMPLE_RATE_HZ))


def read_dry(path: Path) -> Samples:
    """The first channel of a speech file at 16 kHz, float32, shape (frames,). Raises SceneError where it cannot be read."""
    import soundfile
    import soxr

    if not path.is_file():
        raise SceneError(f"speech file {path}: there is no such file")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise SceneError(f"speech file {path}: cannot be read: {error}") from error
    return np.ascontiguousarray(soxr.resample(samples[:, 0], rate, SAMPLE_RATE_HZ), dtype=np.float32)
