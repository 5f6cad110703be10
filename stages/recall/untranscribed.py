"""Lines of which only where and when somebody spoke is known, not the words: made by a graph without a recogniser."""

from __future__ import annotations

import re

from stages.memory.rows import LineRow

_STAND_IN = re.compile(r"\s*(?:\[[^\]]*\]\s*)*")
INSTEAD_OF_WORDS = "(words not transcribed)"
"""Shown where the words would be: what stands in the memory in their place was never said."""


def is_untranscribed(line: LineRow) -> bool:
    """Whether a line has no words: only something in brackets, without confidence."""
    return line.confidence == 0.0 and _STAND_IN.fullmatch(line.text) is not None
