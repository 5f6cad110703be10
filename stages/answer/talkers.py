"""Who took part in the part of a conversation in which a topic came up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.material import Found
from stages.recall.untranscribed import is_untranscribed

_REACH_NS = nanoseconds(15.0)
_LEAST_NAMED = 0.5
_IS = r"(?:was|were|is|are|got|gets)"
_HAS = r"(?:has|have|had)"
_WHO_SAID = re.compile(
    rf"\bwho (?:{_HAS} )?(?:(?!(?:{_IS}|been)\b)\w+ )?(?:said|says?|mention(?:ed|s)?|told|brought up|named)\b"
    r"|\bwho (?:\w+ )?(?:saying|mentioning|telling)\b",
    re.I,
)
_WHO_WAS_TOLD = re.compile(
    rf"\bwho(?:m|ever)? (?:{_IS} |{_HAS} been )(?:\w+ )?told\b"
    rf"|\bwhom? (?:did|does|{_HAS}) (?:(?!(?:already|also|ever|just|never|not)\b)\S+ ){{1,3}}(?:tell|told)\b",
    re.I,
)

_WHO_WAS_NOT_TOLD = re.compile(
    rf"\bwho(?:m|ever)? (?:{_IS}(?:n't| not| never)|{_HAS}(?:n't| not| never) been) (?:\w+ )?told\b|\bwho {_IS} told nothing\b"
    rf"|\bwhom? (?:did|does|{_HAS}) (?:\S+ ){{1,3}}(?:not|never) (?:ever )?(?:tell|told)\b"
    rf"|\bwhom? (?:did|does|{_HAS})n't (?!(?:already|also|ever|just|tell|told)\b)(?:\S+ ){{1,3}}(?:tell|told)\b",
    re.I,
)


def asks_who_said(question: str) -> bool:
    """Whether a question asks who said something about a topic, which is another thing than who was there when it was talked about."""
    return _WHO_SAID.search(question) is not None


def asks_who_was_told(question: str) -> bool:
    """Whether a question asks to whom something was said."""
    return _WHO_WAS_TOLD.search(question) is not None


def asks_who_was_not_told(question: str) -> bool:
    """Whether a question asks to whom something was not said, which nothing that was heard tells."""
    return _WHO_WAS_NOT_TOLD.search(question) is not None


def of_one_talk(group: Sequence[Found]) -> list[Found]:
    """The found lines of one event without those of people who share it by a mistake and talk with others (`stages/recall/talks.py`)."""
    together = {line.id for line in group[0].talk}
    return [found for found in group if not together or found.line.id in together]


def saying(group: Sequence[Found]) -> list[Found]:
    """The found lines that have at least half of the asked words themselves; all of them where none has."""
    return [found for found in group if found.named >= _LEAST_NAMED] or list(group)


def told_to(group: Sequence[Found], most: int) -> list[LineRow]:
    """A line of each person, at most `most`, who took part besides the one who said the best found line."""
    return [line for line in talkers(group, most + 1) if speaker_of(line) != speaker_of(group[0].line)][:most]


def talkers(group: Sequence[Found], most: int) -> list[LineRow]:
    """A line of each person who took part, at most `most`, the best found line first.

    `group` are the found lines of one event, the best first. What was said in that event further than 15 s from all of them may be about
    something else. Of each person the line that is nearest to the best one is taken, where one was found that one.
    """
    best = group[0].line
    together = {line.id for line in group[0].talk}
    known = {line.id: line for found in group for line in (*found.conversation, *found.context)}
    known.update((line.id, line) for line in group[0].talk)
    near = [
        line
        for line in known.values()
        if line.event == best.event
        and (line.event is not None or line.track == best.track)
        and (not together or line.id in together)
        and not is_untranscribed(line)
        and any(line.start_ns - found.line.end_ns <= _REACH_NS and found.line.start_ns - line.end_ns <= _REACH_NS for found in group)
    ]
    near.sort(key=lambda line: (abs(line.start_ns - best.start_ns), line.id))
    return by_person([*(found.line for found in group), *near])[:most]


def by_person(lines: Iterable[LineRow]) -> list[LineRow]:
    """The first line of each person."""
    first: dict[str, LineRow] = {}
    for line in lines:
        first.setdefault(speaker_of(line), line)
    return list(first.values())
