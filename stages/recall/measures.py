"""Measures: what a number counts, in a question ("how many weeks", "how old") and in a line ("for seven weeks")."""

from __future__ import annotations

import re
from itertools import takewhile

from stages.recall.terms import STOP_WORDS, has_amount, stem, tokens
from stages.recall.word_lists import word_set

_GROUPS: dict[str, frozenset[str]] = {
    name: frozenset(stem(word) for word in word_set(words))
    for name, words in {
        "money": "dollar euro pound cent penny pence franc krona rouble yen buck",
        "length": "metre meter kilometre kilometer centimetre mile foot feet inch yard",
        "duration": "second minute hour day night week month year",
        "temperature": "degree",
        "weight": "gram kilo kilogram pound ounce ton tonne stone",
        "share": "percent percentage",
        "volume": "litre liter pint gallon cup",
    }.items()
}
# What a word like "old" can be measured in: the names of groups.
_OF_ADJECTIVE: dict[str, tuple[str, ...]] = {
    "old": ("duration",), "long": ("duration", "length"), "far": ("length", "duration"), "high": ("length", "money"), "tall": ("length",),
    "deep": ("length",), "wide": ("length",), "heavy": ("weight",), "warm": ("temperature",), "hot": ("temperature",),
    "cold": ("temperature",), "much": ("money", "weight", "volume"), "fast": ("length",),
}  # fmt: skip
_COUNTED = re.compile(
    r"\b(?:(?P<many>how many|number of)|how much|amount of)(?: of)?(?: the)? (?:(?:hundred|thousand|million) )?(?P<what>[a-z]+)", re.I
)
_MEASURED = re.compile(r"\bhow (?P<how>[a-z]+)\b", re.I)
_REACH = 2
# "Seven hundred a month" counts no months.
_FOR_EACH = word_set("a an per each every")
_LONGER = re.compile(r"\b(?:what|which) (?P<what>temperature|price|cost|fee|rent|salary|weight|height|length|distance|share|age)\b", re.I)
_OF_NOUN = {
    "temperature": ("temperature",), "price": ("money",), "cost": ("money",), "fee": ("money",), "rent": ("money",), "salary": ("money",),
    "weight": ("weight",), "height": ("length",), "length": ("length", "duration"), "distance": ("length",), "share": ("share",),
    "age": ("duration",), "time": ("duration",), "money": ("money",),
}  # fmt: skip

Measure = frozenset[str]
"""Stems of words, any of which may stand behind the number."""


def measured_in(question: str) -> Measure | None:
    """The words that the number asked for may count; None where the question asks for none, or leaves it open."""
    counted = _COUNTED.search(question)
    if counted is not None and counted["what"].lower() not in STOP_WORDS:
        what = counted["what"].lower()
        if what in _OF_NOUN:
            return frozenset().union(*(_GROUPS[name] for name in _OF_NOUN[what]))
        # What is not counted piece by piece comes in units of its own: five hundred grams of flour.
        return frozenset([stem(what)]) if counted["many"] or is_unit(stem(what)) else None
    noun = _LONGER.search(question)
    groups = _OF_NOUN[noun["what"].lower()] if noun is not None else ()
    measured = _MEASURED.search(question)
    if not groups and measured is not None:
        groups = _OF_ADJECTIVE.get(measured["how"].lower(), ())
    return frozenset().union(*(_GROUPS[name] for name in groups)) if groups else None


def measures_said(text: str) -> frozenset[str]:
    """The stems of the words that stand right behind the numbers of a line."""
    words = tokens(text)
    said: set[str] = set()
    for place, word in enumerate(words):
        if word == "one" or not has_amount(word):
            continue
        counted = takewhile(lambda other: other not in _FOR_EACH, words[place + 1 : place + 1 + _REACH])
        said.update(stem(other) for other in counted if other not in STOP_WORDS and not has_amount(other))
    return frozenset(said)


def only_others(asked: Measure, said: frozenset[str]) -> bool:
    """Whether a line counts nothing but units, and none that could be asked for: a price, where the question is for a length.

    Things that are counted may have other names ("people", "guests"), so what is no unit rules nothing out.
    """
    groups = [words for words in _GROUPS.values() if words & said]
    return bool(groups) and all(is_unit(word) for word in said) and not any(words & asked for words in groups)


def is_unit(word: str) -> bool:
    """Whether a stem is one of a unit of money, length, time and so on, which may count anything."""
    return any(word in words for words in _GROUPS.values())
