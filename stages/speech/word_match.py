"""How much of what was heard on one beam is the same words at the same time as on another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from models.repetition import plain
from pipeline.packets import Word

# Sound takes under 20 ms across a room; the rest is how far two alignments of one word differ.
SAME_TIME_NS = 600_000_000
_SAME_WORD = 0.75
_FEWEST_LETTERS = 8


@dataclass(frozen=True)
class Match:
    """How many words were matched, and how alike (0 to 1) the whole is."""

    n_words: int
    likeness: float


def word_match(words: Sequence[Word], others: Iterable[Word]) -> Match:
    """Match words to those of another track that were said at the same time.

    Words match when they are the same or nearly so. Leakage is often misheard, with other borders between words, so the
    letters of the whole stretch are compared too; the likeness is the greater of both.
    """
    ours = [word for word in words if plain(word.text)]
    near = [word for word in others if plain(word.text) and any(_at_once(word, own) for own in ours)]
    if not ours or not near:
        return Match(0, 0.0)
    free = sorted(near, key=lambda word: word.start_ns)
    n_matched = 0
    for own in ours:
        partner = next((other for other in free if _at_once(own, other) and _alike(own, other)), None)
        if partner is not None:
            free.remove(partner)
            n_matched += 1
    return Match(n_matched, max(n_matched / len(ours), _letters_alike(ours, near)))


def word_pairs(words: Sequence[Word], others: Sequence[Word]) -> list[tuple[int, int]]:
    """Which words are which of another track, as pairs of places, in order; each is used once."""
    pairs: list[tuple[int, int]] = []
    free = 0
    for place, word in enumerate(words):
        partner = next((at for at in range(free, len(others)) if _at_once(word, others[at]) and _alike(word, others[at])), None)
        if partner is not None:
            pairs.append((place, partner))
            free = partner + 1
    return pairs


def _at_once(first: Word, second: Word) -> bool:
    return abs(first.start_ns + first.end_ns - second.start_ns - second.end_ns) <= 2 * SAME_TIME_NS


def _alike(first: Word, second: Word) -> bool:
    one, two = plain(first.text), plain(second.text)
    return one == two or SequenceMatcher(None, one, two, autojunk=False).ratio() >= _SAME_WORD


def _letters_alike(ours: Sequence[Word], near: Sequence[Word]) -> float:
    """The share of our letters that stand in the same order in theirs."""
    letters, theirs = ("".join(plain(word.text) for word in words) for words in (ours, near))
    if len(letters) < _FEWEST_LETTERS:
        return 0.0
    blocks = SequenceMatcher(None, letters, theirs, autojunk=False).get_matching_blocks()
    # Single letters meet by chance.
    return sum(block.size for block in blocks if block.size > 2) / len(letters)
