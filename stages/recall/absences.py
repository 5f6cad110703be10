"""Which declared absences a question means: "while I was on the phone" those with a reason like it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from stages.memory.attention.attention_timeline import AttendedSpan
from stages.recall.terms import content_terms, holds, stems
from stages.recall.time_phrase import AMOUNT, Moments, Window, up_to_now

_ANY = frozenset({"away", "out", "gone", "not here", "elsewhere"})
_ALIKE = tuple(
    frozenset(stem for word in words for stem in stems(word))
    for words in (("phone", "telephone", "call"), ("asleep", "sleeping", "sleep", "nap"), ("lunch", "meal"), ("toilet", "bathroom"))
)

_GONE = r"(?:away|out|gone|off|absent|asleep|outside|elsewhere|not here|not listening|busy|distracted|on the phone|on a call|in a call)"
_WENT = r"(?:went|stepped|popped|nipped|left|dozed|nodded|fell|disappeared)"
_AWAY_FOR = re.compile(
    rf"\b(?:i|we)(?:'ve|'d|'m)?(?: (?:just|only|was|were|have|had|been|am|are)){{0,4}} (?:{_GONE}|{_WENT}\b[^,.?!;]{{0,30}}?)"
    rf"[^,.?!;]{{0,20}}? for (?:(?:about|around|only|just|like) )?{AMOUNT}\b",
    re.I,
)
_WENT_AGO = re.compile(
    rf"\b(?:i|we)(?:'ve|'d)?(?: just| only| had to)? (?:{_WENT}|go|leave)\b[^,.?!;]{{0,30}}? (?:about |around )?{AMOUNT} ago\b", re.I
)


_ATTENDING = re.compile(r"\b(?:follow|listen|hear|overhear|attend|focus|concentrat|paying)", re.IGNORECASE)


def says_attention(text: str) -> bool:
    """Whether a question says that something was followed, so that what it names is no reason of an absence."""
    return _ATTENDING.search(text) is not None


def away_for(text: str, moments: Moments) -> Window | None:
    """When somebody was away who says how long, or when they left: up to now, and that this is how it was read; None where none says so."""
    match = _AWAY_FOR.search(text) or _WENT_AGO.search(text)
    if match is None:
        return None
    amount = re.sub(r"^(?:an?|one|1) ", "", f"{match['n']} {match['unit']}", flags=re.I)
    note = f"You were away: this is about the last {amount} before now."
    return replace(up_to_now(match, moments), phrase=amount, note=note, guessed=True)


def meant(phrase: str, absences: Sequence[AttendedSpan]) -> list[AttendedSpan]:
    """Those absences whose reason is like what a question says ("on the phone"); all of them for "away" and the like."""
    if phrase.lower() in _ANY:
        return list(absences)
    return [span for span in absences if is_reason(content_terms(phrase) or tuple(stems(phrase)), span.attention.words)]


def is_reason(terms: Sequence[str], reason: str) -> bool:
    """Whether a reason names all of some stems, or what means the same."""
    words = stems(reason)
    return bool(terms) and all(holds(term, words) or any(term in alike and alike & words for alike in _ALIKE) for term in terms)
