"""Times as people say them in a question, read without a model: "in the last five minutes", "between ten and half past", "+30"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from stages.recall.english import WEEKDAY, WEEKDAYS
from stages.recall.word_lists import NUMBER_WORDS, TENS, numbered

_UNITS = {"second": 1.0, "sec": 1.0, "s": 1.0, "minute": 60.0, "min": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
_SLACK_S = {"second": 5.0, "sec": 5.0, "s": 5.0, "minute": 60.0, "min": 60.0, "hour": 1800.0, "day": 43200.0, "week": 86400.0}
_COUNTS: dict[str, float] = {"a": 1.0, "an": 1.0, **numbered(NUMBER_WORDS), **numbered(TENS, 20, 10)}
_COUNTS |= {"couple of": 2.0, "a couple of": 2.0, "few": 3.0, "a few": 3.0, "half an": 0.5, "half a": 0.5, "half": 0.5}
_COUNTS |= {
    f"{tens}-{ones}": value + n
    for tens, value in numbered(TENS, 20, 10).items()
    for ones, n in numbered(NUMBER_WORDS).items()
    if 0 < n < 10
}
_BELOW_SIXTY = [word for word, value in _COUNTS.items() if 1 <= value < 60 and " " not in word and word not in {"a", "an", "few"}]

_N = r"(?:\d+(?:\.\d+)?|" + "|".join(sorted((re.escape(word) for word in _COUNTS), key=len, reverse=True)) + r")"
_UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|s\b)"
_HOUR = r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
# "From two to six" are two hours, "two minutes to six" is a time.
_MINUTES = r"(?:[1-5]?\d|" + "|".join(sorted(map(re.escape, _BELOW_SIXTY), key=len, reverse=True)) + r")"
_CLOCK = (
    r"(?:\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)?)?"
    r"|\+\d+(?:\.\d+)?(?:\s?s(?:ec(?:onds?)?)?\b)?"
    rf"|(?:{_MINUTES} minutes?|five|ten|twenty|twenty-five) to {_HOUR}|(?:{_MINUTES}(?: minutes?)?) past {_HOUR}"
    r"|(?:five|ten|twenty|twenty-five)(?: minutes)? past"
    rf"|half past(?: {_HOUR})?|(?:a )?quarter (?:past|to)(?: {_HOUR})?"
    r"|\d{1,2}[:.h]\d\d(?::\d\d)?(?:\s?[ap]\.?m\.?)?|\d{1,2}\s?[ap]\.?m\.?"
    rf"|noon|midday|midnight|lunch(?:time)?|{_HOUR} o'?clock|{_HOUR}(?! (?:degrees|people|persons|times|other))\b"
    r"|(?:yesterday|today|this)(?: (?:morning|afternoon|evening|noon))?|tonight|now"
    rf"|(?:last |on )?(?:{WEEKDAY})(?: (?:morning|afternoon|evening))?)"
)
AMOUNT = rf"(?P<n>{_N}) (?P<unit>{_UNIT})"
"""An amount of time: "ten minutes"."""
_LAST = re.compile(
    rf"\b(?:(?:in|during|over|within|for|of|from)\s+)?(?:the\s+|these\s+)?(?:last|past|previous)\s+(?:({_N})\s+)?({_UNIT})"
    r"(?!\w|\s+(?:before|after)\b)",
    re.I,
)
_ENDING = re.compile(
    rf"\b(?:in|during|over|within)\s+(?:the\s+)?(?:very\s+)?(?P<end>first|last)\s+(?:(?P<n>{_N})\s+)?(?P<unit>{_UNIT})"
    r"(?:(?P<of>\s+of\s+(?:the|this|that|our)\s+(?:(?:last|latest|whole)\s+)?(?:session|recording|meeting|conversation|evening))"
    rf"|\s+(?P<side>before|after)\s+(?P<clock>{_CLOCK})|(?!\s+(?:of|before|after)\b))(?![\w'-])",
    re.I,
)
"""The beginning or the end of a session, or what comes next to a time: "the first minute", "the last ten minutes before noon"."""
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
_PART = re.compile(
    rf"\b(?:in|during|over|within|of|from)\s+the\s+(?:(?P<nth>{'|'.join(_ORDINALS[1:])}|\d{{1,2}}(?:nd|rd|th|st))"
    r"\s+(?P<unit>minute|hour)|(?P<which>first|second|third|fourth|middle|last|latter|other)\s+(?P<share>half|third|quarter))"
    r"(?P<of>\s+of\s+(?:the|this|that|our)\s+(?:(?:last|latest|whole)\s+)?(?:session|recording|meeting|conversation|evening))?"
    r"(?=[ ?.!,;]*$|,|\s+(?:about|of what)\b)",
    re.I,
)
"""A part of a session: "the second minute", "the last third of the meeting"."""
_TELLS_OF_TALK = re.compile(
    r"\b(?:sa(?:y|id|ying)|talk(?:ed|ing)?|sp(?:eak|oke)|told|mention(?:ed)?|discuss(?:ed)?|heard|happen(?:ed|ing)?|went on|going on"
    r"|miss(?:ed)?|topics?|summ?ar\w+|recap|catch|play)\b",
    re.I,
)
_AGO = re.compile(rf"\b(?:about\s+|around\s+)?({_N})\s+({_UNIT})\s+ago\b", re.I)
_RANGE = re.compile(rf"(?:\bbetween\s+({_CLOCK})\s+and\s+({_CLOCK}))|(?:\bfrom\s+({_CLOCK})\s+(?:to|until|till)\s+({_CLOCK}))", re.I)
_END = r"(?=\s*(?:[?.,!;]|$|and\b|on\b|in\b|at\b|did\b|was\b|were\b))"
_AFTER = re.compile(rf"\b(?:since|after|from)\s+({_CLOCK})(?:\s+on(?:wards?)?)?{_END}", re.I)
_BEFORE = re.compile(rf"\b(?:until|till|before|up to)\s+({_CLOCK}){_END}", re.I)
_POINT = re.compile(rf"(?:\b(?:at|around)\s+)(?:about\s+)?({_CLOCK}){_END}|(?<!\S)(\+\d+(?:\.\d+)?s?)(?![\w+])", re.I)
_DAY = re.compile(
    r"\b(?:on\s+|last\s+)?((?:yesterday|today|tonight|this (?:morning|afternoon|evening)|(?<=on )"
    rf"(?:{WEEKDAY}))"
    r"(?: (?:morning|afternoon|evening))?)\b",
    re.I,
)
_LONG_RANGE = timedelta(hours=9)
_MOST_OF_HALF_A_DAY, _MOST_OF_A_DAY = timedelta(hours=11), timedelta(hours=16)
_DAYS_AGO = {"today": 0, "this": 0, "tonight": 0, "": 0, "yesterday": 1}
_DAY_PARTS = {"morning": (5, 12), "afternoon": (12, 18), "evening": (18, 24), "noon": (12, 14)}


@dataclass(frozen=True)
class Moments:
    """What times in a question are relative to: now, the end of what was heard, the start of the latest session.

    `starts` are those of all sessions. With `daytime` an hour that may be one of the morning or of the night is that between seven and
    seven: "yesterday at ten".
    """

    now: datetime
    heard_until: datetime | None = None
    session_start: datetime | None = None
    daytime: bool = False
    starts: tuple[datetime, ...] = ()

    def on(self, day: Window) -> Moments:
        """What times of a day are relative to: the end of what was heard on it, and the start of its first session."""
        if day.start is None or day.end is None:
            return self
        heard = min(day.end, self.heard_until) if self.heard_until is not None else day.end
        start = next((start for start in self.starts if day.start <= start < day.end), self.session_start)
        return Moments(self.now, heard, start, daytime=heard == day.end, starts=self.starts)

    @property
    def reference(self) -> datetime:
        """The moment that times of day without a date come before: the end of what was heard, or now."""
        return min(self.now, self.heard_until) if self.heard_until is not None else self.now


@dataclass(frozen=True)
class Window:
    """A stretch of wall-clock time that a question asks about; None is open. `phrase` is how the question said it.

    `rolling_s` is how long a stretch that ends now is ("the last five minutes"). `exact` is False for a time of day, which may also be
    something that was said ("at ten") instead of when. `note` tells the asker which reading was taken where another was as near;
    `guessed` is one that what is declared goes before.
    """

    phrase: str
    start: datetime | None
    end: datetime | None
    rolling_s: float | None = None
    exact: bool = True
    note: str = ""
    guessed: bool = False


Readers = tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Moments], Window | None]], ...]


def find_window(text: str, moments: Moments) -> tuple[Window | None, str]:
    """The time that a question names, and the question without it. A day and a time of that day are read together."""
    day, rest = _first(text, moments, _DAYS)
    if day is not None and day.end is not None:
        within, shorter = _first(rest, moments.on(day), _READERS)
        if within is None or not overlap(within, day):
            return day, rest
        return replace(within, phrase=f"{day.phrase} {within.phrase}", exact=True), shorter
    return _first(text, moments, _READERS)


def up_to_now(amount: re.Match[str], moments: Moments) -> Window:
    """The stretch that ends now and is as long as an amount of time that was read as `AMOUNT`."""
    length_s = _count(amount["n"]) * _UNITS[_unit(amount["unit"])]
    return Window(amount[0].strip(), moments.now - timedelta(seconds=length_s), moments.now, rolling_s=length_s)


def is_beginning(window: Window) -> bool:
    """Whether an asked time is the beginning of a session."""
    return re.search(r"\bfirst\b(?!.*\bafter\b)", window.phrase, re.I) is not None


def overlap(one: Window, other: Window) -> bool:
    """Whether two stretches of time have a moment in common."""
    return _starts_in_time(one.start, other.end) and _starts_in_time(other.start, one.end)


def _starts_in_time(start: datetime | None, end: datetime | None) -> bool:
    return start is None or end is None or start < end


def _first(text: str, moments: Moments, readers: Readers) -> tuple[Window | None, str]:
    for pattern, read in readers:
        for match in pattern.finditer(text):
            window = read(match, moments)
            if window is not None:
                return window, f"{text[: match.start()]} {text[match.end() :]}"
    return None, text


def _ending(match: re.Match[str], moments: Moments) -> Window | None:
    """The first or last minutes of the session, or those next to a time."""
    unit, is_first = _unit(match["unit"]), match["end"].lower() == "first"
    length = timedelta(seconds=_count(match["n"] or ("few" if match["unit"].lower() != unit else "one")) * _UNITS[unit])
    phrase = match[0].strip()
    if match["clock"]:
        found = _moment(match["clock"], moments)
        is_after = (match["side"] or "").lower() == "after"
        if found is None or is_after != is_first:
            return None
        return Window(phrase, found[1], found[1] + length) if is_after else Window(phrase, found[0] - length, found[0])
    if is_first:
        # The first days of something are none of a session.
        start = moments.session_start if unit not in {"day", "week"} else None
        return Window(phrase, start, start + length) if start is not None else None
    end = moments.heard_until if match["of"] else None
    return Window(phrase, end - length, end) if end is not None else None


def _part(match: re.Match[str], moments: Moments) -> Window | None:
    """A minute or an hour of the session by its number, or a half, third or quarter of it."""
    start, end = moments.session_start, moments.heard_until
    # "Who scored in the second half?" and "What did they say about the match in the second half?" are no part of what was heard, nor is
    # the quarter of a year.
    is_theirs = re.search(r"\babout\b", match.string[: match.start()], re.I) is not None or (match["share"] or "").lower() == "quarter"
    is_told = _TELLS_OF_TALK.search(match.string) is not None and not (match["share"] and is_theirs)
    if start is None or not (match["of"] or is_told):
        return None
    phrase = match[0].strip()
    if match["unit"]:
        said = match["nth"].lower()
        nth = _ORDINALS.index(said) + 1 if said in _ORDINALS else int(said[:-2])
        length = timedelta(seconds=_UNITS[match["unit"].lower()])
        return Window(phrase, start + (nth - 1) * length, start + nth * length) if nth else None
    n_parts, which = {"half": 2, "third": 3, "quarter": 4}[match["share"].lower()], match["which"].lower()
    place = n_parts if which in {"last", "latter", "other"} else 2 if which == "middle" else _ORDINALS.index(which) + 1
    # Where other sessions lie between, how long the one that is meant went on is not known.
    is_latest = start == max(moments.starts, default=start) and not moments.daytime
    is_none = place > n_parts or (which == "middle" and n_parts != 3) or (which in {"latter", "other"} and n_parts != 2)
    if end is None or end <= start or is_none or not is_latest:
        return None
    return Window(phrase, start + (end - start) * (place - 1) / n_parts, start + (end - start) * place / n_parts)


def _last(match: re.Match[str], moments: Moments) -> Window | None:
    length_s = _count(match[1] or "one") * _UNITS[_unit(match[2])]
    return Window(match[0].strip(), moments.now - timedelta(seconds=length_s), moments.now, rolling_s=length_s)


def _ago(match: re.Match[str], moments: Moments) -> Window | None:
    middle = moments.now - timedelta(seconds=_count(match[1]) * _UNITS[_unit(match[2])])
    slack = timedelta(seconds=_SLACK_S[_unit(match[2])])
    return Window(match[0].strip(), middle - slack, middle + slack)


def _range(match: re.Match[str], moments: Moments) -> Window | None:
    first, second = (match[1], match[2]) if match[1] else (match[3], match[4])
    start = _moment(_as_minutes(first, second), moments)
    if start is None:
        return None
    end = _moment(second, moments, after=start[0])
    if end is None:
        return None
    end_at = end[1] if _is_day(second) else _in_order(first, second, start[0], end[0])
    phrase = match[0].strip()
    is_long = end_at - start[0] >= _LONG_RANGE and not (_is_exact(first) or _is_exact(second))
    note = f'"{phrase}" is read as {start[0]:%H:%M} to {end_at:%H:%M} on {end_at.day} {end_at:%B}.' if is_long else ""
    return Window(phrase, start[0], end_at, note=note)


def _as_minutes(first: str, second: str) -> str:
    """The first of two times, which may stand for minutes ("between five and ten past four") where it can be no hour."""
    minutes = re.fullmatch(rf"({_MINUTES})(?: minutes?)? ((?:past|to) ({_HOUR}))", second, re.I)
    if minutes is None or re.fullmatch(_HOUR, first, re.I) is None or _count(first) <= _count(minutes[3]):
        return first
    return f"{first} minutes {minutes[2]}"


def _in_order(first: str, second: str, start: datetime, end: datetime) -> datetime:
    """The end of two times of a clock, or the one before the start where nearly a whole turn lies between the two the other way round.

    "Between eleven and one" crosses noon; "between half past four and four" gives the later time first.
    """
    clocks = [clock for said in (first, second) if (clock := _clock(said.lower(), start)) is not None]
    if len(clocks) < 2 or any("lunch" in said.lower() for said in (first, second)):
        return end
    halves = [not certain and hour <= 12 for hour, _, _, certain in clocks]
    if all(halves):
        return end - timedelta(hours=12) if end - start > _MOST_OF_HALF_A_DAY else end
    return end - timedelta(days=1) if end - start > _MOST_OF_A_DAY else end


def _after(match: re.Match[str], moments: Moments) -> Window | None:
    found = _moment(match[1], moments)
    if found is None:
        return None
    late = (match[0].lower().startswith("after") and _is_day(match[1])) or "lunch" in match[1].lower()
    return Window(match[0].strip(), found[1] if late else found[0], None, exact=_is_exact(match[1]))


def _before(match: re.Match[str], moments: Moments) -> Window | None:
    found = _moment(match[1], moments)
    return Window(match[0].strip(), None, found[0], exact=_is_exact(match[1])) if found is not None else None


def _point(match: re.Match[str], moments: Moments) -> Window | None:
    said = match[1] or match[2]
    found = _moment(said, moments)
    if found is None:
        return None
    slack = timedelta(0) if found[1] - found[0] > timedelta(minutes=1) else timedelta(seconds=10 if said.startswith("+") else 120)
    return Window(match[0].strip(), found[0] - slack, found[1] + slack, exact=_is_exact(said))


def _day(match: re.Match[str], moments: Moments) -> Window | None:
    found = _moment(match[1], moments)
    return Window(match[0].strip(), found[0], found[1]) if found is not None else None


_READERS: Readers = (
    (_PART, _part),
    (_ENDING, _ending),
    (_LAST, _last),
    (_AGO, _ago),
    (_RANGE, _range),
    (_AFTER, _after),
    (_BEFORE, _before),
    (_POINT, _point),
)
_DAYS: Readers = ((_DAY, _day),)


def _count(said: str) -> float:
    return _COUNTS[said.lower()] if said.lower() in _COUNTS else float(said)


def _unit(said: str) -> str:
    said = said.lower()
    return said if said in _UNITS else said.removesuffix("s")


def _is_day(said: str) -> bool:
    return re.search(r"(?<!mid)day|tonight|morning|afternoon|evening|\d{4}-\d\d-\d\d$", said, re.I) is not None


def _is_exact(said: str) -> bool:
    return _is_day(said) or said.startswith("+") or re.match(r"\d{4}-", said) is not None


def _moment(said: str, moments: Moments, after: datetime | None = None) -> tuple[datetime, datetime] | None:
    """The first and last moment of what was said; a moment of the day before the reference, or `after` another one."""
    text = said.strip().lower()
    if text.startswith("+"):
        if moments.session_start is None:
            return None
        moment = moments.session_start + timedelta(seconds=float(text[1:].rstrip(" second")))
        return moment, moment
    if text == "now":
        return moments.now, moments.now
    if re.match(r"\d{4}-", text):
        return _iso(text, moments)
    if _is_day(text):
        return _date(text, moments)
    clock = _clock(text, after)
    if clock is None:
        return None
    hour, minute, second, certain = clock
    options = [hour] if certain or hour > 12 else [hour % 12, hour % 12 + 12]
    if moments.daytime and after is None and len(options) == 2:
        options = [option for option in options if 7 <= option < 19]
    base = after or moments.reference
    days = (0, 1) if after is not None else (0, -1)
    candidates = [
        (base + timedelta(days=day)).replace(hour=option, minute=minute, second=second, microsecond=0) for day in days for option in options
    ]
    if after is not None:
        fitting = sorted(candidate for candidate in candidates if candidate > after)
        moment = fitting[0] if fitting else candidates[0]
    else:
        fitting = sorted(candidate for candidate in candidates if candidate <= base)
        moment = fitting[-1] if fitting else candidates[0]
    return (moment, moment + timedelta(hours=1)) if "lunch" in text else (moment, moment)


def _clock(text: str, after: datetime | None) -> tuple[int, int, int, bool] | None:
    """Hour, minute, second, and whether morning or afternoon is certain."""
    fixed = {"noon": 12, "midday": 12, "lunch": 12, "lunchtime": 12, "midnight": 0}
    if text in fixed:
        return fixed[text], 0, 0, True
    past = re.fullmatch(r"(half past|(?:a )?quarter past|(?:a )?quarter to)(?: (.+))?", text)
    if past:
        if past[2] is None and after is None:
            return None
        hour = int(_count(past[2])) if past[2] else after.hour  # type: ignore[union-attr]  # the line above has shown it
        minute = {"half": 30, "past": 15, "to": 45}["half" if "half" in past[1] else "to" if past[1].endswith("to") else "past"]
        hour = hour - 1 if minute == 45 and past[2] else hour
        return hour % 24, minute, 0, past[2] is None
    minutes = re.fullmatch(r"([\w-]+)(?: minutes?)? (past|to)(?: (.+))?", text)
    if minutes:
        if minutes[3] is None and after is None:
            return None
        hour = int(_count(minutes[3])) if minutes[3] else after.hour  # type: ignore[union-attr]  # the line above has shown it
        minute = int(_count(minutes[1]))
        return ((hour, minute) if minutes[2] == "past" else ((hour - 1) % 24, 60 - minute)) + (0, False)
    digits = re.fullmatch(r"(\d{1,2})(?:[:.h](\d\d)(?::(\d\d))?)?\s?([ap])?\.?(?:m\.?)?", text)
    if digits:
        hour, minute, second = int(digits[1]), int(digits[2] or 0), int(digits[3] or 0)
        if digits[4]:
            hour = hour % 12 + (12 if digits[4] == "p" else 0)
        return (hour, minute, second, digits[4] is not None or digits[1].startswith("0")) if hour < 24 and minute < 60 else None
    word = re.fullmatch(r"(\w+)(?: o'?clock)?", text)
    if word and word[1] in _COUNTS:
        return int(_COUNTS[word[1]]), 0, 0, False
    return None


def _iso(text: str, moments: Moments) -> tuple[datetime, datetime] | None:
    try:
        moment = datetime.fromisoformat(text.upper().replace(" ", "T"))
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=moments.now.tzinfo)
    return (moment, moment + timedelta(days=1)) if len(text) == 10 else (moment, moment)


def _date(text: str, moments: Moments) -> tuple[datetime, datetime] | None:
    """Today, yesterday or the last such weekday before today, or a part of it."""
    part = next((name for name in _DAY_PARTS if re.search(rf"\b{name}\b", text)), "evening" if text == "tonight" else "")
    day_name = re.sub(r"\b(morning|afternoon|evening|noon|on|last)\b", "", text).strip()
    if day_name in WEEKDAYS:
        days_ago = (moments.now.weekday() - WEEKDAYS.index(day_name)) % 7 or 7
    elif day_name in _DAYS_AGO:
        days_ago = _DAYS_AGO[day_name]
    else:
        return None
    midnight = datetime.combine(moments.now.date() - timedelta(days=days_ago), time(), tzinfo=moments.now.tzinfo)
    first, last = _DAY_PARTS.get(part, (0, 24))
    return midnight + timedelta(hours=first), midnight + timedelta(hours=last)
