"""Lines that name a time of day that is asked about: "The engineer's coming at four." answers "What is at four?"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from stages.recall.contradictions import asks_what_will_be
from stages.recall.measures import is_unit
from stages.recall.question import Question
from stages.recall.terms import STOP_WORDS, is_calendar, stem
from stages.recall.word_lists import NUMBER_WORDS

_FACTS = frozenset(["what", "who", "where"])
_POINT = re.compile(r"^(?:at|around|by)(?: about| around)? (?P<clock>.+)$", re.I)
_HAPPENS = re.compile(r"\bhappens\b", re.I)
_NAMED = r"\b(?P<by>at|until|till|around|about|by|before|from|after|since)(?: about| around)? "
_NEXT = r"\b(?![.:]\d| past\b| to (?:\d|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b)(?: (?P<next>[\w'-]+))?"
_HOURS = NUMBER_WORDS.split()[:13]
_ANY_HOUR = re.compile(rf"{_NAMED}(?:\d{{1,2}}|{'|'.join(_HOURS[1:])}){_NEXT}", re.I)
_ANY_TIME = re.compile(r"\b(?:half|quarter) (?:past|to)\b|\bo'?clock\b", re.I)
_OF_TIMES = frozenset(["at", "until", "till"])
# "He said yesterday that lunch was at six" and "we agreed last week to eat at six" may still hold.
_SENTENCES = re.compile(r"[.;!?](?!\d)")
_YESTERDAY = re.compile(r"\b(?:yesterday|last (?:night|week|month|year)|(?:days?|weeks?|months?|years?) ago)\b", re.I)
_MAY_HOLD = re.compile(
    r"\b(?:to|is|are|am|be|will|would|can|cannot|hope|could|should|must|may|might|now|today|tonight|tomorrow|every|always|usually|if|not|never"
    r"|supposed|meant|planned|due|booked|set|ordered|reserved|agreed|decided|said|says|told|thought|sure|heard|read|wrote|remember)\b"
    r"|'(?:s|re|m|ll|d)\b|n't\b|(?<=[a-z])days\b",
    re.I,
)
_COUNTED = frozenset(["of", "other", "others", "more", "people", "hundred", "thousand"])
_AFTER_A_TIME = STOP_WORDS | frozenset(["o'clock", "oclock", "am", "pm", "m", "sharp", "exactly", "today", "tonight", "tomorrow"])


@dataclass(frozen=True)
class ClockAsked:
    """A time of day that a question asks about. `words` are those by which a line may name it."""

    words: tuple[str, ...]

    def is_past_in(self, text: str) -> bool:
        """Whether a line plainly tells of what was at the time: "We had dinner at six yesterday" tells nothing of what is."""
        return _was_then(text, self.is_named_in)

    def is_named_in(self, text: str) -> bool:
        """Whether a line names the time."""
        said = "|".join(map(re.escape, self.words))
        # "Half past six" is a time by itself, "six" may count something.
        if len(self.words[0].split()) > 1:
            return re.search(rf"\b(?:{said})\b", text, re.I) is not None
        return any(not _counts(match) for match in re.finditer(rf"{_NAMED}(?:{said}){_NEXT}", text, re.I))


def clock_asked(question: Question) -> ClockAsked | None:
    """The time of day of which a question asks what was told; None where it names none, or asks what was heard then."""
    window = question.window
    if window is None or window.exact or question.about_speech or question.speaker is not None or question.intent not in _FACTS:
        return None
    point = _POINT.match(window.phrase)
    if point is None or not asks_what_will_be(_HAPPENS.sub("is", question.text)):
        return None
    clock = re.sub(r" ?(?:o'?clock|[ap]\.?m\.?)$", "", point["clock"].lower())
    hour = int(clock) if clock.isdigit() else _HOURS.index(clock) if clock in _HOURS else 0
    words = tuple(dict.fromkeys([clock, _HOURS[hour], str(hour)])) if 0 < hour < len(_HOURS) else (clock,)
    return ClockAsked(words)


def with_clock(question: Question, asked: ClockAsked) -> Question:
    """The question with its time among the words that it is about."""
    return replace(question, window=None, topic=question.text, gist=" ".join([question.gist, asked.words[0]]))


def names_a_time(text: str) -> bool:
    """Whether a line names a time of day."""
    return _ANY_TIME.search(text) is not None or any(not _counts(match) for match in _ANY_HOUR.finditer(text))


def was_at_some_time(text: str) -> bool:
    """Whether a line that names times of day plainly tells of what was at them."""
    return _was_then(text, names_a_time)


def _was_then(text: str, names_it: Callable[[str], bool]) -> bool:
    """Whether every sentence that names something is of a day that is over; "the flight was at six" may be about one that is to come."""
    told = [sentence for sentence in _SENTENCES.split(text) if names_it(sentence)]
    return bool(told) and all(_YESTERDAY.search(sentence) is not None and _MAY_HOLD.search(sentence) is None for sentence in told)


def _counts(match: re.Match[str]) -> bool:
    """Whether a number counts what stands behind it: "at seven we eat" and "the bus at seven is full" tell a time, "at seven euros" none.

    Behind "at" a number is nearly always a time, behind "about" and "from" one only where nothing follows that may be counted.
    """
    word = (match["next"] or "").lower()
    if word in _COUNTED or is_unit(stem(word)):
        return True
    return match["by"].lower() not in _OF_TIMES and bool(word) and word not in _AFTER_A_TIME and not is_calendar(word)
