"""How a line is worded, as far as it tells whether a topic begins with it: length, question, opener, reference back.

The words are English; in other languages only length and question marks speak.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")
# The question marks of Latin and Greek, Arabic, and Chinese and Japanese writing.
_QUESTION = re.compile("[?\u037e\u061f\uff1f]")
_OPENER = re.compile(r"\W*(?:okay|ok|alright|all right)\b", re.IGNORECASE)
_BACK = re.compile(r"\b(?:it|that|this|they|he|she|them|those|these)\b", re.IGNORECASE)
_ON = re.compile(r"\W*(?:and|but|or|because|which)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"\byour?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Wording:
    """What the words of one line say about its place in the talk.

    `opens` means it begins as new topics do ("okay"), `refers_back` that it needs what was said before ("that"), `goes_on` that it
    begins as the rest of a thought ("and"), `addresses` that somebody is spoken to.
    """

    n_words: int
    asks: bool
    opens: bool
    refers_back: bool
    goes_on: bool
    addresses: bool


def wording_of(text: str) -> Wording:
    """The wording of a line; empty text has none of it."""
    return Wording(
        n_words=len(_WORD.findall(text)),
        asks=_QUESTION.search(text) is not None,
        opens=_OPENER.match(text) is not None,
        refers_back=_BACK.search(text) is not None,
        goes_on=_ON.match(text) is not None,
        addresses=_ADDRESS.search(text) is not None,
    )
