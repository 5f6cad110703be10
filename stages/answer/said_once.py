"""When two lines say the same thing, so that an answer says it once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stages.answer.claim_check import is_negated
from stages.recall.english import is_question
from stages.recall.terms import content_terms, holds, numbers

_LEAST_SHARED = 0.8


@dataclass(frozen=True)
class Said:
    """What of a text is compared: the stems of its content words, its numbers, whether it denies, and whether it asks."""

    terms: tuple[str, ...]
    numbers: frozenset[str]
    denies: bool
    asks: bool

    @classmethod
    def of(cls, text: str) -> Said:
        """What a text says."""
        return cls(content_terms(text), numbers(text), is_negated(text), is_question(text))

    def is_same(self, other: Said) -> bool:
        """Whether nearly all content words, every number, and whether they deny and ask are shared. Without content nothing ever is."""
        if not self.terms or not other.terms or (self.numbers, self.denies, self.asks) != (other.numbers, other.denies, other.asks):
            return False
        if len(self.terms) < _LEAST_SHARED * len(other.terms):
            return False
        shared = sum(holds(term, other.terms) for term in self.terms)
        return shared >= _LEAST_SHARED * (len(self.terms) + len(other.terms) - shared)

    def is_told(self, others: Iterable[Said]) -> bool:
        """Whether one of others says it too."""
        return any(self.is_same(other) for other in others)


def says_the_same(one: str, other: str) -> bool:
    """Whether two texts share nearly all their content words, every number, and whether they deny. Texts without content never do."""
    return Said.of(one).is_same(Said.of(other))
