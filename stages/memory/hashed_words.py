"""A text encoder without weights: words and parts of words, hashed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.text_encoder import TextEncoder
from stages.memory.words.words_query import COMMON_WORDS

_WORD = re.compile(r"\w+")
_PART_LENGTHS = (3, 4)
_COMMON_WEIGHT = 0.15
# Longer ones are hardly said twice, and would take much room in the cache.
_LONGEST_KEPT = 40


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
            words = _WORD.findall(text.lower())
            known = [_features(word) if len(word) <= _LONGEST_KEPT else _features.__wrapped__(word) for word in words]
            if known:
                codes = np.concatenate([codes for codes, _ in known])
                # Sums are made in the order of the words, so that they are the same bits wherever a text stands.
                rows[place] = np.bincount(codes % self.dimension, np.concatenate([signed for _, signed in known]), self.dimension)
            length = float(np.linalg.norm(rows[place]))
            if length < 1e-12:
                # A text without words still needs a direction of unit length.
                rows[place, 0] = length = 1.0
            rows[place] /= length
        return rows.astype(np.float32)


# A few thousand words are most of what anybody says.
@lru_cache(maxsize=8192)
def _features(word: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Of a word and its parts, in order: hashes and signed weights, each of shape (n,)."""
    weight = _COMMON_WEIGHT if word in COMMON_WORDS else 1.0
    marked = f"<{word}>"
    parts = [marked[first : first + n] for n in _PART_LENGTHS for first in range(len(marked) - n + 1)]
    weights = np.array([weight, *[weight / len(parts) ** 0.5] * len(parts)])
    codes = np.array([zlib.crc32(feature.encode()) for feature in (word, *parts)], dtype=np.int64)
    return codes >> 1, np.where(codes & 1, weights, -weights)
