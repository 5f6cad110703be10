"""How long an answer may take to read or to hear, as people ask for it."""

from __future__ import annotations

import re
from math import inf

from stages.recall.word_lists import NUMBER_WORDS, TENS, numbered

BRIEF_S = 30.0
WORDS_PER_S = 2.5
"""How fast people read aloud, and about how fast they listen."""
SENTENCE_WORDS = 15
"""About how long a sentence on a stretch of conversation is."""

_COUNTS = {"a": 1.0, "an": 1.0, "half a": 0.5, "a couple of": 2.0, "a few": 3.0, **numbered(NUMBER_WORDS), **numbered(TENS, 20, 10)}
_N = r"\d+(?:\.\d+)?|" + "|".join(sorted((re.escape(word) for word in _COUNTS), key=len, reverse=True))
_TIMED = re.compile(
    rf"\bin (?:about |around |under |at most |less than )?(?P<n>{_N}) (?P<unit>seconds?|secs?|minutes?|mins?)\b(?: or less)?(?! ago)", re.I
)
_WORDED = re.compile(
    rf"\b(?:in|with|using|at most|no more than)(?: about| around| under| at most| less than| no more than)? (?P<n>{_N}) "
    r"(?P<unit>words?|sentences?)\b(?: or less| at most)?",
    re.I,
)
_TALKED = r"(?:sa(?:y|ys|id)|t(?:ell|old)|talk(?:ed|ing)?|sp(?:eak|oke)|discuss(?:ed)?|mention(?:ed)?)"
_SAID_OF_IT = re.compile(
    rf"^\W*(?:(?:in|with|using) .+ words?,? )?about\b|\b{_TALKED}\b.*\b(?:about|on|of)\b|\b(?:discuss(?:ed)?|mention(?:ed)?)\b", re.I
)
_BRIEF = re.compile(
    r"\b(?:briefly|in brief|in short|very shortly|quickly|in a nutshell|in (?:just )?a few words|the short version"
    r"|(?:and |but |please )*(?:keep it|make it|be|make that) (?:short|brief)(?: please)?|short and sweet"
    r"|(?:short|brief)(?= (?:summ?ary|recap|overview|update|answer)\b))\b|(?<=[,;.?!]) *(?:short|brief)(?:,? please)?(?=[ .!?]*$)",
    re.I,
)
_FULL = re.compile(
    r"\b(?:in full(?: detail)?|in (?:great |more )?detail|fully|at full length|completely|the (?:full|long) version)\b", re.I
)


def length_in(text: str, *, overview: bool) -> tuple[float | None, str]:
    """The seconds that an answer may take (inf: as long as it is; None: nothing was said), and the text without that.

    "In 30 seconds" is a length only in a question for an overview; "in the last 30 seconds" never is one. "In ten words" is one too where
    a question for what was said begins or ends with it: "Tell me in ten words what they said about the dog".
    """
    found = _found(text) if overview else _of_what_was_said(text)
    if found is None:
        return None, text
    length_s, match = found
    return length_s, f"{text[: match.start()]} {text[match.end() :]}"


def longer_than_asked(asked: str, length_s: float | None, told: str) -> str:
    """That what is told is longer than a question allows and nothing shorter is known, in a sentence; "" where it is not."""
    if length_s is None or len(told.split()) <= max(1, round(length_s * WORDS_PER_S) if length_s < inf else len(told)):
        return ""
    return f'No shorter answer than that can be given ("{length_phrase(asked)}").'


def length_phrase(text: str) -> str:
    """How long a text says that an overview may be, in plain words; "" where it does not."""
    found = _found(text)
    if found is None:
        return ""
    return "briefly" if found[0] == BRIEF_S and _BRIEF.search(text) else found[1][0].strip()


def _of_what_was_said(text: str) -> tuple[float, re.Match[str]] | None:
    match = _WORDED.search(text) if _SAID_OF_IT.search(text) else None
    if match is None or (text[: match.start()].strip(" ,") and text[match.end() :].strip(" ,.?!")):
        return None
    return _length_s(match), match


def _found(text: str) -> tuple[float, re.Match[str]] | None:
    for pattern, length_s in ((_BRIEF, BRIEF_S), (_FULL, inf)):
        if (match := pattern.search(text)) is not None:
            return length_s, match
    match = _TIMED.search(text) or _WORDED.search(text)
    return None if match is None else (_length_s(match), match)


def _length_s(match: re.Match[str]) -> float:
    said, unit = match["n"].lower(), match["unit"].lower()
    amount = _COUNTS[said] if said in _COUNTS else float(said)
    if unit.startswith("w"):
        return amount / WORDS_PER_S
    if unit.startswith("sent"):
        return amount * SENTENCE_WORDS / WORDS_PER_S
    return amount * (60.0 if unit.startswith("m") else 1.0)
