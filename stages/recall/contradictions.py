"""What a question asks that cannot be: two bearings at once, a time that has not come, days that exclude each other."""

from __future__ import annotations

import re
from datetime import datetime

from stages.answer.wording import clock
from stages.recall import cues
from stages.recall.calendar_phrase import asked_time
from stages.recall.english import WEEKDAY
from stages.recall.sides import bearings_in
from stages.recall.terms import content_words, is_calendar
from stages.recall.time_phrase import Moments, Window, overlap

_AHEAD = re.compile(
    r"(?<!about )(?<!on )(?<!for )(?<!of )\b(?P<when>tomorrow(?: (?:morning|afternoon|evening|night))?|the day after tomorrow"
    rf"|next (?:week|month|year|{WEEKDAY})"
    r"|in the next (?:\w+ )?(?:seconds?|minutes?|hours?|days?|weeks?)|in \w+ (?:minutes?|hours?|days?|weeks?)'? time)\b",
    re.I,
)
_WAS = re.compile(
    r"\b(?:did|was|were|had|sa(?:y|ys|id)|t(?:ell|old)|hear|heard|happens?|happening|miss|going on"
    r"|(?!(?:need|feed|seed|speed|indeed|bleed|breed|hundred|shed|sacred|naked|wicked)\b)\w{2,}ed"
    r"|ate|bought|broke|brought|came|drank|drove|fell|flew|found|gave|got|held|kept|knew|left|lost|made|met|paid|ran|rang|sang|sat|saw|slept"
    r"|sold|spoke|stood|thought|took|went|won|wrote)\b",
    re.I,
)
_DAY = re.compile(rf"\b(?:tonight|evening|afternoon|morning|night|today|tomorrow|week|weekend|{WEEKDAY})\b", re.I)
_BESIDE = re.compile(
    r"\b(?:in|during|over|within|for|from) (?P<what>(?:the )?(?:first|last|next) (?:[\w-]+ ){0,3}?(?:seconds?|secs?|minutes?|mins?|hours?) "
    r"(?:before|after) (?P<event>[^?.!,;]+))",
    re.I,
)
_TO_BE = re.compile(r"\b(?:to|will|must|should|can|may) be \w+", re.I)
# What is closed, sold or planned on a day is so then, and so is when the pool's closed; "what's happened" has.
_IS_DONE = re.compile(
    r"\b(?:is|are|be|being|gets?|(?:what|who|when|where|why|how)'s) (?!happened\b|changed\b)"
    r"(?:(?!(?:was|were|did|had)\b)\w+ (?:(?!(?:that|who|whom|which|i|we|you|he|she|it|they|was|were|did|had)\b)\w+ ){0,2}?)??"
    r"(?:\w{2,}ed|bought|brought|found|held|kept|lost|made|met|paid|sold|told|won)\b",
    re.I,
)
_IS_LEFT = re.compile(r"\b(?:is|are|'s|be|do|does|have|has) (?:\w+ ){0,3}?left\b", re.I)
_DUE = re.compile(r"\b(?:comes?|coming|(?:have|has|needs?) to|must|should)\b", re.I)
_SPOKEN = frozenset(
    [
        "will",
        "going",
        "next",
        "later",
        "minute",
        "minutes",
        "hour",
        "hours",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "year",
        "second",
        "seconds",
        "time",
        "happen",
        "happens",
        "said",
    ]
)


def no_bearing(rest: str) -> str | None:
    """Why a bearing that a question names is none; None where it names none that is not."""
    found = next((one for one in bearings_in(rest) if not -180.0 <= one <= 360.0), None)
    if found is None:
        return None
    return f"There is no bearing of {found:g} degrees: bearings go from 0 to 360 degrees, or from -180 to 180"


def two_bearings(rest: str) -> str | None:
    """Why a question that names more than one bearing cannot be served; None for one that does not."""
    found = list(dict.fromkeys(one % 360.0 for one in bearings_in(rest)))
    if len(found) < 2:
        return None
    return f"The question names {len(found)} bearings ({', '.join(f'{one:g}' for one in found)} degrees); ask about one of them at a time"


def beside_an_event(rest: str, moments: Moments) -> str | None:
    """Why minutes that are counted from something that was said ("the last minute before the break") are no time; None for any other."""
    match = _BESIDE.search(rest)
    if match is None or not (_WAS.search(rest) or cues.SPEECH.search(rest)) or asked_time(match[0], moments)[0] is not None:
        return None
    side = "before" if " before " in match["what"].lower() else "after"
    return (
        f'Echoic cannot tell when that was: "{match["what"].strip()}"; ask "What was said {side} {match["event"].strip()}?", '
        'or give the time, such as "between ten and half past"'
    )


def ahead(rest: str, window: Window | None, moments: Moments) -> str | None:
    """Why a question about a time that has not come cannot be served; None for any other.

    "When do we leave tomorrow?" and "Who cooks tonight?" ask for something that was said; a question that names nothing else asks what was
    heard then.
    """
    if window is not None and is_to_come(window, moments):
        plans = _DAY.search(window.phrase) is not None and asks_what_will_be(rest) and (_names_something(rest) or _is_due(rest))
        return None if plans else _not_yet(window.phrase, window.start, moments)
    match = _AHEAD.search(rest)
    if match is None:
        return None
    return None if _names_something(rest) or _is_due(rest) else _not_yet(match["when"], None, moments)


def is_to_come(window: Window, moments: Moments) -> bool:
    """Whether an asked time begins later than now."""
    return window.start is not None and window.start > moments.now


def asks_what_will_be(rest: str) -> bool:
    """Whether a question asks what will be, rather than what was said or heard; "who has to be told" does."""
    will_be = _IS_DONE.sub(" ", _IS_LEFT.sub(" ", _TO_BE.sub(" ", rest)))
    return _WAS.search(will_be) is None and cues.SPEECH.search(rest) is None


def _is_due(rest: str) -> bool:
    """Whether a question asks who comes, or what there is to do."""
    return _DUE.search(rest) is not None and asks_what_will_be(rest)


def _names_something(rest: str) -> bool:
    words = [word for word in content_words(rest, drop=cues.WH | cues.KIND_WORDS) if not is_calendar(word) and word not in _SPOKEN]
    return any(not re.fullmatch(r"\d+", word) for word in words)


def excluded_times(window: Window | None, rest: str, moments: Moments) -> str | None:
    """Why the times that a question names exclude each other; None where they don't."""
    if window is None:
        return None
    if window.start is not None and window.end is not None and window.end <= window.start:
        begins, ends = clock(window.start), clock(window.end)
        return f'The asked time ("{window.phrase}") ends before it begins: from {begins} to {ends}; give the earlier time first'
    other, _ = asked_time(rest, moments)
    if other is None or not (other.exact and window.exact) or overlap(window, other):
        return None
    return f'"{window.phrase}" and "{other.phrase}" have no moment in common; ask about one of them'


def _not_yet(phrase: str, start: datetime | None, moments: Moments) -> str:
    when = f" ({clock(start)})" if start is not None else ""
    return f'The asked time ("{phrase}"{when}) has not come yet: it is {clock(moments.now)}, and only what was heard can be told'
