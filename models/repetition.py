"""Finds loops in a text: a recogniser that has lost the thread says the same few words over and over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_PHRASE = 12
_FEWEST_REPEATED = 4


@dataclass(frozen=True)
class Loop:
    """A phrase of `length` units that starts at `first` and is said `times` times in a row."""

    first: int
    length: int
    times: int

    @property
    def end(self) -> int:
        """One past the last unit of the last time."""
        return self.first + self.length * self.times


def find_loop(units: Sequence[str]) -> Loop | None:
    """The first loop in a sequence of normalised words (or of characters, in scripts without spaces).

    People repeat themselves too: "no, no, no, no" or a phrase said twice is no loop. A phrase of one or two words must come
    six times in a row, one of three four times, a longer one three times.
    """
    for first in range(len(units)):
        for length in range(1, min(_LONGEST_PHRASE, (len(units) - first) // 3) + 1):
            times = 1
            while units[first + times * length : first + (times + 1) * length] == units[first : first + length]:
                times += 1
            if times >= _fewest_times(length):
                return Loop(first, length, times)
    return None


def kept_units(units: Sequence[str]) -> list[int]:
    """Which units stay when every loop is cut to its first time, as indices."""
    kept = list(range(len(units)))
    while (loop := find_loop([units[index] for index in kept])) is not None:
        del kept[loop.first + loop.length : loop.end]
    return kept


def repeats(units: Sequence[str]) -> list[range]:
    """Where a phrase of four or more units is said that was said before, next to it or not: the later times only, as long as may be.

    People do that, so a repeat alone is no fault; it is one where something else speaks against it.
    """
    found: list[range] = []
    at = 0
    while at < len(units):
        length = max((_n_same(units, earlier, at) for earlier in range(at)), default=0)
        if length >= _FEWEST_REPEATED:
            found.append(range(at, at + length))
        at += length if length >= _FEWEST_REPEATED else 1
    return found


def _n_same(units: Sequence[str], earlier: int, later: int) -> int:
    """How many units from `earlier` on are said again from `later` on; the first time ends before the second begins."""
    longest = min(later - earlier, len(units) - later)
    return next((n for n in range(longest) if units[earlier + n] != units[later + n]), longest)


def text_units(text: str) -> list[str]:
    """The normalised words of a text; its characters when it is written without spaces."""
    words = [normalised for word in text.split() if (normalised := plain(word))]
    return list(words[0]) if len(words) == 1 else words


def plain(word: str) -> str:
    """A word without case and punctuation."""
    return "".join(character for character in word.casefold() if character.isalnum() or character == "'").strip("'")


def _fewest_times(length: int) -> int:
    if length <= 2:
        return 6
    return 4 if length == 3 else 3
