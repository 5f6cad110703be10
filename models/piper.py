"""A voice of Piper (VITS, arXiv 2106.06103, as ONNX): text to samples, spelled into phonemes by espeak-ng.

Piper's own package is not needed: a voice is one network from the numbers of phonemes to samples, and a JSON that numbers them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.espeak import ipa

_MARKS = re.compile(r"([.,!?;:]+)(?=\s|$)")
_BEGIN, _END, _PAD = "^", "$", "_"
_MOST_PHONEMES = 600
"""Sentences are spoken one by one; the time and the memory of one grow with its length."""


class PiperError(RuntimeError):
    """A voice that cannot be read, or a text without words."""


class PiperVoice:
    """One voice. `model` is its .onnx; the .onnx.json beside it says how its phonemes are numbered.

    Raises PiperError where that file is not one of Piper's.
    """

    def __init__(self, model: Path, n_threads: int = 1) -> None:
        import onnxruntime

        try:
            told = json.loads(model.with_name(f"{model.name}.json").read_text(encoding="utf-8"))
            self.sample_rate_hz = int(told["audio"]["sample_rate"])
            self._language = str(told["espeak"]["voice"])
            self._ids: Mapping[str, Sequence[int]] = told["phoneme_id_map"]
            inference = told["inference"]
            self._scales = (float(inference["noise_scale"]), float(inference["length_scale"]), float(inference["noise_w"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PiperError(f"{model}.json cannot be read as the description of a Piper voice: {error!r}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def say(self, text: str, speed: float = 1.0) -> npt.NDArray[np.float32]:
        """A sentence or two, float32, shape (frames,), full scale +-1, at `sample_rate_hz`; `speed` over 1 is faster.

        The network draws its rhythm and colour by chance, so no two readings are the same. Raises PiperError where there is nothing to
        say or too much at once, EspeakError.
        """
        ids = self._numbers(phonemes_of(text, self._language))
        if len(ids) <= 3:
            raise PiperError(f"there is nothing to say in {text[:40]!r}")
        if len(ids) > 2 * _MOST_PHONEMES:
            raise PiperError(f"{text[:40]!r}...: {len(ids) // 2} phonemes, at most {_MOST_PHONEMES} at once; split the text")
        noise, length, rhythm = self._scales
        (audio,) = self._session.run(
            None,
            {
                "input": np.array([ids], dtype=np.int64),
                "input_lengths": np.array([len(ids)], dtype=np.int64),
                "scales": np.array([noise, length / speed, rhythm], dtype=np.float32),
            },
        )
        return np.clip(np.ascontiguousarray(audio.reshape(-1), dtype=np.float32), -1.0, 1.0)

    def _numbers(self, phonemes: str) -> list[int]:
        """The numbers of phonemes, each followed by a pad; what the voice does not know is left out."""
        known = [mark for mark in phonemes if mark in self._ids]
        pad = self._ids[_PAD]
        return [*self._ids[_BEGIN], *pad, *(number for mark in known for number in (*self._ids[mark], *pad)), *self._ids[_END]]


def phonemes_of(text: str, language: str = "en-us") -> str:
    """The phonemes of a text as Piper takes them: decomposed Unicode, with the punctuation that shapes the melody.

    Raises EspeakError.
    """
    pieces = _MARKS.split(f"{text} ")
    parts = []
    for clause, marks in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        spelled = " ".join(re.sub(r"\([a-z-]+\)", "", ipa(clause.strip(), language)).split()) if any(c.isalnum() for c in clause) else ""
        if spelled:
            parts.append(spelled + marks[:1])
    return unicodedata.normalize("NFD", " ".join(parts))
