"""A question about a talker in the talker's own words: people say "I leave at five", not "Mira leaves at five"."""

from __future__ import annotations

import re
from collections.abc import Collection

_AGREEING = (
    (re.compile(r"\bdoes I\b", re.I), "do I"),
    (re.compile(r"\bis I\b", re.I), "am I"),
    (re.compile(r"\bhas I\b", re.I), "have I"),
    (re.compile(r"\bI is\b"), "I am"),
    (re.compile(r"\bI has\b"), "I have"),
    (re.compile(r"\b(?:his|her)\b", re.I), "my"),
)


def as_own(text: str, talkers: Collection[str]) -> tuple[str, str] | None:
    """The only talker whom a question names, and the question as that talker would ask it; None where it names none or several."""
    named = [name for name in talkers if re.search(rf"\b{re.escape(name)}\b", text, re.I)]
    if len(named) != 1:
        return None
    name = re.escape(named[0])
    own = re.sub(rf"\b{name}\b", "I", re.sub(rf"\b{name}'s\b", "my", text, flags=re.I), flags=re.I)
    for pattern, words in _AGREEING:
        own = pattern.sub(words, own)
    return named[0], own
