"""Whether a line states a fact that a question asks for: all of its words and values, of the same thing, and as certain. Rules for English.

They let pass too little rather than too much: what they do not know makes a statement uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from stages.answer.claim_check import is_negated
from stages.answer.moods import is_attributed, pieces
from stages.answer.values import BARE, NAME, values_in
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.asked_kind import AskedKind, asked_kind, holds_kind
from stages.recall.english import ANY_QUESTION_WORD, AUXILIARY
from stages.recall.measures import is_unit
from stages.recall.terms import STOP_WORDS, content_terms, is_irregular, is_number, stem, tokens
from stages.recall.word_lists import word_set

Tense = Literal["past", "present", "future"]

_BEING = word_set("is are am be being do does")
_PAST = word_set("was were had did been has have")
_MODAL = word_set("would could can may might must shall should")
_EMPTY = (
    word_set("a an the any some in on at of to anybody anyone somebody someone ever actually please exactly past quarter o'clock pm")
    | _BEING
    | _PAST
)
_EMPTY |= _MODAL | {"will"}
_HARMLESS = word_set("again already really also too then now so well even finally just and yes okay there my our his her their")
_POSSESSIVES = word_set("my our his her their")
# Whom or what they stand for only the talk tells.
_POINTING = word_set("i me we us you your it its him them this that these those") | _POSSESSIVES
_DEICTIC = word_set("today tomorrow yesterday tonight now next last ago this soon")
_DOUBT = word_set(
    """
    only instead yet almost nearly hardly barely supposed meant otherwise except unless or either think thinks thought guess suppose
    reckon believe hope hopes wish assume seem seems apparently supposedly likely roughly than kidding joking want wants wanted plan
    plans planned planning need needs let nobody used
    """
)
_BEFORE_AMOUNTS = word_set("about around roughly under over above below nearly almost approximately least most to like some")
_TO_COME = word_set("will going shall let tomorrow soon gets get getting")
_UNCHANGED = word_set("cost put cut hit let set hurt shut read quit spread bet burst")
_FORMS = {"took": "take", "taken": "take", "went": "go", "got": "get", "gotten": "get", "made": "make", "came": "come"}
_NO_PAST = frozenset(["leaves", "buses"])
_SUBJECTS = {"they": "we they", "people": "we they", "there": "there"}
_TELLERS = {"he": "i we he", "she": "i we she", "they": "i we they"}
_TELLING = word_set("says said tells told that")
_ANYBODY = word_set("anybody anyone somebody someone")
_AUX = re.compile(
    r"^\W*(?:(?:and|so|but|please|hey|ok|okay)[, ]+)?"
    rf"(?P<aux>{AUXILIARY}|shall|should|must|might)\s+(?P<rest>.+)$",
    re.I,
)
_WH = re.compile(rf"(?:{ANY_QUESTION_WORD}|if|whether)\b", re.I)
_GOING_TO = re.compile(r"\bgoing to (?!the\b|an?\b|my\b|our\b|[A-Z])|\bgonna ")
_SHORT = re.compile(r"\b(\w+)'(m|re|ve|ll|d)\b|\b(it|he|she|that|there|here|let)'(s)\b", re.I)
_LONG = {"m": "am", "re": "are", "ve": "have", "ll": "will", "d": "would", "s": "is"}
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?(?:-\d+)?")
_CUT = re.compile(r"[,.;:!?()]")


@dataclass(frozen=True)
class _Word:
    """A word as it was said, its stem (of a noun in the genitive with its mark), and whether it stands apart from the one before it."""

    said: str
    form: str
    is_apart: bool


@dataclass(frozen=True)
class _Asked:
    """What is asked: its words, those that must have been said, who or what does it where that is a pronoun, and the tense."""

    text: str
    needed: tuple[str, ...]
    subjects: frozenset[str]
    tense: Tense
    modals: frozenset[str]
    is_told: bool = False
    is_of_anybody: bool = False
    kind: AskedKind | None = None
    is_owned: bool = False


def is_stated(text: str, line: LineRow, *, is_told: bool = False) -> bool:
    """Whether a line states what a question of yes or no asks, or with `is_told` what it asks whether the line's talker has told."""
    asked = _told(text) if is_told else _asked(text)
    if asked is None or is_negated(line.text) or _is_in_doubt(text, line.text):
        return False
    parts = pieces(line.text)
    for piece, meant in parts:
        others = [(other, how) for other, how in parts if other != piece and how != "statement"]
        if meant == "statement" and not any(_unsettles(other, how, asked) for other, how in others) and _states(asked, piece, line):
            return True
    return False


def _asked(text: str) -> _Asked | None:
    match = _AUX.match(_GOING_TO.sub("will ", text))
    if match is None:
        return None
    aux, words = match["aux"].lower(), _words(match["rest"])
    said = [word.said for word in words]
    subjects = _SUBJECTS.get(said[0], "") if said else ""
    rest = said[1:] if subjects else said
    if set(rest) & _POINTING or set(said) & (_DEICTIC | {"or", "he", "she"}) or (set(rest) & {"they"}):
        return None
    future = aux in {"will", "shall"} or "will" in said
    tense: Tense = "future" if future else "past" if aux in {"did", "was", "were", "has", "have", "had"} else "present"
    modals = frozenset([aux]) & _MODAL
    needed = _needed([word for word in words if not (subjects and word is words[0])])
    if aux in {"do", "does", "did"} and "have" in said:
        needed = (*needed, "have")
    return _Asked(text, needed, word_set(subjects), tense, modals, is_of_anybody=bool(set(said[:1]) & _ANYBODY))


def _told(clause: str) -> _Asked | None:
    words = _words(_GOING_TO.sub("will ", clause))
    kind = None
    if _WH.match(clause):
        # Where, who or what it is can be told in too many ways.
        kind = asked_kind(clause)
        if kind not in {AskedKind.TIME, AskedKind.AMOUNT}:
            return None
        words = words[2:] if words[0].said in {"how", "what", "which"} else words[1:]
    said = [word.said for word in words]
    subjects = _TELLERS.get(said[0], _SUBJECTS.get(said[0], "")) if said else ""
    rest = said[1:] if subjects else said
    if set(rest) & (_POINTING - _POSSESSIVES) or set(rest) & {"or", "he", "she", "they"}:
        return None
    own = [word for word in words if not (subjects and word is words[0]) and word.said not in _POSSESSIVES]
    is_past = bool(set(said) & {"was", "were", "had", "did"}) or (not set(said) & _BEING and any(_is_past(word.said) for word in own))
    tense: Tense = "future" if set(said) & {"will", "would"} else "past" if is_past else "present"
    modals = frozenset(said) & _MODAL
    is_of_anybody = bool(set(said[:1]) & _ANYBODY)
    is_owned = bool(set(said) & _POSSESSIVES)
    return _Asked(clause, _needed(own), word_set(subjects), tense, modals, True, is_of_anybody, kind, is_owned)


def _needed(words: Sequence[_Word]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.form for word in words if word.said not in _EMPTY and not is_number(word.said)))


def _states(asked: _Asked, sentence: str, line: LineRow) -> bool:
    """Whether a sentence that somebody stated has all of what is asked, next to each other and in the same order."""
    if not asked.needed or (is_attributed(sentence) and not asked.is_told) or not _has_values(asked.text, sentence):
        return False
    words = _as_named(_words(_GOING_TO.sub("will ", sentence)), asked.needed, speaker_of(line))
    forms = [word.form for word in words]
    if "have" in asked.needed:
        forms = ["have" if form in {"has", "have", "had", "ha"} else form for form in forms]
    if any(form not in forms for form in asked.needed):
        return False
    places = [forms.index(form) for form in asked.needed if form != "have"] or [forms.index("have")]
    if places != sorted(places):
        return False
    places += [forms.index("have")] if "have" in asked.needed else []
    if values_in(asked.text):
        places += [place for place, word in enumerate(words) if is_number(word.said)]
    first, last = min(places), max(places)
    between = words[first : last + 1]
    passed = _EMPTY | _HARMLESS
    if any(place not in places and word.said not in passed for place, word in enumerate(between, first)):
        return False
    if any(word.is_apart for word in between[1:]):
        return False
    run = _before(words, first, passed | asked.subjects)
    reached = words[run:]
    led = {word.said for word in words[run:first]}
    if asked.subjects and not led & asked.subjects:
        return False
    if asked.is_owned and not {word.said for word in words[run : last + 1]} & _POSSESSIVES:
        return False
    if run > 0 and not words[run].is_apart:
        before = words[run - 1].said
        is_framed = asked.is_told and before in _TELLING
        if not is_framed and (not asked.is_of_anybody or "to" in led or words[first].said.endswith("ing")):
            return False
    if asked.kind is not None:
        return holds_kind(asked.kind, sentence) and _is_then(asked, words, reached)
    if last + 1 < len(words) and not words[last + 1].is_apart and not _may_follow(words[last + 1].said):
        return False
    return _is_then(asked, words, words[run : last + 1])


def _is_then(asked: _Asked, words: Sequence[_Word], span: Sequence[_Word]) -> bool:
    """Whether a sentence tells of the time that is asked about, and that it was, is or will be so, rather than that it could be."""
    said, here = {word.said for word in words}, {word.said for word in span}
    allowed = asked.modals | ({"would"} if asked.tense == "future" else frozenset())
    if said & _MODAL - allowed or not asked.modals - {"would"} <= said:
        return False
    own = [word for word in span if word.form in asked.needed]
    in_past = any(_is_past(word.said) for word in own)
    if asked.tense == "past":
        shows = in_past or bool(here & _PAST) or any(word.said in _UNCHANGED for word in own)
        return shows and not said & _TO_COME and not here & _BEING
    if here & {"was", "were", "had", "did"}:
        return False
    return not any(_is_past(word.said) and word.said not in tokens(asked.text) for word in own)


def _before(words: Sequence[_Word], first: int, passed: frozenset[str]) -> int:
    """Where the words begin that lead to a place and say little."""
    place = first
    while place > 0 and not words[place].is_apart and words[place - 1].said in passed:
        place -= 1
    return place


_LIMITS = frozenset(["on", "until", "till", "every", "each", "when", "if"])
"""What begins a limit that a question without it does not ask for: "closed on Friday" is not closed."""


def _may_follow(word: str) -> bool:
    """Whether what stands before a word is whole: "the landlord" is another than "the landlord association"."""
    return (word in STOP_WORDS and word not in _LIMITS) or word == "twice" or is_number(word) or is_unit(stem(word)) or word.endswith("ly")


def _is_past(word: str) -> bool:
    is_regular = word.endswith("ed") and not word.endswith("eed") and stem(word) != word and not is_number(word)
    return is_regular or word in _FORMS or (is_irregular(word) and word not in _NO_PAST)


def _has_values(asked: str, sentence: str) -> bool:
    """Whether a sentence has the values that are asked for, and no other ones of their kinds."""
    wanted, said = values_in(asked), values_in(sentence)
    for kind in wanted:
        if kind == NAME:
            continue
        if kind == BARE or kind.startswith("count "):
            amounts = frozenset[str]().union(*(said[own] for own in said if own == BARE or own.startswith("count ")))
            alike = said.get(kind, frozenset()) | said.get(BARE, frozenset()) if kind != BARE else amounts
            if not wanted[kind] <= amounts or alike - wanted[kind]:
                return False
        elif said.get(kind) != wanted[kind]:
            return False
    return True


def _is_in_doubt(asked: str, said: str) -> bool:
    """Whether a text has words that keep it from being certain, other than those of the question."""
    words = tokens(said)
    doubted = set(words) & _DOUBT - set(tokens(asked))
    near = any(word in _BEFORE_AMOUNTS and is_number(after) for word, after in pairwise(words))
    return bool(doubted) or (near and bool(values_in(asked)))


def _unsettles(piece: str, how: str, asked: _Asked) -> bool:
    """Whether another sentence of a line, which is no statement, leaves in doubt what the line states."""
    terms = content_terms(piece)
    return how == "order" or not terms or any(term in asked.needed for term in terms)


def _as_named(words: Sequence[_Word], needed: Sequence[str], name: str) -> list[_Word]:
    """The words with the talker's name in place of "I", where the name is asked for."""
    own, owned = _form(name.lower()), f"{_form(name.lower())}'s"
    firsts = {word: own for word in ("i", "we", "me", "us") if own in needed} | {word: owned for word in ("my", "our") if owned in needed}
    return [_Word(word.said, firsts.get(word.said, word.form), word.is_apart) for word in words]


def _words(text: str) -> list[_Word]:
    plain = _SHORT.sub(lambda match: f"{match[1] or match[3]} {_LONG[(match[2] or match[4]).lower()]}", text)
    found: list[_Word] = []
    end = 0
    for match in _WORD.finditer(plain):
        said = match[0].lower()
        form = f"{_form(said[:-2])}'s" if said.endswith("'s") else _form(said)
        found.append(_Word(said, form, bool(found) and _CUT.search(plain[end : match.start()]) is not None))
        end = match.end()
    return found


def _form(word: str) -> str:
    return stem(_FORMS.get(word, word))
