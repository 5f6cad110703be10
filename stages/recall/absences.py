"""Which declared absences a question means: "while I was on the phone" those with a reason like it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stages.memory.attention.attention_timeline import AttendedSpan
from stages.recall.terms import content_terms, holds, stems

_ANY = frozenset({"away", "out", "gone", "not here", "elsewhere"})
_ALIKE = tuple(
    frozenset(stem for word in words for stem in stems(word))
    for words in (("phone", "telephone", "call"), ("asleep", "sleeping", "sleep", "nap"), ("lunch", "meal"), ("toilet", "bathroom"))
)


_ATTENDING = re.compile(r"\b(?:follow|listen|hear|overhear|attend|focus|concentrat|paying)", re.IGNORECASE)


def says_attention(text: str) -> bool:
    """Whether a question says that something was followed, so that what it names is no reason of an absence."""
    return _ATTENDING.search(text) is not None


def meant(phrase: str, absences: Sequence[AttendedSpan]) -> list[AttendedSpan]:
    """Those absences whose reason is like what a question says ("on the phone"); all of them for "away" and the like."""
    if phrase.lower() in _ANY:
        return list(absences)
    return [span for span in absences if is_reason(content_terms(phrase) or tuple(stems(phrase)), span.attention.words)]


def is_reason(terms: Sequence[str], reason: str) -> bool:
    """Whether a reason names all of some stems, or what means the same."""
    words = stems(reason)
    return bool(terms) and all(holds(term, words) or any(term in alike and alike & words for alike in _ALIKE) for term in terms)
