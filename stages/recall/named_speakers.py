"""Whether a question names whoever says a line: a hint as to which line is meant, where it is no constraint."""

from __future__ import annotations

import re

from stages.recall.word_lists import word_set

_TITLES = word_set("am chair dr hon honourable mp mr mrs ms of phd prof right sir speaker the")
_BRACKETS = re.compile(r"\(.*?\)")
_WORD = re.compile(r"[^\W_]+")


def is_named(speaker: str, text: str) -> bool:
    """Whether a text names a speaker: by the whole name, by the name without its titles, or by the letter that ends it ("Grad B").

    What stands in brackets is no part of a name. A single letter has to be a capital, as in "What did B say?".
    """
    name = _WORD.findall(_BRACKETS.sub(" ", speaker))
    if not name:
        return False
    words = _WORD.findall(text)
    lower = [word.lower() for word in words]
    if f" {' '.join(name).lower()} " in f" {' '.join(lower)} ":
        return True
    if len(name) > 1 and len(name[-1]) == 1 and name[-1].isupper() and name[-1] in words:
        return True
    bare = [word.lower() for word in name if word.lower() not in _TITLES and len(word) > 1]
    return bool(bare) and all(word in lower for word in bare)
