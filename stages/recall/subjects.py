"""Of whom a line says what is asked: "She's moving to Canada" says nothing of Walter who says it, and "He fell" nothing of Misses Doyle."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from stages.recall.asked_kind import PEOPLE
from stages.recall.english import is_question
from stages.recall.terms import STOP_WORDS, is_irregular, singular, stem, stems, tokens
from stages.recall.word_lists import word_set

_AUXILIARY = r"(?:do|does|did|will|would|can|could|shall|should|may|might|must|have|has|had|(?P<being>am|is|are|was|were))"
_ADVERB = r"(?:(?:not|ever|never|still|already|really|just|also|always|\w+ly) )*"
_VERBS = rf" {_ADVERB}(?P<verbs>(?:(?:going|want|wants|wanting|like|hope|plan|planning|have|has|try|trying) to )?[a-z]+)"
_TITLES = {
    "she": "misses missus mrs miss ms madam lady aunt auntie grandma granny grandmother mum mummy mom mother sister",
    "he": "mister mr sir uncle grandpa granddad grandfather dad daddy father brother",
}
_GENDERS = {title: gender for gender, titles in _TITLES.items() for title in titles.split()}
_TITLE = rf"(?P<title>{'|'.join(_GENDERS)})\b\.?"
_TALKER = re.compile(rf"\b{_AUXILIARY} I{_VERBS}\b", re.I)
_TITLED = re.compile(rf"\b{_AUXILIARY} (?:the |my |our |your )?{_TITLE}(?P<name>(?: (?-i:[A-Z])[\w-]+)?){_VERBS}\b", re.I)
_OWNED = re.compile(rf"\b{_TITLE}(?P<name>(?: (?-i:[A-Z])[\w-]+)?)(?:'s|s') (?P<thing>[a-z]+)", re.I)
_NAMED = re.compile(rf"^{_AUXILIARY} (?P<subject>(?:the [a-z]+|(?-i:[A-Z])[\w.'-]+(?: (?-i:[A-Z])[\w'-]+)?)(?: [a-z]+)??){_VERBS}\b", re.I)
# "My goodness." names nothing.
_JUST_NAMED = re.compile(
    rf"(?:(?:the|my|our|your|his|her|their) (?!god\b|goodness\b|word\b|pleasure\b|dear\b|end\b)[a-z]+|{_TITLE} [a-z-]+)[ .!]*", re.I
)
_CLAUSES = re.compile(r"[.,;:!?]|\b(?:but|because|so)\b", re.I)
_TO = re.compile(r" to ")
_OTHERS = {"he": "he", "she": "she", "they": "they", "him": "he", "them": "they"}
_SELF = word_set("i me we us")
_THIRD, _ONE = word_set("he she they"), word_set("he she it")
_MORE_PEOPLE = word_set(
    """
    child kid parent people baby grandson granddaughter grandchild grandparent mate girlfriend boyfriend fiance flatmate roommate landlord
    landlady tenant lodger guest visitor lawyer vet dentist surgeon therapist carer midwife pharmacist patient student pupil professor
    engineer electrician builder gardener cleaner cook waiter baker butcher farmer hairdresser postman policeman priest vicar
    """
)
# A talker's own plane, bus or shift is nobody else ("My plane lands at six").
_SOMEBODY = PEOPLE | _MORE_PEOPLE | frozenset(_GENDERS)
_SUBJECTS = frozenset(_OTHERS) | _SELF | {"you", "it"}
_DETERMINERS = word_set("the my his her their our your")
_SAYING = word_set("say tell mention claim")
# "He took the stairs and fell" says it of him, not of the stairs.
_JOINING = word_set("and or")
# What talkers say that others say is said by the talkers.
_ANY_VERB = word_set("be have do get say tell mention ask talk speak answer a an the in at on not no there here for from with")
_OF = {"he": word_set("he him his"), "she": word_set("she her hers")}
_POSSESSIVE = {"he": "his", "she": "her"}
_INFLECTED = ("s", "ed", "ing")


def of_another(own_words: str, text: str) -> bool:
    """Whether a talker's line says what the talker is asked for, as they would ask it ("Will I move?"), of somebody else alone."""
    asked = _TALKER.search(own_words)
    terms = stems(own_words)
    return asked is not None and _says_of(
        asked, text, lambda whom: whom in _THIRD or (singular(whom) in _SOMEBODY and stem(whom) not in terms)
    )


def of_other_gender(asked: str, text: str) -> bool:
    """Whether a line without the name speaks of "him" where "Misses Doyle" is asked for, or of "her" where a "Mister" is.

    "Mum" without a name is her own name.
    """
    owned = _OWNED.search(asked)
    match = owned or _TITLED.search(asked)
    if match is None:
        return False
    gender = _GENDERS[match["title"].lower()]
    other = "he" if gender == "she" else "she"
    if _mentions(other, asked) or not stems(match["name"] or match["title"]).isdisjoint(stems(text)):
        return False
    if owned is None:
        return _says_of(match, text, lambda whom: whom == other)
    words = tokens(text)
    whose = {before for before, word in pairwise(words) if stem(word) == stem(owned["thing"])}
    return _POSSESSIVE[other] in whose and _POSSESSIVE[gender] not in whose


def of_what_was_named(asked: str, before: str, text: str) -> bool:
    """Whether a line says of "her" what is asked of somebody, where the words right before it name something else and nothing more."""
    match = _NAMED.match(asked)
    named = [clause.strip() for clause in _CLAUSES.split(before) if clause.strip()][-1:]
    if match is None or not named or _JUST_NAMED.fullmatch(named[0]) is None or is_question(before):
        return False
    whose = frozenset(stem(word) for word in tokens(named[0]) if word not in STOP_WORDS)
    if not whose or not whose.isdisjoint(stems(match["subject"].replace("'s", ""))):
        return False
    return _says_of(match, text, lambda whom: whom in _ONE)


def _says_of(asked: re.Match[str], text: str, is_other: Callable[[str], bool]) -> bool:
    """Whether a line says an asked verb, and each time of somebody else."""
    for verb in _verbs(asked):
        whom = list(_subjects(verb, text))
        if whom and all(map(is_other, whom)):
            return True
    return False


def _mentions(gender: str, text: str) -> bool:
    return any(word.split("'")[0] in _OF[gender] or _GENDERS.get(word) == gender for word in tokens(text))


def _verbs(asked: re.Match[str]) -> list[str]:
    """The stems of the asked verbs; none where they may be of anybody ("was I operated?", "do I have")."""
    verbs = [verb.lower() for verb in _TO.split(asked["verbs"])]
    if asked["being"] and not verbs[0].endswith("ing"):
        return []
    return [stem(verb) for verb in verbs if verb not in _ANY_VERB and stem(verb) not in _ANY_VERB and verb != "going"]


def _subjects(verb: str, text: str) -> Iterator[str]:
    """Of whom each clause with a verb says it: a noun right before it, else the nearest pronoun; "" where none is said.

    Who says something is not whom it is said of: "He says Mum comes home." Talkers who name themselves are meant with their nouns:
    "I and my wife moved."
    """
    for clause in _CLAUSES.split(text):
        words = [word.split("'")[0] for word in tokens(clause)]
        whole = tokens(clause)
        for place, word in enumerate(words):
            if stem(word) != verb or (place and words[place - 1] in _DETERMINERS):
                continue
            if words[max(0, place - 2) : place] == ["her", "to"]:
                yield "she"
                continue
            start = next((end for end in range(place, 0, -1) if stem(words[end - 1]) in _SAYING), 0)
            pronoun = next((other for other in reversed(words[start:place]) if other in _SUBJECTS), "")
            noun = _noun(words[start:place], whole[start:place], word.endswith(_INFLECTED) or is_irregular(word))
            yield noun if noun and pronoun not in _SELF else _OTHERS.get(pronoun, pronoun)


def _noun(words: Sequence[str], whole: Sequence[str], is_inflected: bool) -> str:
    """The kin, or the noun with a "the" or "my", that words before a verb end with, behind it only such as "is" and "was"; "" for none."""
    rest = list(words)
    while rest and rest[-1] in STOP_WORDS and rest[-1] not in _DETERMINERS | _SUBJECTS | _JOINING:
        rest.pop()
    has_auxiliary = len(rest) < len(words) or (bool(rest) and "'" in whole[len(rest) - 1])
    if not rest or rest[-1] in STOP_WORDS or not (is_inflected or has_auxiliary):
        return ""
    is_noun = rest[-1] in _GENDERS or not (_DETERMINERS | set(_GENDERS)).isdisjoint(rest[-3:-1])
    return rest[-1] if is_noun else ""
