"""Words that leaked from one talker into the lines of another and were stored with both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.hearing_words import normal

Row = dict[str, Any]
AT_ONCE_S = 1.0
"""Words are the same word when they are no further apart than this (middle to middle)."""


def spoken(rows: Sequence[Row]) -> dict[str, list[float]]:
    """When each word was said, by its normal form: the middles in seconds."""
    times: dict[str, list[float]] = {}
    for row in rows:
        for word in row["words"]:
            times.setdefault(normal(word["text"]), []).append((word["start_s"] + word["end_s"]) / 2)
    return times


def _at(times: dict[str, list[float]], word: str, time_s: float) -> bool:
    return any(abs(time_s - other) <= AT_ONCE_S for other in times.get(word, ()))


def leaked_words(truth: Sequence[Row], lines: dict[str | None, list[Row]]) -> tuple[int, int]:
    """How many stored words of how many leaked and are stored twice.

    That is a word in the lines of one talker who did not say it then, while another did, in whose lines it stands too. A word
    between words that did not leak is not counted: a "the" too many meets another "the" within a second by chance.
    """
    talkers = [who for who in lines if who is not None]
    said = {who: spoken([row for row in truth if row["track"] == who]) for who in talkers}
    heard = {who: spoken(lines[who]) for who in talkers}
    n_leaked = n_words = 0
    for who in talkers:
        others = [other for other in talkers if other != who]
        for row in lines[who]:
            leaked = []
            for word in row["words"]:
                text, time_s = normal(word["text"]), (word["start_s"] + word["end_s"]) / 2
                twice = any(_at(said[other], text, time_s) and _at(heard[other], text, time_s) for other in others)
                leaked.append(bool(text) and twice and not _at(said[who], text, time_s))
            n_words += len(leaked)
            beside = [False, *leaked, False]
            n_leaked += sum(
                it and (before or after or len(leaked) == 1) for before, it, after in zip(beside, leaked, beside[2:], strict=False)
            )
    return n_leaked, n_words
