"""Lines that name a time of day that is asked about: "The engineer's coming at four." answers "What is at four?"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from stages.recall.contradictions import asks_what_will_be
from stages.recall.question import Question
from stages.recall.word_lists import NUMBER_WORDS

_FACTS = frozenset(["what", "who", "where"])
_POINT = re.compile(r"^(?:at|around|by)(?: about| around)? (?P<clock>.+)$", re.I)
_HAPPENS = re.compile(r"\bhappens\b", re.I)
_NAMED = r"\b(?:at|around|about|by|before|until|till|from|after|since)(?: about| around)? "
_GOES_ON = (
    r"(?= *(?:[.,;!?]|$)| (?:in the|on|sharp|today|tonight|tomorrow|every|and|or|but|so|if|because|then|with|at|for|o'?clock|[ap]\.?m\b))"
)
_HOURS = NUMBER_WORDS.split()[:13]
_ANY_TIME = re.compile(rf"{_NAMED}(?:\d{{1,2}}|{'|'.join(_HOURS[1:])}){_GOES_ON}|\b(?:half|quarter) (?:past|to)\b|\bo'?clock\b", re.I)


@dataclass(frozen=True)
class ClockAsked:
    """A time of day that a question asks about. `words` are those by which a line may name it, `pattern` how it does."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]


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
    said = "|".join(map(re.escape, words))
    # "Half past six" is a time by itself, "six" may count something.
    named = f"{_NAMED}(?:{said}){_GOES_ON}" if len(clock.split()) == 1 else rf"\b{said}\b"
    return ClockAsked(words, re.compile(named, re.I))


def with_clock(question: Question, asked: ClockAsked) -> Question:
    """The question with its time among the words that it is about."""
    return replace(question, window=None, topic=question.text, gist=" ".join([question.gist, asked.words[0]]))


def names_a_time(text: str) -> bool:
    """Whether a line names a time of day."""
    return _ANY_TIME.search(text) is not None
