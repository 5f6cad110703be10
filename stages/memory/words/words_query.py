"""The words of free text that a search by words looks for: whatever a person types, nothing of it is an operator."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")

# Words so common that they say nothing about which line is meant. They count only where there is nothing else.
_COMMON_TEXT = """
    a about after all am an and any are as at be because been before being but by can could did do does doing for from had has have he her
    here him his how i if in into is it its just me more most my no not of on or our out over own same she should so some such than that
    the their them then there these they this those to too under until up very was we were what when where which while who whom why will
    with would you your said say says tell told anybody anyone somebody someone
"""
COMMON_WORDS = frozenset(_COMMON_TEXT.split())


def telling_words(text: str) -> list[str]:
    """The words of a text in lower case, each once: those that say something, or all where none does."""
    readable = text.encode("utf-8", "ignore").decode("utf-8")
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(readable)))
    return [word for word in words if word not in COMMON_WORDS] or words
