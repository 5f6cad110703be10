"""Whether words begin with a wake phrase, however a recogniser spells it.

Words and phrases become rough sounds, and the phrase is looked for in the first words, joined, with an edit distance of sounds: Whisper
hears "echoic" as "Ekoek", "a koek", "Akoak" or "echo ik".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stages.recall.rough_sounds import distance, sound_of

MOST_UNLIKE = 0.17
"""How much the words may differ for each sound of the phrase."""
_CALLS = frozenset({"hey", "hi", "hello", "okay", "ok", "oh", "so", "um", "uh", "well", "please", "and"})
_MOST_CALLS = 2
_EXTRA_WORDS = 2


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
