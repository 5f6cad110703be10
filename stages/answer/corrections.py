"""Values that were taken back: a later line of the same conversation that says what holds instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.measures import is_unit
from stages.recall.terms import STOP_WORDS, content_terms, has_amount, has_number, holds, is_calendar, is_ordinal, numbers, stem, tokens
from stages.recall.untranscribed import is_untranscribed

_LATEST_NS = nanoseconds(60.0)
_TAKES_BACK = re.compile(
    r"^(?:oh,? |no,? )?(?:sorry|wait|actually|no,|not quite|correction|i mean|make (?:that|it))\b"
    r"|\b(?:i was wrong|(?:was|is|read|got|had) (?:\w+ ){0,3}wrong|i (?:mixed|got) (?:it|that|them) (?:up|wrong)|to be exact|i misspoke"
    r"|i meant|counted again|that was the old|(?:has|have) (?:changed|moved|swapped)|(?:says|said) it (?:was|is)"
    r"|put (?:it|that|them) off|postponed|(?:moved|move) it|not what i (?:told|said)|telling (?:it|you|that) wrong)\b",
    re.IGNORECASE,
)
_LEAST_SHARED_TERMS = 2
_OF_THE_CLOCK = frozenset({"o'clock", "clock", "past", "am", "pm"})


def correction_of(line: LineRow, conversation: Sequence[LineRow]) -> LineRow | None:
    """The last line of a conversation, within a minute, that takes back the number, day or time of an earlier one; None without one.

    It has another value of the same kind, and says that something is taken back, or the same person says it of the same thing, in
    two words of it at least: what merely has another number is no correction.
    """
    later = [
        other
        for other in conversation
        if other.session == line.session
        and 0 < other.start_ns - line.start_ns <= _LATEST_NS
        and not is_untranscribed(other)
        and not other.text.rstrip().endswith("?")
        and _replaces(line.text, other.text)
        and (_TAKES_BACK.search(other.text) or _says_it_anew(line, other))
    ]
    return max(later, key=lambda other: (other.start_ns, other.id), default=None)


def _replaces(old: str, new: str) -> bool:
    """Whether a text has another value of the same kind: an amount for an amount, a day, month or date for a day, month or date."""
    dates, dates_now = _dates(old), _dates(new)
    if dates and dates_now and dates != dates_now:
        return True
    if has_amount(old) and has_amount(new):
        counted, counted_now = _counted(old), _counted(new)
        return numbers(old) != numbers(new) and bool(not counted or not counted_now or counted & counted_now)
    if has_amount(old) or not has_number(old) or not has_number(new):
        return False
    days = _days(new)
    return bool(days) and days != _days(old)


def _says_it_anew(line: LineRow, later: LineRow) -> bool:
    """Whether the same person speaks of the same thing, by the words of both that are no numbers, or by what both count.

    Meals or guests are one thing; dollars and weeks are of anything.
    """
    if speaker_of(line) != speaker_of(later):
        return False
    said = content_terms(later.text)
    shared = [term for term in content_terms(line.text) if not has_amount(term) and not is_ordinal(term) and holds(term, said)]
    if len(shared) >= _LEAST_SHARED_TERMS:
        return True
    return any(not is_unit(counted) and not is_calendar(counted) for counted in _counted(line.text) & _counted(later.text))


def _counted(text: str) -> frozenset[str]:
    """What the numbers of a text count: the stem of the word right after each, unless that is one like "of", or tells the time."""
    dull = STOP_WORDS | _OF_THE_CLOCK
    return frozenset(stem(after) for word, after in pairwise(tokens(text)) if numbers(word) and not numbers(after) and after not in dull)


def _dates(text: str) -> frozenset[str]:
    """The days of the month in a text ("the twenty-sixth"), with the tens before them."""
    words = ["", *tokens(text)]
    return frozenset(f"{before if numbers(before) else ''} {word}" for before, word in pairwise(words) if is_ordinal(word))


def _days(text: str) -> frozenset[str]:
    return frozenset(token for token in tokens(text) if is_calendar(token))
