"""What kind of thing a question asks for, by its words, and whether a line holds something of that kind.

Light answer typing in the manner of question classifiers (Li and Roth 2002), by rules alone: what no rule knows has no kind.
"""

from __future__ import annotations

import re
from enum import Enum

from stages.recall.english import ANY_QUESTION_WORD, AUXILIARY, is_question
from stages.recall.terms import STOP_WORDS, has_amount, has_number, is_calendar, is_ordinal, tokens
from stages.recall.word_lists import NUMBER_WORDS, word_set


class AskedKind(Enum):
    """A kind of thing that can be asked for."""

    TIME = "time"
    AMOUNT = "amount"
    NAME = "name"
    PERSON = "person"
    PLACE = "place"
    COLOUR = "colour"


_AMOUNT = re.compile(
    r"\bhow (?:much|many|old|far|big|tall|long|heavy|high|wide|deep|fast|large|strong|warm|hot|cold)\b"
    r"|\b(?:length|height|weight|width|depth|size|price|cost|costs|fee|rent|salary|wage|sum|rate|turnout|capacity|temperature|age|speed"
    r"|bill|percentage|amount|distance|quantity)\b"
    r"|\b(?:what|which) (?:\w+ )?(?:number|sum|score|result)\b|\bmust (?:one|you|they|we) pay\b|\bnumber of\b",
    re.I,
)
_TIME = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:time|day|date|year|month|hour|weekday)\b|\bhow late\b|\bhow soon\b|\buntil what\b|\bday of the month\b",
    re.I,
)
_NAME = re.compile(r"\b(?:called|named?)\b|\bname (?:does|do|did|is|was|has)\b|\bwhat name\b", re.I)
_PERSON = re.compile(
    r"\bwho(?:m|se|ever)?\b|\b(?:which|what) (?:person|man|woman|doctor|teacher|surgeon|candidate|cousin|player|boss|lady|guy)\b", re.I
)
_PLACE = re.compile(
    r"\bwhere\b|\b(?:which|what) (?:\w+ )?(?:place|town|city|country|spot|location|house|street|village)\b|\b(?:location|home) of\b"
    r"|\bin front of what\b",
    re.I,
)
_COLOUR = re.compile(r"\b(?:what|which) colou?r\b", re.I)
_ASKS_WHY_OR_HOW = re.compile(
    r"^\W*(?:(?:and|so|but|well|ok|okay)\b\W*)*"
    rf"(?:(?P<why>why|how come)|how(?:'s| (?=(?:{AUXILIARY}|should|must) )))\b",
    re.I,
)
_REASON = re.compile(
    r"\b(?:because|cos|so that|so as to|in order to|due to|owing to|thanks to|reasons?|that's why|otherwise"
    r"|(?:since|as) (?:i|you|he|she|it|we|they|nobody|there|the|my|our|your|his|her|their)\b)",
    re.I,
)
_MANNER = re.compile(r"\b(?:by|with|without|through|via|using|like|as)\b|\b\w{3,}ly\b", re.I)
_ASKS_FIRST = re.compile(rf"\b(?:{ANY_QUESTION_WORD})\b", re.I)

_COLOURS = word_set(
    """
    red green blue yellow orange purple violet pink black white grey gray brown beige turquoise silver golden gold crimson
    scarlet maroon navy teal cream colourful colorful striped dark bright
    """
)
PEOPLE = word_set(
    """
    mother father brother sister uncle aunt cousin grandmother grandfather grandma grandpa mum mom dad wife husband son
    daughter friend friends neighbour neighbor nephew niece boss teacher doctor nurse caretaker man woman boy girl lady
    colleague partner parents children kids guy coach manager director judge fireman plumber roofer
    """
)
_PLACED = re.compile(
    r"\b(?:in|at|by|on|near|behind|under|below|above|beside|opposite|between|inside|outside|from|to|through|over|along|next to|across)\s+"
    r"(?:the |a |an |our |my |his |her |their |your |its |front of )?(?P<what>[A-Za-z][\w'-]*)",
    re.I,
)
_HERE = re.compile(r"\b(?:downstairs|upstairs|home|abroad|outside|inside|here|there)\b", re.I)
_NAMED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Doctor|Dr|Professor)\.? [A-Z]\w+|(?:called|named)(?: \w+)? [A-Z]\w+")
_HOURS = "|".join(NUMBER_WORDS.split()[1:13])
_TIMES = re.compile(
    r"\b(?:o'clock|half past|quarter (?:past|to)|in \w+ (?:minutes|hours|days|weeks|months|years)|(?:at|before|until) \d"
    rf"|(?:at|before|until|by|from)(?: about| around)? (?:{_HOURS})"
    r"(?= *(?:[.,;!?]|$)| (?:in the|on|sharp|tonight|tomorrow|every|and|or)\b))",
    re.I,
)
_BEGINNING = re.compile(r"(?P<name>[A-Z][a-z]+) (?:is|was|has|had|will|can|[a-z]+(?:s|ed))\b")
_INNER = re.compile(r"(?<![.?!] )(?<!^)\b[A-Z][a-z][\w-]+")


def asked_kind(text: str) -> AskedKind | None:
    """The kind of thing that a question asks for; None where its words do not tell."""
    if _COLOUR.search(text):
        return AskedKind.COLOUR
    start = _ASKS_FIRST.search(text)
    first = text[start.start() :] if start is not None else text
    for kind, pattern in (
        (AskedKind.TIME, _TIME),
        (AskedKind.PERSON, _PERSON),
        (AskedKind.PLACE, _PLACE),
    ):
        match = pattern.match(first)
        if match is not None:
            return kind
    # What the question begins with tells more than words further on: "Where is the price list?" asks for a place.
    for kind, pattern in ((AskedKind.NAME, _NAME), (AskedKind.AMOUNT, _AMOUNT), (AskedKind.PLACE, _PLACE), (AskedKind.TIME, _TIME)):
        if pattern.search(first):
            return kind
    return None


def holds_kind(kind: AskedKind, text: str) -> bool:
    """Whether a line holds something of a kind. A line that only asks holds nothing."""
    if is_question(text):
        return False
    if kind is AskedKind.AMOUNT:
        return has_amount(text)
    if kind is AskedKind.TIME:
        return _TIMES.search(text) is not None or any(is_calendar(word.removesuffix("s")) or is_ordinal(word) for word in tokens(text))
    if kind is AskedKind.COLOUR:
        return any(word.lower() in _COLOURS for word in re.findall(r"[A-Za-z]+", text))
    named = _NAMED.search(text) is not None or bool(inner_names(text))
    if kind is AskedKind.NAME:
        return named
    if kind is AskedKind.PERSON:
        first = _BEGINNING.match(text)
        begins = first is not None and first["name"].lower() not in STOP_WORDS
        return named or begins or any(word.lower() in PEOPLE for word in re.findall(r"[A-Za-z]+", text))
    return _HERE.search(text) is not None or any(
        not is_calendar(match["what"].lower()) and match["what"].lower() not in STOP_WORDS and not has_number(match["what"])
        for match in _PLACED.finditer(text)
    )


def tells_circumstance(asked: str, text: str) -> bool:
    """Whether a line may tell why, how or where, if that is what a question begins with; yes for any other question.

    "The boiler is broken again" has all words of "Why is the boiler broken?", and answers nothing.
    """
    kind, match = asked_kind(asked), _ASKS_WHY_OR_HOW.match(asked)
    if match is not None and (kind is None or match["why"]):
        return (_REASON if match["why"] else _MANNER).search(text) is not None
    return kind is not AskedKind.PLACE or holds_kind(AskedKind.PLACE, text)


def inner_names(text: str) -> list[str]:
    """Words that are written like names within the sentences of a text, without weekdays and months."""
    return [word for word in _INNER.findall(text) if not is_calendar(word.lower())]
