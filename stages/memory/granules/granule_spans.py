"""The words of a line that are most like a question: a pure search over stretches of words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.rows import WordRow

N_PIECES = 6
"""A line is cut into at most so many pieces, so at most 21 stretches of it are encoded."""
LEAST_WORDS = 4
"""Fewer words than these are no span: a single name is like every question about it."""
_PIECE_WORDS = 2
_STOP_S = 0.5

Encode = Callable[[Sequence[str]], Float32Array]


@dataclass(frozen=True)
class WordSpan:
    """Words `first` to `last` (not included) of a line, and the cosine of their meaning with the question."""

    first: int
    last: int
    score: float


def best_span(words: Sequence[WordRow], vector: Float32Array, encode: Encode) -> WordSpan | None:
    """The stretch of a line's words that is most like `vector`, float32, shape (dimension,); None for a line without words.

    Stretches begin and end at pauses and punctuation, where there are any. Of equally like ones the shorter wins, then the earlier.
    """
    if not words:
        return None
    borders = _borders(words)
    spans = [(first, last) for place, first in enumerate(borders) for last in borders[place + 1 :] if last - first >= LEAST_WORDS]
    spans = spans or [(0, len(words))]
    vectors = encode([" ".join(word.text for word in words[first:last]) for first, last in spans])
    scores = [round(float(score), 6) for score in vectors @ np.asarray(vector, dtype=np.float32)]
    best = min(range(len(spans)), key=lambda place: (-scores[place], spans[place][1] - spans[place][0], spans[place][0]))
    return WordSpan(*spans[best], scores[best])


def _borders(words: Sequence[WordRow]) -> list[int]:
    """Where pieces begin, and where the last one ends: the longest piece is cut at its strongest border until there are enough."""
    borders = [0, len(words)]
    while len(borders) <= N_PIECES:
        wide = [(last - first, -first) for first, last in pairwise(borders) if last - first >= 2 * _PIECE_WORDS]
        if not wide:
            break
        length, first = max(wide)[0], -max(wide)[1]
        inside = range(first + _PIECE_WORDS, first + length - _PIECE_WORDS + 1)
        borders.append(max(inside, key=lambda place: (_strength(words, place), -abs(2 * (place - first) - length), -place)))
        borders.sort()
    return borders


def _strength(words: Sequence[WordRow], place: int) -> float:
    """How much the words before and after a place are apart, in seconds of pause."""
    pause_s = max(words[place].start_ns - words[place - 1].end_ns, 0) / NS_PER_S
    # Every script has its own commas; all of them are in the Unicode categories P.
    is_stop = unicodedata.category(words[place - 1].text[-1:] or " ").startswith("P")
    return round(pause_s + (_STOP_S if is_stop else 0.0), 3)
