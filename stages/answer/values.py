"""The values that a line gives: times of the clock, days, dates, months, names, and amounts by what they count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from stages.recall.english import MONTHS, WEEKDAYS
from stages.recall.measures import is_unit
from stages.recall.terms import STOP_WORDS, has_amount, is_calendar, is_ordinal, numbers, stem, tokens
from stages.recall.word_lists import numbered, word_set

CLOCK, DAY, DATE, MONTH, NAME, BARE = "clock", "day", "date", "month", "name", "bare"
"""Kinds of values. An amount has what it counts as its kind ("count week"), or `BARE` where that is not said."""

_DAYS = frozenset([*WEEKDAYS, "today", "tomorrow", "yesterday", "tonight"])
_MONTHS = frozenset(MONTHS)
_MAY = re.compile(r"(?<=\s)May\b")
_ORDINALS = numbered(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth",
    first=1,
) | {"thirtieth": 30}
_NTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_SIGNS = {"$": "dollars", "€": "euros", "£": "pounds"}
_PRICE = re.compile(r"([$€£])\s?(\d+)")
_NAME = re.compile(r"(?<=[\w,] )[A-Z][a-z]\w+\b(?!-\d)")
_CLAUSES = re.compile(r"(?<!\d)[,.;:!?]|[,.;:!?](?!\d)")
_HALF_OF_DAY = re.compile(r"(?<=[\d ])([ap])\.m\b\.?", re.I)
_DIGITAL = re.compile(r"\b(\d{1,2}):(\d\d)\b(?! ?[ap]\.?m)")
# Not a time: "at 8.30".
_DECIMAL = re.compile(r"(?<![\d.:])(\d+)\.(\d|\d\d(?= (?:dollars|euros|pounds|percent)))(?![\d.])")
_POINT = re.compile(r"\d+p\d+")
_IN_SECOND_HALF = ("pm", "p m", "in the afternoon", "in the evening")
_PEOPLE = word_set("you us we these those both")
_BEFORE_A_TIME = word_set("at until till by from around before after about")
_AFTER_A_TIME = (
    "o'clock",
    "clock",
    "am",
    "pm",
    "a m",
    "p m",
    "at night",
    "in the morning",
    "in the afternoon",
    "in the evening",
    "in the night",
)
_NOT_AFTER_A_TIME = word_set("of other more")
_PARTS = {"half": 30, "quarter": 15, "five": 5, "ten": 10, "twenty": 20}
_NOON = word_set("noon midnight")
_SKIPPED = word_set("other others more such of the our my whole")
_LAST_HOUR = 24
_HALF_DAY = 12
_HOUR_MIN = 60
_HUNDRED, _THOUSAND = 100, 1000


@lru_cache(maxsize=4096)
def values_in(text: str) -> dict[str, frozenset[str]]:
    """The values of a text by their kind, however they are written: only those of one kind can stand for each other."""
    plain = _PRICE.sub(lambda match: f"{match[2]} {_SIGNS[match[1]]}", re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))
    plain = _DECIMAL.sub(r"\1p\2", plain)
    plain = _DIGITAL.sub(r"\1 \2 o'clock", _HALF_OF_DAY.sub(r"\1m ", plain)).replace("%", " percent")
    found: dict[str, set[str]] = {}
    if names := {name for name in (match.lower() for match in _NAME.findall(text)) if not is_calendar(name) and name not in STOP_WORDS}:
        found[NAME] = names
    if _MAY.search(text):
        found[MONTH] = {"may"}
    for clause in _CLAUSES.split(plain):
        words, place = tokens(clause), 0
        while place < len(words):
            kind, value, length = _value_at(words, place)
            if kind:
                found.setdefault(kind, set()).add(value)
            place += length
    return {kind: frozenset(own) for kind, own in found.items()}


@lru_cache(maxsize=2**14)
def _may_begin(word: str) -> bool:
    """Whether a value may begin with a word, whatever stands around it: a question asks this of thousands of them."""
    is_named = word in _DAYS or word in _MONTHS or word in _NOON or word in _PARTS or word in _ORDINALS
    is_written = _NTH.fullmatch(word) is not None or _POINT.fullmatch(word) is not None
    return is_named or is_written or word == "one" or _is_amount(word) or _hour(word) is not None


def _value_at(words: Sequence[str], place: int) -> tuple[str, str, int]:
    """The kind of the value that begins at a place, the value, and how many words it has; no kind where there is none."""
    word = words[place]
    if not _may_begin(word):
        return "", "", 1
    if word in _DAYS or word in _MONTHS:
        return DAY if word in _DAYS else MONTH, word, 1
    for kind, found in ((CLOCK, _time_at(words, place)), (DATE, _date_at(words, place))):
        if found is not None:
            return kind, *found
    amount = _amount_at(words, place)
    if amount is None:
        return "", "", 1
    value, length = amount
    after = next((other for other in words[place + length : place + length + 3] if other not in _SKIPPED), "")
    return (BARE if not after or after in STOP_WORDS else f"count {stem(after)}"), value, length


def _time_at(words: Sequence[str], place: int) -> tuple[str, int] | None:
    """A time of the clock ("half past seven", "at 8.30", "three in the night"), and how many words it has."""
    word, rest = words[place], words[place + 1 : place + 3]
    if word in _NOON:
        return word, 1
    if word in _PARTS and len(rest) > 1 and rest[0] in {"past", "to"} and (hour := _hour(rest[1])) is not None:
        minute = _PARTS[word]
        hour = _of_day(hour, words[place + 3 : place + 6])
        return (f"{hour}:{minute}" if rest[0] == "past" else f"{hour - 1}:{_HOUR_MIN - minute}"), 3
    if (hour := _hour(word)) is None:
        return None
    length, minute = 1, 0
    while length <= len(rest) and (part := _plain(rest[length - 1])) is not None and minute + part < _HOUR_MIN:
        length, minute = length + 1, minute + part
    after = words[place + length : place + length + 3]
    follows = " ".join(after)
    if not any(f"{follows} ".startswith(f"{mark} ") for mark in _AFTER_A_TIME):
        is_told = place > 0 and words[place - 1] in _BEFORE_A_TIME
        if not is_told or (after and (after[0] not in STOP_WORDS | _DAYS or after[0] in _NOT_AFTER_A_TIME)):
            return None
    return f"{_of_day(hour, after)}:{minute}", length


def _of_day(hour: int, after: Sequence[str]) -> int:
    """The hour of 24 where what stands behind a time tells its half of the day."""
    follows = f"{' '.join(after)} "
    return hour + _HALF_DAY if hour < _HALF_DAY and any(follows.startswith(f"{mark} ") for mark in _IN_SECOND_HALF) else hour


def _date_at(words: Sequence[str], place: int) -> tuple[str, int] | None:
    """A day of the month ("the twenty-sixth of June", "June 22nd", but not the third floor), and how many words it has."""
    word = words[place]
    tens = int(*numbers(word)) if word in {"twenty", "thirty"} and _ORDINALS.get("".join(words[place + 1 : place + 2]), 10) < 10 else 0
    length = 2 if tens else 1
    after = words[place + length : place + length + 1]
    if (after and after[0] not in STOP_WORDS | _MONTHS | _DAYS) or words[max(0, place - 1) : place] == ["a"]:
        return None
    if (nth := _NTH.fullmatch(word)) is not None:
        return nth[1], 1
    day = _ORDINALS.get(words[place + length - 1])
    return None if day is None else (str(tens + day), length)


def _amount_at(words: Sequence[str], place: int) -> tuple[str, int] | None:
    """An amount, and how many words it has; None where there is none, or people are told ("you two")."""
    word, after = words[place], words[place + 1 : place + 2]
    if _POINT.fullmatch(word):
        return word.replace("p", "."), 1
    if word == "one" and after and is_unit(stem(after[0])):
        return "1", 1
    if not _is_amount(word) or (place and words[place - 1] in _PEOPLE) or (after and is_ordinal(after[0])):
        return None
    if after == ["of"] and words[place + 2 : place + 3] in (["them"], ["us"], ["you"]):
        return None
    parts, length = [word], 1
    while place + length < len(words):
        is_and = words[place + length] == "and" and place + length + 1 < len(words)
        further = words[place + length + is_and]
        if not _is_amount(further):
            break
        parts.append(further)
        length += 1 + is_and
    return str(_sum(parts)), length


def _sum(parts: Sequence[str]) -> int:
    """What the words of a number come to: "two hundred and forty" is 240."""
    total = running = 0
    for number in (int(number) for part in parts for number in sorted(numbers(part))):
        if number >= _THOUSAND and running:
            total, running = total + running * number, 0
        elif number == _HUNDRED:
            running = max(running, 1) * number
        else:
            running += number
    return total + running


def _is_amount(word: str) -> bool:
    return has_amount(word) and word != "half" and bool(numbers(word))


def _plain(word: str) -> int | None:
    """The number that a word is and nothing else, such as "seven" or "8"; None for any other word."""
    found = numbers(word) if word.isalnum() and (word.isdigit() or word.isalpha()) and word != "half" else frozenset[str]()
    return int(*found) if len(found) == 1 else None


def _hour(word: str) -> int | None:
    number = _plain(word)
    return number if number is not None and 0 < number <= _LAST_HOUR else None
