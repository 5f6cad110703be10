"""When two lines say the same thing, so that an answer says it once."""

from __future__ import annotations

from stages.answer.claim_check import is_negated
from stages.recall.terms import content_terms, holds, numbers

_LEAST_SHARED = 0.8


def says_the_same(one: str, other: str) -> bool:
    """Whether two texts share nearly all their content words, every number, and whether they deny. Texts without content never do."""
    words, others = content_terms(one), content_terms(other)
    if not words or not others or numbers(one) != numbers(other) or is_negated(one) != is_negated(other):
        return False
    if one.rstrip().endswith("?") != other.rstrip().endswith("?"):
        return False
    shared = sum(holds(word, others) for word in words)
    return shared >= _LEAST_SHARED * (len(words) + len(others) - shared)
