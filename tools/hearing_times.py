"""How far the times of words and lines are from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from tools.hearing_words import normal

Row = dict[str, Any]
FURTHEST_S = 2.0
"""Words that match but are further apart than this are not the same word."""


@dataclass
class TimeErrors:
    """Absolute differences in seconds."""

    word_starts_s: list[float] = field(default_factory=list)
    word_ends_s: list[float] = field(default_factory=list)
    line_starts_s: list[float] = field(default_factory=list)
    line_ends_s: list[float] = field(default_factory=list)

    def add(self, other: TimeErrors) -> None:
        """Take in those of another talker or cell."""
        self.word_starts_s += other.word_starts_s
        self.word_ends_s += other.word_ends_s
        self.line_starts_s += other.line_starts_s
        self.line_ends_s += other.line_ends_s


def time_errors(said: Sequence[Row], heard: Sequence[Row]) -> TimeErrors:
    """Compare one talker's lines with the truth, over the words that were read right.

    A line's start is compared with that of its first word as it was said, its end with its last, where these words were read right.
    """
    wanted = sorted((word for row in said for word in row["words"]), key=lambda word: word["start_s"])
    found = [
        (word, place == 0, place == len(row["words"]) - 1, row)
        for row in sorted(heard, key=lambda row: row["start_s"])
        for place, word in enumerate(row["words"])
    ]
    matcher = SequenceMatcher(None, [normal(w["text"]) for w in wanted], [normal(w["text"]) for w, *_ in found], autojunk=False)
    errors = TimeErrors()
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            true, (word, is_first, is_last, row) = wanted[block.a + step], found[block.b + step]
            if abs(true["start_s"] - word["start_s"]) > FURTHEST_S:
                continue
            errors.word_starts_s.append(abs(true["start_s"] - word["start_s"]))
            errors.word_ends_s.append(abs(true["end_s"] - word["end_s"]))
            if is_first:
                errors.line_starts_s.append(abs(true["start_s"] - row["start_s"]))
            if is_last:
                errors.line_ends_s.append(abs(true["end_s"] - row["end_s"]))
    return errors
