"""How an answer is read out: times, bearings, names and quotes as a person would say them, sentence by sentence."""

from __future__ import annotations

import re
import unicodedata

_MOST_CHARACTERS = 240
_QUOTED = re.compile(r'"[^"]*"|\u201c[^\u201d]*\u201d')
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2}):(\d{2})(?= on )")
_OFFSET = re.compile(r"\+?\b(?:(\d+):)?(\d{1,3}):(\d{2})\b")
_RANGE = re.compile(r"(?<=:\d\d)\s*[-\u2013]\s*(?=\+?\d+:\d{2})")
_SECONDS = re.compile(r"\+?(\d+(?:\.\d+)?) s\b")
_TIME_SAID = re.compile(r"\b(\d{1,2}):(\d{2})(?!\d|:)")
_ID = re.compile(r"\b(speaker|track|sound)-(\d+)\b")
_ASIDE = re.compile(r"\s*\(([^()]*)\)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
# Letters, digits, what shapes the melody, and what espeak-ng reads by its name.
_UNSPOKEN = re.compile(r"[^\w\s.,!?;:'\u2019%€$£+&-]|_")


def sentences(text: str) -> list[str]:
    """The sentences of a text, ready to be read by a voice: no quotation marks or brackets, no digits that mean a time.

    Times outside quotes count from the start of a recording ("0:42" is 42 seconds) unless a day follows; inside quotes somebody said
    them, and they are times of day. What is too long for one breath is parted at a comma, or else between words.
    """
    found = []
    for sentence in _SENTENCE_END.split(spoken(text)):
        found += [part for part in _breaths(sentence) if any(mark.isalnum() for mark in part)]
    return found


def spoken(text: str) -> str:
    """A text as it is said, still in one piece."""
    text = unicodedata.normalize("NFKC", text).replace("…", ".")
    pieces, begin = [], 0
    for quoted in _QUOTED.finditer(text):
        pieces += [_own_words(text[begin : quoted.start()]), _said(quoted[0][1:-1])]
        begin = quoted.end()
    pieces.append(_own_words(text[begin:]))
    plain = _UNSPOKEN.sub(" ", " ".join(pieces))
    plain = re.sub(r"(?<=\s)-+(?=\s)", ",", plain)
    plain = re.sub(r"\.{2,}", ",", plain)
    plain = re.sub(r"\s+", " ", plain)
    plain = re.sub(r" +(?=[.,!?;:])", "", plain)
    return re.sub(r"[,;:]+(?=[.,!?;:])", "", plain).strip(" ,;:")


def _own_words(text: str) -> str:
    """What Echoic itself says."""
    text = _CLOCK.sub(lambda found: _time_of_day(found[1], found[2]), text)
    text = _RANGE.sub(" to ", text)
    text = _OFFSET.sub(lambda found: _length(int(found[1] or 0), int(found[2]), int(found[3])), text)
    text = _SECONDS.sub(r"\1 seconds", text)
    text = _ID.sub(r"\1 \2", text).replace("°", " degrees")
    text = re.sub(r"[\u2013\u2014]", ", ", text)
    return _ASIDE.sub(r", \1,", text)


def _said(text: str) -> str:
    """What somebody said, who needs no colon before it."""
    text = _TIME_SAID.sub(lambda found: _time_of_day(found[1], found[2]), text)
    return re.sub(r"[\u2013\u2014]", ", ", text.replace("°", " degrees"))


def _time_of_day(hour: str, minute: str) -> str:
    if minute == "00":
        return f"{int(hour)} o'clock"
    return f"{int(hour)} {'oh ' if minute[0] == '0' else ''}{int(minute)}"


def _length(hours: int, minutes: int, seconds: int) -> str:
    """A time from the start, in words: "1 minute and 5 seconds"."""
    named = [(hours, "hour"), (minutes, "minute"), (seconds, "second")]
    told = [f"{count} {unit}{'s' if count != 1 else ''}" for count, unit in named if count]
    return " and ".join(told) or "the start"


def _breaths(sentence: str) -> list[str]:
    """A sentence in parts of at most so many characters."""
    parts = []
    rest = sentence.strip()
    while len(rest) > _MOST_CHARACTERS:
        cut = max(rest.rfind(mark, 0, _MOST_CHARACTERS) for mark in (", ", "; ", ": ")) + 1 or rest.rfind(" ", 0, _MOST_CHARACTERS)
        cut = cut if cut > 0 else _MOST_CHARACTERS
        parts.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [*parts, rest]
