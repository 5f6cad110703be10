"""Lists of words, written as text so that they can be read."""

from __future__ import annotations

from functools import cache

NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
    "twenty"
)
"""The words for 0 to 20, in order."""

TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
"""The words for 20 to 90, in order."""


@cache
def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def numbered(text: str, first: int = 0, step: int = 1) -> dict[str, int]:
    """The words of a text with the numbers that they stand for: `first`, `first + step`, and so on."""
    return {word: first + step * place for place, word in enumerate(text.split())}
