"""A text encoder without weights: words and parts of words, hashed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.text_encoder import TextEncoder
from stages.memory.words_query import COMMON_WORDS

_WORD = re.compile(r"\w+")
_PART_LENGTHS = (3, 4)
_COMMON_WEIGHT = 0.15


class HashedWords(TextEncoder):
    """Texts are alike when they share words, or parts of words (Weinberger et al. 2009, arXiv 0902.2206: feature hashing).

    It knows no meanings: "dog" and "puppy" have nothing in common. Words that are everywhere count little.
    """

    name = "hashed-words"

    def __init__(self, dimension: int = 384) -> None:
        if dimension < 16:
            raise ValueError(f"dimension must be at least 16, found {dimension}")
        self.dimension = dimension

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Float32, shape (len(texts), dimension), each row of unit length; the same in every process."""
        rows = np.zeros((len(texts), self.dimension), dtype=np.float64)
        for place, text in enumerate(texts):
            for word in _WORD.findall(text.lower()):
                weight = _COMMON_WEIGHT if word in COMMON_WORDS else 1.0
                self._add(rows[place], word, weight)
                marked = f"<{word}>"
                parts = [marked[first : first + n] for n in _PART_LENGTHS for first in range(len(marked) - n + 1)]
                for part in parts:
                    self._add(rows[place], part, weight / len(parts) ** 0.5)
            length = float(np.linalg.norm(rows[place]))
            if length < 1e-12:
                # A text without words still needs a direction of unit length.
                rows[place, 0] = length = 1.0
            rows[place] /= length
        return rows.astype(np.float32)

    def _add(self, row: npt.NDArray[np.float64], feature: str, weight: float) -> None:
        code = zlib.crc32(feature.encode())
        row[(code >> 1) % self.dimension] += weight if code & 1 else -weight
