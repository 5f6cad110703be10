"""Makes words with times out of the pieces that an alignment of tokens and audio gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.voice_activity import STEP_S

if TYPE_CHECKING:
    from models.recognition import SpokenWord

_OPENING = frozenset("\"'\u201c\u2018\u00bf\u00a1([{\u00ab-")
_SHORTEST_S = 0.02
# An alignment is good to about this much, so only a longer silence at a word's edge is taken off it.
_EDGE_S = 0.05
# Stops inside a word are shorter than this.
_PAUSE_S = 0.15
_LONGEST_TAIL_S = 0.3
_LONGEST_RING_S = 0.4
# Where the contrast is lower than the one, a fading end is hidden; where it is higher than the other, it is heard.
_HIDDEN_DB = 20.0
_CLEAR_DB = 26.0
_FADE_S = 0.15
# Nobody says this many words of hardly any length in a row: an alignment gives such times to words that it finds no sound for.
_FEWEST_SQUEEZED = 3
_SQUEEZED_S = 0.031
# People say 10 to 20 letters in a second, the fastest 30.
_CROWD_S = 0.5
_CROWD_LETTERS_PER_S = 45.0
# What an alignment leaves behind a squeezed run: the last words get all the time up to the end.
_LONGEST_REST = 2


def whole_words(pieces: Iterable[SpokenWord]) -> list[SpokenWord]:
    """Joins punctuation to the word that it belongs to; the times stay those of the word alone.

    A piece keeps the space before it, as the tokens have it: that tells an opening from a closing mark.
    """
    words: list[SpokenWord] = []
    opening = ""
    for piece in pieces:
        mark = piece.text.strip()
        if any(character.isalnum() for character in mark):
            words.append(replace(piece, text=opening + mark))
            opening = ""
        elif mark and mark[-1] in _OPENING and piece.text.startswith(" "):
            opening += mark
        elif words:
            words[-1] = replace(words[-1], text=words[-1].text + mark)
    return words


def tightened(words: Iterable[SpokenWord], active: npt.NDArray[np.bool_]) -> list[SpokenWord]:
    """Takes pauses out of words: an alignment gives the pause between two words to one of them, mostly to the second.

    A word lies in one run of active steps, the longest one in its time; a run before that, at the very start, is the end of
    the word before.

    Args:
        words: in order of time.
        active: bool, shape (steps,), which steps of 10 ms stand out from the background.

    Returns:
        The words; one that lies wholly in silence keeps its times. Each starts no earlier than the one before it ends.
    """
    result: list[SpokenWord] = []
    for word in words:
        start_s, end_s = word.start_s, word.end_s
        runs = _runs(active, start_s, end_s)
        if runs:
            longest = max(range(len(runs)), key=lambda index: runs[index][1] - runs[index][0])
            from_s, to_s = runs[longest]
            if longest and result and runs[0][0] - start_s < _EDGE_S and start_s - result[-1].end_s < _EDGE_S:
                result[-1] = replace(result[-1], end_s=min(runs[0][1], start_s + _LONGEST_TAIL_S))
            start_s = from_s if from_s - start_s > _EDGE_S else start_s
            end_s = to_s if end_s - to_s > _EDGE_S else end_s
        start_s = max(start_s, result[-1].end_s if result else 0.0)
        result.append(replace(word, start_s=start_s, end_s=max(end_s, start_s + _SHORTEST_S)))
    following = [*(word.start_s for word in result), len(active) * STEP_S][1:]
    return [
        replace(word, end_s=max(word.end_s, min(_ringing_until(active, word.end_s), next_s)))
        for word, next_s in zip(result, following, strict=True)
    ]


def with_hidden_fade(words: Sequence[SpokenWord], contrast_db: float, length_s: float) -> list[SpokenWord]:
    """Lets the last word fade as long as words do where that cannot be heard.

    An alignment ends a last word before it has faded. `tightened` follows the sound from there, but where speech stands little over
    what is heard beside it the fading lies under that. Over 85 lines of the benchmark of hearing with less than 20 dB of contrast
    ends came 0.15 s early in the median, over those with more than 30 dB 0.04 s and less (tools/LOG.md).

    Args:
        words: in order of time.
        contrast_db: of the audio, see `voice_activity.contrast_db`.
        length_s: of the audio; no word ends behind it.
    """
    if not words:
        return []
    share = min(1.0, max(0.0, (_CLEAR_DB - contrast_db) / (_CLEAR_DB - _HIDDEN_DB)))
    last = words[-1]
    return [*words[:-1], replace(last, end_s=max(last.end_s, min(last.end_s + share * _FADE_S, length_s)))]


def squeezed_words(words: Sequence[SpokenWord]) -> frozenset[int]:
    """Which words have times that nobody can say them in: a decoder that has lost the thread wrote them, they are not in the sound.

    Three or more adjacent words at the least length are squeezed, with the one or two words that may be left behind them; and so
    are words faster than speech in any half second that holds at least three words and more letters than anybody can say.

    Args:
        words: in order of time, as `tightened` gives them.

    Returns:
        Their indices.
    """
    squeezed: set[int] = set()
    first = 0
    for index in range(len(words) + 1):
        if index == len(words) or words[index].end_s - words[index].start_s > _SQUEEZED_S:
            if index - first >= _FEWEST_SQUEEZED:
                squeezed.update(range(first, index if len(words) - index > _LONGEST_REST else len(words)))
            first = index + 1
    for first in range(len(words)):
        crowd = [at for at in range(first, len(words)) if words[at].end_s - words[first].start_s <= _CROWD_S]
        if len(crowd) >= _FEWEST_SQUEEZED and sum(_n_letters(words[at]) for at in crowd) > _CROWD_LETTERS_PER_S * _CROWD_S:
            squeezed.update(at for at in crowd if _n_letters(words[at]) > _CROWD_LETTERS_PER_S * (words[at].end_s - words[at].start_s))
    return frozenset(squeezed)


def _n_letters(word: SpokenWord) -> int:
    return sum(character.isalnum() for character in word.text)


def _ringing_until(active: npt.NDArray[np.bool_], end_s: float) -> float:
    """How long the sound goes on behind a word: an alignment ends the last word before a pause early."""
    first = round(end_s / STEP_S)
    after = active[first : first + round(_LONGEST_RING_S / STEP_S)]
    return end_s + STEP_S * (int(np.argmin(after)) if len(after) and not after.all() else len(after))


def _runs(active: npt.NDArray[np.bool_], start_s: float, end_s: float) -> list[tuple[float, float]]:
    """The active runs within a time; those that a pause shorter than a syllable parts are one."""
    first = round(start_s / STEP_S)
    runs: list[tuple[float, float]] = []
    for step in np.flatnonzero(active[first : max(round(end_s / STEP_S), first + 1)]):
        from_s = (first + int(step)) * STEP_S
        if runs and from_s - runs[-1][1] < _PAUSE_S:
            runs[-1] = (runs[-1][0], from_s + STEP_S)
        else:
            runs.append((from_s, from_s + STEP_S))
    return runs


def active_share(word: SpokenWord, active: npt.NDArray[np.bool_]) -> float:
    """The share (0 to 1) of a word's time that stands out from the background."""
    first = round(word.start_s / STEP_S)
    steps = active[first : max(round(word.end_s / STEP_S), first + 1)]
    return float(np.mean(steps)) if len(steps) else 0.0
