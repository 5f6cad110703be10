"""Questions for what will be on a day and nothing else: "What is on Saturday?", "What's planned for Sunday?"."""

from __future__ import annotations

import re

from stages.recall.english import WEEKDAY
from stages.recall.terms import is_irregular, tokens
from stages.recall.word_lists import word_set

_PART = r"(?: (?P<part>morning|afternoon|evening|night))?"
_GOES_ON = (
    r"(?:up|on|due|planned|scheduled|arranged|happening|going on|coming up|there|to be done|going to (?:be|happen)|(?:the|our) plans?)"
)
_ASKS = re.compile(
    rf"^(?:(?:and|so|but|ok|okay)[, ]+)?what(?:(?:'s|s| is| will be) {_GOES_ON}| is| will be| (?:will|is going to) happen| happens"
    r"| (?:was|were|has been|have been) (?:planned|scheduled|arranged)| are (?:the|our|your|their) plans|'s"
    r"| are (?:we|you|they) (?:doing|planning|up to)| (?:do|have) (?:we|you|they) (?:have |got )?(?:on|planned|to do|going on)?)"
    rf" ?(?:on |for |this |coming )*(?P<day>{WEEKDAY}){_PART}[ ?.!]*$",
    re.I,
)
_PARTS = re.compile(r"\b(?:morning|afternoon|evening|night)\b", re.I)
_COMING = re.compile(
    r"\b(?:will|shall|comes?|coming|going|is|are|am|can|could|should|must|may|might|would|has|have|needs?|wants?)\b|'(?:s|re|m|ll|d|ve)\b"
    r"|(?<!went )(?<!came )(?<!got )(?<!been )\bto (?!(?:the|an?|my|our|your|his|her|their|this|that)\b)\w",
    re.I,
)
_WAS = frozenset(["was", "were", "did", "had", "made", "rang", "spoke", "took", "went"])
# Who said, agreed or booked something tells what will be: "the engineer said Monday".
_SETTLED = word_set(
    "said told heard thought meant announced suggested offered asked agreed arranged booked reserved decided settled planned scheduled"
    " promised moved postponed"
)
_NO_PAST = frozenset(["need", "feed", "speed", "indeed", "hundred", "shed", "bed", "red", "wed"])
# What is closed on a day is so then.
_VERB = re.compile(r"(?<!\bis )(?<!\bare )(?<!\bbe )(?<!\bisn't )(?<!\baren't )(?<!'s )(?<!'re )\b[a-z']+", re.I)
_LED_BY = re.compile(r"\b(?:to|for|until|till|by|from|before|after)(?: (?:the|this|next|coming))* $", re.I)
_GONE = re.compile(r"\b(?:since|last|past) $", re.I)
_AT_ONCE = 2


def day_asked(text: str) -> tuple[str, str]:
    """The day of which a question asks what will be, and the part of it, in lower case; "" for what it does not name."""
    match = _ASKS.match(" ".join(text.split()))
    return ("", "") if match is None else (match["day"].lower(), (match["part"] or "").lower())


def tells_of(day: str, part: str, text: str) -> bool:
    """Whether a text says what will be on a day: "since Tuesday" and "we brought him home on Sunday" tell what was."""
    for sentence in re.split(r"(?<=[.!?;])\s+", text):
        parts = {found.lower() for found in _PARTS.findall(sentence)}
        if part and parts and part not in parts:
            continue
        if any(not _is_gone(sentence, match.start(), match.end()) for match in re.finditer(rf"\b{day}\b", sentence, re.I)):
            return True
    return False


def _is_gone(sentence: str, start: int, end: int) -> bool:
    before = sentence[:start]
    if _GONE.search(before):
        return True
    if _LED_BY.search(before):
        # "They moved it to Thursday" tells of a Thursday that comes.
        return False
    told = before if len(tokens(before)) >= _AT_ONCE else sentence[end:]
    verbs = [match.end() for match in _VERB.finditer(told) if _is_past(match[0].lower())]
    if not verbs:
        return False
    # "He said that he comes" tells of what comes, and so does "on Thursday we see what was done".
    return _COMING.search(*((told, verbs[-1]) if told is before else (told, 0, verbs[0]))) is None


def _is_past(word: str) -> bool:
    return word not in _SETTLED | _NO_PAST and (word in _WAS or word.endswith("ed") or is_irregular(word))
