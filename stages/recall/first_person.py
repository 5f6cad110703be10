"""A question about a talker in the talker's own words: people say "I leave at five", not "Mira leaves at five"."""

from __future__ import annotations

import re
from collections.abc import Collection

from stages.recall import cues
from stages.recall.english import QUESTION_WORD
from stages.recall.word_lists import word_set

_AGREEING = (
    (re.compile(r"\bdoes I\b", re.I), "do I"),
    (re.compile(r"\bis I\b", re.I), "am I"),
    (re.compile(r"\bhas I\b", re.I), "have I"),
    (re.compile(r"\bI is\b"), "I am"),
    (re.compile(r"\bI has\b"), "I have"),
    (re.compile(r"\b(?:his|her)\b", re.I), "my"),
    (re.compile(r"\b(to|for|with|by|from|about|of|at|on|after|before|behind|beside|near|than) I\b", re.I), r"\1 me"),
)
_LAST = re.compile(r"(?P<before>[\w']+) I(?=[?.! ]*$)")
_BEFORE_SUBJECT = word_set(
    "am is are was were be do does did have has had will would can could shall should may might must when where how what who why which and"
)
_REPORTED = re.compile(
    rf"^(?P<asked>(?:{QUESTION_WORD})\b.*?) (?:did|does|has) (?P<who>.+?) (?:say|said|tell us|told us|mention|mentioned)"
    r"(?: that)? (?P<they>\S+) (?P<auxiliary>would|will|had|has|have|was|were|is|are|could|can|should|must|might|may)(?P<rest>\b.*)$",
    re.I,
)
_SAYING = re.compile(rf"\b{cues.SAYS}\b", re.I)
_AUXILIARIES = {"would": "will", "had": "have", "has": "have", "could": "can", "is": "am", "are": "am", "were": "was"}


def as_told(text: str, talker: str) -> str | None:
    """What a talker is asked for, as that talker would ask it: what they said of themselves, or what is asked about them.

    "When did Anna say she would leave?" is answered by "We leave in May", which answers "When will I leave?". None where the question
    speaks of nobody but the talker's words, or of somebody else's.
    """
    reported = _REPORTED.match(text)
    if reported is not None and reported["who"].lower() == talker.lower():
        if reported["they"].lower() not in {"he", "she", "they", talker.lower()}:
            return None
        auxiliary = reported["auxiliary"].lower()
        return f"{reported['asked']} {_AUXILIARIES.get(auxiliary, auxiliary)} I{_own_pronouns(reported['rest'])}"
    own = as_own(text, [talker])
    return None if own is None or _SAYING.search(text) else own[1]


def as_own(text: str, talkers: Collection[str]) -> tuple[str, str] | None:
    """The only talker whom a question names, and the question as that talker would ask it; None where it names none or several."""
    named = [name for name in talkers if re.search(rf"\b{re.escape(name)}\b", text, re.I)]
    if len(named) != 1:
        return None
    name = re.escape(named[0])
    own = re.sub(rf"\b{name}\b", "I", re.sub(rf"\b{name}'s\b", "my", text, flags=re.I), flags=re.I)
    return named[0], _LAST.sub(_object, _own_pronouns(own))


def _own_pronouns(text: str) -> str:
    for pattern, words in _AGREEING:
        text = pattern.sub(words, text)
    return text


def _object(match: re.Match[str]) -> str:
    """The last "I" where it is an object: in "What hurts I?" it is "me", in "Where am I?" it stays."""
    return match[0] if match["before"].lower() in _BEFORE_SUBJECT else f"{match['before']} me"
