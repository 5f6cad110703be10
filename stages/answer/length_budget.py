"""How much of an overview fits into the time that the asker has."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isinf

from stages.recall.answers import Claim
from stages.recall.lengths import WORDS_PER_S

_LEAST_QUOTE_WORDS = 8
_QUOTE_SHARE = 0.4

_WITH_QUOTE, _WITH_AGREED = 24, 40


def fitting(claims: Iterable[Claim], length_s: float | None, usual: int) -> list[Claim]:
    """The first claims, in order of importance, that can be read in `length_s`; never none of them.

    None takes the usual number, inf all of them.
    """
    if length_s is None:
        return [claim for _, claim in zip(range(usual), claims, strict=False)]
    kept: list[Claim] = []
    left = length_s * WORDS_PER_S
    for claim in claims:
        left -= len(claim.text.split())
        if kept and left < 0:
            break
        kept.append(claim)
    return kept


def most_words(length_s: float | None) -> int | None:
    """How many words an answer may have that is too short for a quote; None for any other."""
    words = length_s * WORDS_PER_S if length_s is not None else inf
    return max(1, round(words)) if words < _WITH_QUOTE else None


def shows_agreed(length_s: float | None) -> bool:
    """Whether an answer is long enough to tell also what was agreed on."""
    return length_s is None or length_s * WORDS_PER_S >= _WITH_AGREED


def quote_words(length_s: float | None, usual: int) -> int:
    """How many words of a quote are shown: all where there is no bound, in a short answer a part of what fits into it."""
    if length_s is None:
        return usual
    return 10**6 if isinf(length_s) else max(_LEAST_QUOTE_WORDS, min(usual, round(_QUOTE_SHARE * length_s * WORDS_PER_S)))
