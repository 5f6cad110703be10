"""Lines in which an asked word may have been said though other words were recognised.

A recogniser writes what it did not catch in words that it knows: "my cost to" for my costume. Such words sound like the asked one, and it
was not sure of all of them. In a room for tuning one of 450 words that nobody had said had something that sounded like it, so this is asked
only where nobody was heard saying the word, of the lines that search found best, and answers say that it is not certain. Where a word was
recognised elsewhere it found no further mention. Short words sound like too many others and are left out (tools/LOG.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, WordRow
from stages.recall.material import Found
from stages.recall.rough_sounds import distance, sound_of
from stages.recall.terms import STOP_WORDS, holds, singular, stem, stems
from stages.recall.untranscribed import is_untranscribed

_LEAST_SOUNDS = 6
_MOST_UNLIKE = 0.25
_UNSURE = 0.6
_LONGEST_RUN = 3
_SOUNDS_PER_COST = 1.25
_OTHER_ONSET = 0.6
_MOST_LIKELY = 24
_SUPPORT = 0.6
_NO_LETTER = re.compile("[^a-z]")
_DOUBLE = re.compile(r"(.)\1+")


def misheard(memory: LongTermMemory, words: Sequence[str], lines: Sequence[LineRow], at: datetime | None = None) -> list[Found]:
    """Those of the first lines of a search in which a word seems to have been misheard, and the other words were said or misheard too.

    A line that has all of the words is none. `lines` may be without the times of their words: these are read for the few that matter.
    """
    likely = [line.id for line in lines[:_MOST_LIKELY] if not is_untranscribed(line) and sounds_like(line.text, words)]
    rows = memory.lines(ids=likely, at=at) if likely else []
    return [Found(line, 1.0, _SUPPORT, misheard=True) for line in rows if _is_alike(words, line.text, line.words)]


def sounds_like(text: str, words: Sequence[str]) -> bool:
    """Whether each of some words stands in a text or sounds like something there, and not all of them stand in it."""
    return _is_alike(words, text, None)


def _is_alike(words: Sequence[str], text: str, heard: Sequence[WordRow] | None) -> bool:
    """The same of a text as it was heard; where `heard` is not None, what sounds like a word must have been unsure."""
    spoken = [(word.text, word.probability) for word in heard] if heard is not None else [(word, 0.0) for word in text.split()]
    plain = [(_letters(word), probability) for word, probability in spoken]
    alike = [any(_sounds(run, wanted) for wanted in _wanted(word) for run in _runs(plain, wanted)) for word in words]
    if not any(alike):
        return False
    said = stems(text)
    missing = [is_alike for word, is_alike in zip(words, alike, strict=True) if not holds(stem(word), said)]
    return bool(missing) and all(missing)


@lru_cache(maxsize=256)
def _wanted(word: str) -> tuple[str, ...]:
    """How a word and its singular sound, where that is long enough to be looked for."""
    sounds = dict.fromkeys(sound_of(_letters(form)) for form in (word, singular(word)))
    return tuple(sound for sound in sounds if len(sound) >= _LEAST_SOUNDS)


def _runs(plain: Sequence[tuple[str, float]], wanted: str) -> Iterator[str]:
    """The sounds of up to three words in a row, not all of them surely recognised, that begin about as a word does."""
    for first, (letters, _) in enumerate(plain):
        if not _begins_alike(letters, wanted[0]):
            continue
        sounds = ""
        for end in range(first + 1, min(first + _LONGEST_RUN, len(plain)) + 1):
            run = plain[first:end]
            sounds += sound_of(run[-1][0])
            # Small words alone ("that is", "have not") sound like much and stand for nothing.
            if min(probability for _, probability in run) < _UNSURE and not all(letters in STOP_WORDS for letters, _ in run):
                yield sounds


@lru_cache(maxsize=2**15)
def _begins_alike(letters: str, onset: str) -> bool:
    return bool(letters) and distance(sound_of(letters)[:1], onset) <= _OTHER_ONSET


def _sounds(run: str, wanted: str) -> bool:
    most = _MOST_UNLIKE * len(wanted)
    # A sound more or less costs at least half a consonant for the first and more for others, so that most runs need not be compared.
    return abs(len(run) - len(wanted)) <= _SOUNDS_PER_COST * most + 1 and distance(_DOUBLE.sub(r"\1", run), wanted, most) <= most


@lru_cache(maxsize=2**15)
def _letters(word: str) -> str:
    return _NO_LETTER.sub("", word.lower())
