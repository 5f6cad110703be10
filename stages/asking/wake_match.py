"""Whether words begin with a wake phrase, however a recogniser spells it.

Words and phrases become rough sounds (letters that sound alike are one), and the phrase is looked for in the first words, joined, with an
edit distance in which vowels are cheap to swap: Whisper hears "echoic" as "Ekoek", "a koek", "Akoak" or "echo ik".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_UNLIKE = 0.17
"""How much the words may differ for each sound of the phrase."""
_CALLS = frozenset({"hey", "hi", "hello", "okay", "ok", "oh", "so", "um", "uh", "well", "please", "and"})
_MOST_CALLS = 2
_EXTRA_WORDS = 2
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


def question_after(text: str, phrases: Sequence[str]) -> str | None:
    """What follows a wake phrase at the beginning of a text, "" where nothing does; None where the text does not begin with one.

    A word or two that call somebody ("hey", "okay") may stand before it.
    """
    words = text.split()
    plain = [re.sub(r"[^a-z]", "", word.lower()) for word in words]
    n_calls = next((n for n, word in enumerate(plain[:_MOST_CALLS]) if word not in _CALLS), min(_MOST_CALLS, len(plain)))
    best: tuple[float, int] | None = None
    for phrase in phrases:
        wanted = sound_of("".join(re.findall("[a-z]+", phrase.lower())))
        for first in range(n_calls + 1):
            for n_words in range(1, len(phrase.split()) + _EXTRA_WORDS + 1):
                if first + n_words > len(words):
                    break
                unlike = distance(sound_of("".join(plain[first : first + n_words])), wanted)
                if unlike <= MOST_UNLIKE * len(wanted) and (best is None or (unlike, first + n_words) < best):
                    best = unlike, first + n_words
    return None if best is None else " ".join(words[best[1] :])


def sound_of(letters: str) -> str:
    """How lower-case letters roughly sound; what sounds alike is the same."""
    for found, sound in _SOUNDS:
        letters = re.sub(found, sound, letters)
    return letters


def distance(heard: str, wanted: str) -> float:
    """The edit distance of two sounds, a whole consonant as 1."""
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
