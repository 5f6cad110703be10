"""Values that were taken back: a later line of the same conversation that says what holds instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow
from stages.recall.terms import has_amount, has_number, is_calendar, numbers, tokens
from stages.recall.untranscribed import is_untranscribed

_LATEST_NS = nanoseconds(60.0)
_TAKES_BACK = re.compile(
    r"^(?:oh,? |no,? )?(?:sorry|wait|actually|no,|not quite|correction|i mean|make (?:that|it))\b"
    r"|\b(?:i was wrong|(?:was|is|read|got|had) (?:\w+ ){0,3}wrong|i (?:mixed|got) (?:it|that|them) (?:up|wrong)|to be exact|i misspoke"
    r"|i meant|counted again|that was the old|(?:has|have) (?:changed|moved|swapped)|(?:says|said) it (?:was|is))\b",
    re.IGNORECASE,
)


def correction_of(line: LineRow, conversation: Sequence[LineRow]) -> LineRow | None:
    """The last line of a conversation, within a minute, that takes back the number, day or time of an earlier one; None without one.

    It says that something is taken back, and has another value of the same kind: what merely has another number is no correction.
    """
    later = [
        other
        for other in conversation
        if other.session == line.session
        and 0 < other.start_ns - line.start_ns <= _LATEST_NS
        and not is_untranscribed(other)
        and not other.text.rstrip().endswith("?")
        and _TAKES_BACK.search(other.text)
        and _replaces(line.text, other.text)
    ]
    return max(later, key=lambda other: (other.start_ns, other.id), default=None)


def _replaces(old: str, new: str) -> bool:
    """Whether a text has another value of the same kind: an amount for an amount, a day or month for a day or month."""
    if has_amount(old) and has_amount(new):
        return numbers(old) != numbers(new)
    if has_amount(old) or not has_number(old) or not has_number(new):
        return False
    days = _days(new)
    return bool(days) and days != _days(old)


def _days(text: str) -> frozenset[str]:
    return frozenset(token for token in tokens(text) if is_calendar(token))
