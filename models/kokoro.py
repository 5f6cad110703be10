"""The Kokoro voices (82 million parameters, int8 ONNX), spelled into phonemes by espeak-ng.

Kokoro predicts how long every phoneme lasts before it makes a sound, so the times of the words are known from the making
instead of being guessed from the result. The exported model keeps these durations inside; they are handed out by naming the
inner tensor as one more output (protobuf messages merge when their bytes are joined, so a few bytes appended suffice).
"""

# ruff: noqa: RUF001 - phonemes and quotation marks are meant as they are written
from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.espeak import EspeakError, ipa

SAMPLE_RATE_HZ = 24000
FRAMES_PER_UNIT = 600
"""The durations count in units of 25 ms."""
SOUND_LEADS_S = 0.065
"""How much earlier than its durations say a phoneme sounds: s and sh in 12 sentences by 4 voices came 57 to 78 ms early."""
DURATIONS = "/encoder/Clip_output_0"
MAX_PHONEMES = 509
PUNCTUATION = ".,!?;:"

_BOTH = (
    *(("ʔˌn̩", "tn"), ("ʔn̩", "tn"), ("ʔ", "t"), ("a^ɪ", "I"), ("a^ʊ", "W"), ("d^ʒ", "ʤ"), ("e^ɪ", "A"), ("t^ʃ", "ʧ")),
    *(("ɔ^ɪ", "Y"), ("ə^l", "ᵊl"), ("ʲ", ""), ("ɚ", "əɹ"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ɐ", "ə"), ("ɬ", "l"), ("\u0303", "")),
)
_BRITISH = (("e^ə", "ɛː"), ("iə", "ɪə"), ("ə^ʊ", "Q"))
_AMERICAN = (("o^ʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""))
_LAST = (("e", "A"), ("o", "ɔ"), ("ɾ", "T"), ("^", ""))


class KokoroError(RuntimeError):
    """Speech could not be made; the message says of what and what to do."""


@dataclass(frozen=True)
class SpokenWord:
    """A word with its time in seconds from the first sample of its clip."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Speech:
    """A dry clip: `samples` is float32, shape (frames,), full scale is +-1; `words` are in order."""

    samples: npt.NDArray[np.float32]
    sample_rate_hz: int
    words: tuple[SpokenWord, ...]


def is_british(voice: str) -> bool:
    """Whether a voice speaks British English (its name begins with b)."""
    return voice.startswith("b")


def espeak(text: str, british: bool = False) -> list[str]:
    """What espeak-ng says to a piece of text without punctuation, as groups of Kokoro's phonemes.

    Small words melt into one group with their neighbour ("of the"), so there may be fewer groups than words.
    Raises KokoroError where espeak-ng is missing or fails.
    """
    try:
        phonemes = ipa(text, "en-gb-x-rp" if british else "en-us", tied=True)
    except EspeakError as error:
        raise KokoroError(str(error)) from error
    for found, wanted in (*_BOTH, *(_BRITISH if british else _AMERICAN), *_LAST):
        phonemes = phonemes.replace(found, wanted)
    return re.sub("(\\S)\u0329", "ᵊ\\1", phonemes).split()


def join_groups(groups: Sequence[str], words: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Which groups of phonemes belong to which words: (first group, end group, first word, end word) in order.

    `words` are the phonemes of each word on its own. One group may stand for up to four words and one word for up to four
    groups; of all ways that keep the order, the one whose joined phonemes are most alike is taken.
    """
    best: dict[tuple[int, int], tuple[float, list[tuple[int, int, int, int]]]] = {(0, 0): (0.0, [])}
    steps = [(1, n) for n in range(1, 5)] + [(n, 1) for n in range(2, 5)]
    for g in range(len(groups)):
        for w in range(len(words)):
            if (g, w) not in best:
                continue
            cost, way = best[g, w]
            for dg, dw in steps:
                if g + dg > len(groups) or w + dw > len(words):
                    continue
                found, wanted = "".join(groups[g : g + dg]), "".join(words[w : w + dw])
                unlike = 1.0 - SequenceMatcher(None, found, wanted, autojunk=False).ratio()
                total = cost + unlike * (len(found) + len(wanted))
                key = (g + dg, w + dw)
                if key not in best or total < best[key][0]:
                    best[key] = (total, [*way, (g, g + dg, w, w + dw)])
    if (len(groups), len(words)) not in best:
        raise KokoroError(f"the phonemes {' '.join(groups)!r} cannot be matched with the words {' '.join(words)!r}; spell the text out")
    return best[len(groups), len(words)][1]


@dataclass(frozen=True)
class Spelling:
    """Phonemes of a text, and for each word of it (first phoneme, end phoneme), fractions where words share a group."""

    phonemes: str
    spans: tuple[tuple[float, float], ...]


def spell(text: str, british: bool = False) -> Spelling:
    """The phonemes of a text, with the place of each of its words (as split at white space).

    Raises KokoroError where the text has no words.
    """
    phonemes = ""
    spans: list[tuple[float, float]] = []
    chunk: list[str] = []

    def close(mark: str) -> None:
        nonlocal phonemes
        if chunk:
            groups = espeak(" ".join(chunk), british)
            alone = ["".join(espeak(word, british)) for word in chunk]
            for g0, g1, w0, w1 in join_groups(groups, alone):
                phonemes += " " if phonemes else ""
                start = len(phonemes)
                phonemes += " ".join(groups[g0:g1])
                shares = np.cumsum([0, *(max(1, len(word)) for word in alone[w0:w1])])
                edges = start + shares / shares[-1] * (len(phonemes) - start)
                spans.extend((float(edges[i]), float(edges[i + 1])) for i in range(w1 - w0))
            chunk.clear()
        phonemes += mark

    for word in text.split():
        bare = word.strip("\"'()“”‘’" + PUNCTUATION)
        if not bare:
            raise KokoroError(f"{text!r}: {word!r} is not a word; join punctuation to the word before it")
        chunk.append(bare)
        mark = word[-1] if word[-1] in PUNCTUATION else ""
        if mark:
            close(mark)
    close("")
    if not spans:
        raise KokoroError(f"there are no words in {text!r}")
    return Spelling(phonemes, tuple(spans))


def with_output(model: bytes, tensor: str) -> bytes:
    """An ONNX model that gives out one of its inner tensors too (ModelProto.graph is field 7, GraphProto.output field 12)."""

    def field(number: int, payload: bytes) -> bytes:
        if len(payload) > 127:
            raise KokoroError(f"the name of the tensor {tensor!r} is too long")
        return bytes([number << 3 | 2, len(payload)]) + payload

    return model + field(7, field(12, field(1, tensor.encode())))


class Kokoro:
    """The voices. The same text, voice and speed give the same samples every time on one machine.

    `folder` holds model_int8.onnx, vocab.json and voices/*.bin (without: the group "kokoro" of the model catalogue).
    """

    def __init__(self, folder: Path | None = None, n_threads: int = 2) -> None:
        self._folder = folder
        self._n_threads = n_threads
        self._session: Any = None
        self._vocabulary: dict[str, int] = {}

    def _file(self, name: str) -> Path:
        if self._folder is not None:
            return self._folder / name
        from models import weights

        return weights.path_of(f"kokoro/{name}")

    def _load(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._n_threads
        options.inter_op_num_threads = 1
        model = with_output(self._file("model_int8.onnx").read_bytes(), DURATIONS)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._vocabulary = json.loads(self._file("vocab.json").read_text(encoding="utf-8"))["vocab"]

    def say(self, text: str, voice: str, speed: float = 1.0) -> Speech:
        """A text spoken by a voice ("af_heart", ...), at 24 kHz; `speed` over 1 is faster.

        Raises KokoroError where the text is empty or too long, or there is no such voice.
        """
        spelling = spell(text, is_british(voice))
        if self._session is None:
            self._load()
        tokens = [(place, self._vocabulary[char]) for place, char in enumerate(spelling.phonemes) if char in self._vocabulary]
        if len(tokens) > MAX_PHONEMES:
            raise KokoroError(f"{text[:40]!r}...: {len(tokens)} phonemes, at most {MAX_PHONEMES} at once; split the text")
        style = self._style(voice)
        audio, units = self._session.run(
            ["audio", DURATIONS],
            {
                "tokens": np.array([[0, *(token for _, token in tokens), 0]], dtype=np.int64),
                "style": style[len(tokens)],
                "speed": np.array([speed], dtype=np.float32),
            },
        )
        edges = np.cumsum(units.reshape(-1)) * FRAMES_PER_UNIT / SAMPLE_RATE_HZ
        places = np.array([place for place, _ in tokens] + [len(spelling.phonemes)], dtype=np.float64)

        def time_of(place: float) -> float:
            return max(0.0, float(np.interp(place, places, edges[: len(places)])) - SOUND_LEADS_S)

        words = tuple(
            SpokenWord(word, time_of(start), time_of(end)) for word, (start, end) in zip(text.split(), spelling.spans, strict=True)
        )
        return Speech(np.ascontiguousarray(audio.reshape(-1), dtype=np.float32), SAMPLE_RATE_HZ, words)

    def _style(self, voice: str) -> npt.NDArray[np.float32]:
        if not re.fullmatch("[a-z]{2}_[a-z]+", voice):
            raise KokoroError(f"{voice!r} is not the name of a voice; names look like af_heart, bm_george")
        path = self._file(f"voices/{voice}.bin")
        if not path.is_file():
            raise KokoroError(f"there is no voice {voice!r} at {path}")
        return np.fromfile(path, dtype=np.float32).reshape(-1, 1, 256)
