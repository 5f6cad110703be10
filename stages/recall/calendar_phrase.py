"""Days, weeks and dates as people say them: "last week", "last night", "the day before yesterday", "on the 3rd of March"."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time, timedelta

from stages.recall.english import WEEKDAY, WEEKDAYS
from stages.recall.time_phrase import Moments, Window, find_window, overlap

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?)"
)
_PART = r"(?: (?:in the )?(?P<part>morning|afternoon|evening|night))?"
_SPAN = re.compile(
    r"\b(?:(?:in|during|over|for|at) )?(?:the )?(?P<what>(?:last|previous|this) (?:week(?:end)?|month|year)|last night|day before"
    rf" yesterday|(?:last|this past) (?P<day>{WEEKDAY})){_PART}\b(?<!last )",
    re.I,
)
_HALF = re.compile(
    r"\b(?:(?:in|during|over|within) )?the (?:last|past) (?:(?P<half>half (?:an )?hour)|(?P<quarter>quarter of an hour))\b", re.I
)
_HALF_AGO = re.compile(r"\b(?:about )?(?:(?P<half>half an hour)|(?P<quarter>(?:a )?quarter of an hour)) ago\b", re.I)
_JUST_NOW = re.compile(r"\b(?:just now|right now|a moment ago|a minute or so ago|a second ago)\b", re.I)
_DATE = re.compile(
    rf"\b(?:on )?(?:the )?(?P<date>\d{{4}}-\d\d-\d\d(?![-\dT:])|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b\.?(?:,? \d{{4}})?"
    rf"|{_MONTH} (?:the )?\d{{1,2}}(?:st|nd|rd|th)?\b(?! ?(?:people|euros|degrees))(?:,? \d{{4}})?){_PART}",
    re.I,
)
_PARTS = {"morning": (5, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (20, 29)}
_JUST_NOW_S = 120.0
_HALF_SLACK_S = 300.0


def asked_time(text: str, moments: Moments) -> tuple[Window | None, str]:
    """The time that a question names, and the question without it; a day and a time of that day are read together."""
    day, rest = _calendar(text, moments)
    if day is None:
        return find_window(text, moments)
    if day.start is None or day.end is None or day.end - day.start > timedelta(days=1, hours=1):
        return day, rest
    within, shorter = find_window(rest, moments.on(day))
    if within is None or not overlap(within, day):
        return day, rest
    return replace(within, phrase=f"{day.phrase} {within.phrase}", exact=True), shorter


def _calendar(text: str, moments: Moments) -> tuple[Window | None, str]:
    for pattern, read in ((_SPAN, _span), (_HALF, _half), (_HALF_AGO, _half_ago), (_JUST_NOW, _just_now), (_DATE, _date)):
        match = pattern.search(text)
        found = read(match, moments) if match is not None else None
        if match is not None and found is not None:
            return replace(found, phrase=match[0].strip()), f"{text[: match.start()]} {text[match.end() :]}"
    return None, text


def _span(match: re.Match[str], moments: Moments) -> Window | None:
    what = match["what"].lower()
    today = _midnight(moments.now)
    if what == "last night":
        return Window(what, today - timedelta(hours=6), today + timedelta(hours=5))
    if what == "day before yesterday":
        return _part(today - timedelta(days=2), match["part"])
    if match["day"]:
        back = (today.weekday() - WEEKDAYS.index(match["day"].lower())) % 7 or 7
        return _part(today - timedelta(days=back), match["part"])
    monday = today - timedelta(days=today.weekday())
    is_this = what.startswith("this")
    if what.endswith("weekend"):
        # The weekend that has begun is this one; the last one is the one before the present week.
        saturday = monday + timedelta(days=5) if is_this and today.weekday() >= 5 else monday - timedelta(days=2)
        return Window(what, saturday, saturday + timedelta(days=2))
    if what.endswith("week"):
        return Window(what, monday, moments.now) if is_this else Window(what, monday - timedelta(days=7), monday)
    first = today.replace(day=1) if what.endswith("month") else today.replace(month=1, day=1)
    if is_this:
        return Window(what, first, moments.now)
    before = first - timedelta(days=1)
    return Window(what, before.replace(day=1) if what.endswith("month") else before.replace(month=1, day=1), first)


def _half(match: re.Match[str], moments: Moments) -> Window:
    length_s = 1800.0 if match["half"] else 900.0
    return Window("", moments.now - timedelta(seconds=length_s), moments.now, rolling_s=length_s)


def _half_ago(match: re.Match[str], moments: Moments) -> Window:
    middle = moments.now - timedelta(minutes=30 if match["half"] else 15)
    return Window("", middle - timedelta(seconds=_HALF_SLACK_S), middle + timedelta(seconds=_HALF_SLACK_S))


def _just_now(_: re.Match[str], moments: Moments) -> Window:
    return Window("", moments.now - timedelta(seconds=_JUST_NOW_S), moments.now, rolling_s=_JUST_NOW_S)


def _date(match: re.Match[str], moments: Moments) -> Window | None:
    # Loading it takes longer than most answers; few questions name a date.
    import dateparser

    found = dateparser.parse(
        re.sub(r"\b(?:the|of)\b", " ", match["date"]),
        languages=["en"],
        settings={"RELATIVE_BASE": moments.now.replace(tzinfo=None), "PREFER_DATES_FROM": "past", "RETURN_AS_TIMEZONE_AWARE": False},
    )
    return None if found is None else _part(datetime.combine(found.date(), time(), tzinfo=moments.now.tzinfo), match["part"])


def _part(midnight: datetime, part: str | None) -> Window:
    first, last = _PARTS[part.lower()] if part else (0, 24)
    return Window("", midnight + timedelta(hours=first), midnight + timedelta(hours=last))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
