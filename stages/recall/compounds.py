"""Words like "room" and "time": where they ask for a kind of thing ("which room"), and where they are part of a name ("the day room")."""

from __future__ import annotations

import re

from stages.recall import cues
from stages.recall.terms import STOP_WORDS, is_number
from stages.recall.word_lists import word_set

_KINDS = word_set("color colour day date hour kind minute name number place room sort time type city town country")
_BEFORE_NOUNS = word_set("the a an my our your his her their this that these those its")
_LOOSE = word_set(
    """
    big small little new old good best better bad worst great nice long short last next other first second whole same right wrong exact
    usual certain special particular different favourite favorite real full free much many
    """
)
"""What stands before a noun without making another thing of it: "the big day", "the best place"."""
_ASKS = re.compile(r"(?:^|\b(?:what|which|when|where|who|how)(?:'s|'re| is| are| was| were| will be)?)\s*$", re.I)
_AUXILIARY = re.compile(r"\b(?:do|does|did|will|would|can|could|should|must|may|might|what|which|when|where|how|why)\s*$", re.I)
_MAIN_VERBS = word_set("have be been get got go do come need")
_TOKEN = re.compile(r"[\w'-]+|[?.!,;]")


def kind_words(text: str) -> frozenset[str]:
    """The words for a kind of thing that say nothing of what a question is about; those of its compounds do."""
    return cues.KIND_WORDS - _in_compounds(text)


def _in_compounds(text: str) -> frozenset[str]:
    tokens = list(_TOKEN.finditer(text))
    kept: set[str] = set()
    for index, token in enumerate(tokens):
        if token[0].lower() not in _BEFORE_NOUNS and not token[0].endswith("'s"):
            continue
        words = [other[0] for other in tokens[index + 1 :]]
        while words and words[0].lower() in _LOOSE:
            words = words[1:]
        nouns = _nouns(words)
        after = words[len(nouns)].lower() if len(nouns) < len(words) else ""
        before = text[: token.start()]
        if nouns and _ASKS.search(before) and nouns[-1] in _KINDS:
            # "What is the room number?" asks for a number.
            continue
        if nouns and _AUXILIARY.search(before) and after not in _MAIN_VERBS:
            # "Does the place open on Sunday?" has its verb there.
            nouns = nouns[:-1]
        kept |= _KINDS.intersection(nouns) if len(nouns) > 1 else frozenset()
    return frozenset(kept)


def _nouns(words: list[str]) -> list[str]:
    """The words that make one name with each other at the beginning of some, in small letters; somebody's name or a number ends it."""
    found: list[str] = []
    for word in words:
        if not word[0].islower() or word in STOP_WORDS or word in cues.WH or word in _LOOSE or is_number(word):
            break
        found.append(word)
    return found
