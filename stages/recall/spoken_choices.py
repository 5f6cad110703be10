"""A question that offers two answers: "was it on Monday or was it on Tuesday that the plumber comes"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from stages.recall.english import AUXILIARY
from stages.recall.spoken_clauses import Clause
from stages.recall.terms import is_calendar, is_number, tokens

_TWO_TIMES = re.compile(
    r"^(?P<is>was|is) it (?P<one>[^,]+?)(?: (?:that|when) (?P<early>[^,]+?))? or (?:(?:was|is) it )?(?P<other>[^,]+?)"
    r"(?: (?:that|when) (?P<late>[^,]+))?$",
    re.I,
)
_BEGINS = re.compile(
    rf"^(?:or )?(?P<begin>(?:{AUXILIARY}|should) (?:it|that|he|she|they|we|the|there))\b",
    re.I,
)
_MOST_CHARACTERS = 200
_OF_TIME = frozenset(["on", "in", "at", "the", "of", "last", "this", "next", "half", "past", "quarter", "to", "o'clock"])


def time_core(parts: Sequence[Clause]) -> str | None:
    """The question when something is, of one that offers two times for it and says nothing else; None for any other."""
    said = " ".join(part.text for part in parts)
    match = _TWO_TIMES.match(said) if len(said) <= _MOST_CHARACTERS and all(part.asks for part in parts) else None
    if match is None or bool(match["early"]) == bool(match["late"]) or not (_is_time(match["one"]) and _is_time(match["other"])):
        return None
    return f"when {match['is'].lower()} it that {match['early'] or match['late']}"


def offers_two(parts: Sequence[Clause]) -> bool:
    """Whether two clauses ask the same of two things, so that one of them alone would be half of what is asked."""
    begins = [_BEGINS.match(part.text) for part in parts]
    return any(
        one is not None and other is not None and other[0].lower() == f"or {one['begin'].lower()}" for one, other in pairwise(begins)
    )


def _is_time(text: str) -> bool:
    words = [word for word in tokens(text) if word not in _OF_TIME]
    return bool(words) and all(is_calendar(word) or is_number(word) for word in words)
