"""Words as a text."""

from __future__ import annotations

from collections.abc import Iterable


def joined(words: Iterable[str], whole: str) -> str:
    """The words one after the other, with spaces between them if `whole`, the text that they are from, has any: Japanese has none."""
    return (" " if " " in whole.strip() else "").join(word.strip() for word in words)
