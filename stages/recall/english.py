"""English words that many patterns share, as alternatives to put between brackets; and whether a text asks."""

from __future__ import annotations

AUXILIARY = "do|does|did|has|have|had|is|are|was|were|will|would|can|could"
"""What a question turns around its subject. "Should", "must" and their like are added where they are meant too."""
QUESTION_WORD = "what|which|who|when|where|why|how"
"""The words that begin a question, in their plain form."""
ANY_QUESTION_WORD = f"{QUESTION_WORD}|whom|whose"
"""The same in all their forms."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""The days, in order."""
WEEKDAY = "|".join(WEEKDAYS)
MONTHS = ("january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december")
"""The months but May, which is a word of its own in small letters."""


def is_question(text: str) -> bool:
    """Whether a text ends in a question: it may be about what is asked, but tells nothing."""
    return text.rstrip().endswith("?")
