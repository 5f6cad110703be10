"""How words roughly sound by their letters, and how unlike two of them sound.

Letters that sound alike are one, and in the edit distance vowels are cheap to swap: recognisers keep consonants rather than vowels.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

_VOWELS = frozenset("aeiou")
_SOUNDS = (
    *((r"ck", "k"), (r"ch(?=[orl])", "k"), (r"ch|tch", "C"), (r"sch", "S"), (r"sh", "S"), (r"ph", "f"), (r"qu", "kw"), (r"th", "T")),
    *((r"c(?=[eiy])", "s"), (r"[cq]", "k"), (r"x", "ks"), (r"z", "s"), (r"wh", "w"), (r"^wr", "r"), (r"^kn", "n"), (r"gh", "g")),
    *((r"y", "i"), (r"(.)\1+", r"\1"), (r"(?<=[^aeiou])e$", "")),
)
_NEAR = {frozenset("kg"): 0.4, frozenset("kC"): 0.6, **dict.fromkeys(map(frozenset, ("td", "pb", "fv")), 0.4), frozenset("sS"): 0.5}
_VOWEL_FOR_VOWEL = 0.3
_VOWEL_LOST = 0.8
_FIRST_VOWEL_LOST = 0.5
_GLIDE = 0.8


@lru_cache(maxsize=2**15)
def sound_of(letters: str) -> str:
    """How lower-case letters roughly sound; what sounds alike is the same."""
    for found, sound in _SOUNDS:
        letters = re.sub(found, sound, letters)
    return letters


def distance(heard: str, wanted: str, most: float = math.inf) -> float:
    """The edit distance of two sounds, a whole consonant as 1; where it is over `most`, something over it."""
    row = [0.0]
    for sound in wanted:
        row.append(row[-1] + _lost(sound, is_first=len(row) == 1))
    for place, sound in enumerate(heard):
        above, row = row, [row[0] + _lost(sound, is_first=False)]
        for index, other in enumerate(wanted):
            row.append(
                min(
                    above[index] + _swapped(sound, other),
                    above[index + 1] + _lost(sound, is_first=False),
                    row[index] + _lost(other, is_first=place == 0 and index == 0),
                )
            )
        if min(row) > most:
            return math.inf
    return row[-1]


def _lost(sound: str, *, is_first: bool) -> float:
    if sound not in _VOWELS:
        return 1.0
    return _FIRST_VOWEL_LOST if is_first else _VOWEL_LOST


def _swapped(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if one in _VOWELS and other in _VOWELS:
        return _VOWEL_FOR_VOWEL
    if {one, other} & {"w"} and {one, other} & _VOWELS:
        return _GLIDE
    return _NEAR.get(frozenset((one, other)), 1.0)
