"""How long an answer may take to read or to hear, as people ask for it."""

from __future__ import annotations

import re
from math import inf

from stages.recall.word_lists import NUMBER_WORDS, TENS, numbered

BRIEF_S = 30.0
WORDS_PER_S = 2.5
"""How fast people read aloud, and about how fast they listen."""

_COUNTS = {"a": 1.0, "an": 1.0, "half a": 0.5, "a couple of": 2.0, "a few": 3.0, **numbered(NUMBER_WORDS), **numbered(TENS, 20, 10)}
_N = r"\d+(?:\.\d+)?|" + "|".join(sorted((re.escape(word) for word in _COUNTS), key=len, reverse=True))
_TIMED = re.compile(
    rf"\bin (?:about |around |under |at most |less than )?(?P<n>{_N}) (?P<unit>seconds?|secs?|minutes?|mins?)\b(?: or less)?(?! ago)", re.I
)
_BRIEF = re.compile(r"\b(?:briefly|in brief|in short|very shortly|quickly|in a nutshell|in (?:a|one) sentence|the short version)\b", re.I)
_FULL = re.compile(
    r"\b(?:in full(?: detail)?|in (?:great |more )?detail|fully|at full length|completely|the (?:full|long) version)\b", re.I
)


def length_in(text: str, *, overview: bool) -> tuple[float | None, str]:
    """The seconds that an answer may take (inf: as long as it is; None: nothing was said), and the text without that.

    "In 30 seconds" is a length only in a question for an overview; "in the last 30 seconds" never is one.
    """
    for pattern, length_s in ((_BRIEF, BRIEF_S), (_FULL, inf)):
        match = pattern.search(text)
        if match is not None and overview:
            return length_s, f"{text[: match.start()]} {text[match.end() :]}"
    match = _TIMED.search(text) if overview else None
    if match is None:
        return None, text
    said = match["n"].lower()
    seconds = (_COUNTS[said] if said in _COUNTS else float(said)) * (60.0 if match["unit"].lower().startswith("m") else 1.0)
    return seconds, f"{text[: match.start()]} {text[match.end() :]}"
