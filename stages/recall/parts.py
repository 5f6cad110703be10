"""Questions of several parts: "about the dentist and about the new flat", "did Anna or Ben mention ...", "when ..., and who ...?"."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from stages.recall import cues
from stages.recall.calendar_phrase import asked_time
from stages.recall.compounds import kind_words
from stages.recall.english import ANY_QUESTION_WORD, AUXILIARY
from stages.recall.terms import content_words, is_calendar
from stages.recall.time_phrase import Moments

MOST_PARTS = 3
"""How many things one question may ask for; one that names more is asked as it stands."""

_AUX = f"(?:{AUXILIARY})"
_CLAUSE = re.compile(
    r",? (?:and|but)(?: also)?,? (?="
    rf"(?:(?:when|where|why|how(?: much| many| long| often)?(?: \w+)?|who|what|which \w+) {_AUX}|who \w+(?:s|ed)\b"
    rf"|{_AUX} (?:he|she|they|it|anybody|anyone|somebody|someone|the|[A-Z]\w+) \w+))",
    re.I,
)
_WHERE = re.compile(r"[, ]*\band (?:when|where)(?: in (?:the|this) room)?[ ?.!]*$", re.I)
_TOPICS = re.compile(
    r"^(?P<head>.*?\b(?:(?:say|said|says|saying|talk(?:s|ed|ing)?|speak(?:ing)?|spoke|tell|told|hear|heard|chat(?:ted|ting)?"
    r"|going on|anything|catch (?:me|us) up|conversations?)\b.*?\b(?P<link>about|of|on) |mention(?:s|ed|ing)? "
    r"|discuss(?:ed|es|ing)? |bring up |brought up ))"
    r"(?P<list>.+)$",
    re.I,
)
_PASSIVE = re.compile(
    r"^(?P<head>(?:(?:how often|how many times|when|where) )?(?:was|were) (?:either |both )?)(?P<list>.+?)"
    r"(?P<tail> (?:mentioned|discussed|talked about|brought up|said)[ ?.!]*)$",
    re.I,
)
_NAME = r"(?:the )?[\w'-]+(?: [\w'-]+)?"
_TALKERS = re.compile(
    rf"^(?P<head>.*?\b{_AUX} (?:either |both |neither )?)(?P<list>{_NAME}(?:, {_NAME})*,? (?:and|or|nor) {_NAME})"
    rf"(?P<tail> (?:ever |also |both |each )?{cues.SAYS}\b.*)$",
    re.I,
)
_JOINED = re.compile(r",? (?:and|or|nor|as well as)(?: also)? |, ")
_NAMED = re.compile(r"(?<!^)(?<![.?!] )\b(?:[A-Z][\w'-]+|speaker-\d+)")
_PRONOUN = re.compile(r"\b(?:he|she)\b", re.I)
_ASKS_OF_SOMEBODY = re.compile(r"(?:and |so )?(?:who|where) (?:is|was) |.*\b(?:did|does|will|has) (?-i:[A-Z]|speaker-)", re.I)
"""Whoever a question begins with is who "he" is in the next one; of "Who asked Tess?" that is not certain."""


@dataclass(frozen=True)
class Parts:
    """The questions that a question consists of; with `apart` it is not one thing with an "and" in its name."""

    texts: tuple[str, ...]
    apart: bool


def parts_in(text: str, moments: Moments, speakers: Callable[[], Collection[str]]) -> Parts | None:
    """The parts of a question, each a question by itself with the time and the place that were asked for; None where it has one part.

    `speakers` gives the names that the memory knows, if needed.
    """
    said = " ".join(text.split()).rstrip(" ?.!")
    window, bare = asked_time(said, moments)
    bare = " ".join(bare.split()).rstrip(" ,?.!")
    when = f" {window.phrase}" if window is not None else ""
    if (clauses := _clauses(said)) is not None:
        return clauses
    if not re.search(r"\b(?:and|or|nor|as well as)\b", bare, re.I):
        return None
    where = _WHERE.search(bare)
    tail = f"{bare[where.start() :].rstrip(' ?.!')}" if where is not None else ""
    bare = bare[: where.start()] if where is not None else bare
    if (match := _TALKERS.match(bare)) is not None:
        names = _items(match["list"])
        known = {name.lower() for name in speakers()}
        are_known = [name.lower().removeprefix("the ") in known for name in names]
        if any(are_known) and all(
            one or name[:1].isupper() or cues.LABEL.fullmatch(name) for one, name in zip(are_known, names, strict=True)
        ):
            return _parts(((f"{match['head']}{name}{match['tail']}") for name in names), f"{when}{tail}", apart=True)
    match = _PASSIVE.match(bare) or _TOPICS.match(bare)
    if match is None:
        return None
    items = _items(match["list"])
    link = match.groupdict().get("link")
    if not all(content_words(item, drop=cues.WH | kind_words(item)) for item in items):
        return None
    again = link is not None and re.search(rf"\b(?:and|or|nor)(?: also)? {link}\b", match["list"], re.I) is not None
    bare_items = (re.sub(rf"^{link} ", "", item, flags=re.I) if link is not None else item for item in items)
    ending = match.groupdict().get("tail") or ""
    apart = again or re.search(r"\bor\b", match["list"]) is not None
    return _parts((f"{match['head']}{item}{ending}" for item in bare_items), f"{when}{tail}", apart=apart)


def _say_something(texts: Sequence[str]) -> bool:
    return all(content_words(text, drop=cues.WH | kind_words(text)) for text in texts)


def _clauses(said: str) -> Parts | None:
    """The questions of a text in which one follows another; "he" and "she" of a later one is the only person whom the first names."""
    texts = [text.strip(" ,") for text in _CLAUSE.split(said)]
    if not 1 < len(texts) <= MOST_PARTS or (not _ASKS_OF_SOMEBODY.match(texts[0]) and not _say_something(texts)):
        return None
    if re.match(rf"^(?:(?:and|so|ok),? )*(?:{ANY_QUESTION_WORD}|{_AUX})\b", texts[0], re.I) is None:
        return None
    named = [name.removesuffix("'s") for name in _NAMED.findall(texts[0])]
    if len(set(named)) == 1 and not is_calendar(named[0].lower()):
        texts = [texts[0], *(_PRONOUN.sub(named[0], text, count=1) for text in texts[1:])]
    # "Where was she?" says nothing by itself.
    if not _say_something(texts):
        return None
    return Parts(tuple(f"{text}?" for text in texts), apart=True)


def _items(listed: str) -> list[str]:
    return [item for item in (item.strip(" ,") for item in _JOINED.split(listed)) if item]


def _parts(texts: Iterable[str], ending: str, *, apart: bool) -> Parts | None:
    made = tuple(f"{text}{ending}?" for text in texts)
    return Parts(made, apart) if 1 < len(made) <= MOST_PARTS else None
