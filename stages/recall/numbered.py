"""Things of one kind that are told apart by a number: bed seven is not bed six, nor bus 12 bus 14."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stages.recall.measures import is_unit
from stages.recall.terms import has_amount, singular, stem, tokens
from stages.recall.word_lists import word_set

_NUMBERED = word_set(
    """
    bed ward room cell cabin flat apartment house floor storey level gate platform track terminal pier berth bay dock bus tram train line
    route flight coach carriage wagon table seat row block lane court pitch field plot locker box drawer shelf door entrance exit junction
    page chapter lesson unit part volume section paragraph question exercise task step stage phase round match scene episode class grade
    group team channel station studio theatre window zone sector district building machine engine boiler pipe camera printer ticket
    number
    """
)
_CLAUSES = re.compile(r"[.;:!?()]")
_NUMBER_OF = word_set("number no")
_AND = word_set("and or")
# "Rooms four to nine" may be any of them, but not "from room four to room nine"; and "the train ten past six" is none.
_TO = word_set("to through till until")
_OPEN = _TO | word_set("past people times o'clock percent")

Numbers = Mapping[str, frozenset[str]]
"""The numbers that a text gives things, by the noun that they have in common."""


def numbers_said(text: str) -> Numbers:
    """What a text tells apart by a number, in digits or in words, right behind its noun ("bed six") or before it ("the 12 bus")."""
    found: dict[str, frozenset[str]] = {}
    for words in _clauses(text):
        for place, word in enumerate(words):
            noun = singular(word)
            if noun in _NUMBERED and (
                given := _behind(noun, words[place + 1 :]) or (_before(words[:place]) if word == noun else frozenset())
            ):
                found[noun] = found.get(noun, frozenset()) | given
    if len(found) > 1:
        found.pop("number", None)
    return found


def gives_another(asked: Numbers, text: str, later: Iterable[str] = ()) -> bool:
    """Whether a text gives something that is asked for by its number other numbers alone, and no text after it in the talk corrects that.

    "It leaves from platform four." - "No, from platform nine."
    """
    said = numbers_said(text) if asked else {}
    others = {noun: numbers for noun, numbers in asked.items() if noun in said and not said[noun] & numbers}
    if not others:
        return False
    for words in map(numbers_said, later):
        others = {noun: numbers for noun, numbers in others.items() if not words.get(noun, frozenset()) & numbers}
    return bool(others)


def _clauses(text: str) -> Iterator[list[str]]:
    """The words of each clause; numbers between commas stay together, joined by "and"."""
    for clause in _CLAUSES.split(text):
        words: list[str] = []
        for part in map(tokens, clause.split(",")):
            if words and part and _is_value(words[-1]) and _is_value(part[0] if part[0] not in _AND else _at(part, 1)):
                words += part if part[0] in _AND else ["and", *part]
                continue
            yield words
            words = part
        yield words


def _behind(noun: str, words: Sequence[str]) -> frozenset[str]:
    """The numbers that words begin with, joined by "and"; none where they count something or say a time."""
    run: list[str] = []
    place = 1 if words and words[0] in _NUMBER_OF else 0
    while place < len(words) and (_is_value(words[place]) or (run and words[place] in _AND and _is_value(_at(words, place + 1)))):
        run.append(words[place])
        place += 1
    after = _at(words, place)
    if after in _TO and singular(_at(words, place + 1)) == noun:
        return _values(run)
    return frozenset() if after in _OPEN or is_unit(stem(after)) else _values(run)


def _before(words: Sequence[str]) -> frozenset[str]:
    """The number that words end with, as the name of what comes next ("the 12", "number 12")."""
    run = [word for word in words[-1:] if _is_value(word) and word != "one"]
    return _values(run) if _at(words, len(words) - 2) in _NUMBER_OF | {"the"} else frozenset()


def _at(words: Sequence[str], place: int) -> str:
    return words[place] if 0 <= place < len(words) else ""


def _is_value(word: str) -> bool:
    return bool(word) and (word == "one" or has_amount(word))


def _values(run: list[str]) -> frozenset[str]:
    """Numbers as digits: "twenty" and "three" are 23."""
    values: list[str] = []
    joins = False
    for word in run:
        value = stem(word)
        if joins and len(value) == 1 and len(values[-1]) == 2 and values[-1].endswith("0"):
            values[-1] = values[-1][0] + value
        elif word not in _AND:
            values.append(value)
        joins = word not in _AND
    return frozenset(values)
