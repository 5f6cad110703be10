"""How what was said was meant: as a statement, a question, an order to those who listen, or under a condition. Rules for English.

Whoever words an answer may tell statements as facts, nothing else: "say that the meeting is cancelled" cancels no meeting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.english import AUXILIARY, QUESTION_WORD, is_question
from stages.recall.terms import holds, stem

Mood = Literal["statement", "question", "order", "condition"]

_TELL = (
    r"(?:say|tell|write|report|claim|answer|reply|respond|state|announce|pretend|declare|output|print|note|add|mention|conclude"
    r"|summari[sz]e|confirm|repeat|insist|record|assert|inform|remind|let|include|put|assume|believe|act|remember|admit|make it)"
)
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,60}\b(?:instruction|prompt|rule|order|above|previous|everything|guideline)"
    r"|\b(?:system|developer) (?:prompt|message|note|override)\b|\bnew (?:instruction|task|rule|order)s?\b"
    r"|\byou are (?:now )?(?:an? )?(?:ai|assistant|language model|chat ?bot)\b"
    r"|\b(?:assistant|chat ?bot|language model|echoic)\b[,:]? (?:please )?(?:you (?:must|should|shall|will) )?"
    r"(?:say|write|answer|tell|reply|claim|delete|ignore|report)"
    r"|\b(?:say|write|answer|reply|tell (?:them|everybody|everyone|the user)|claim|report)\b that\b.{0,80}\binstead\b"
    r"|^\W*(?:system|assistant|developer|admin(?:istrator)?|user)\s*[:>\]]"
    r"|<\|.{0,40}\|>|\[/?INST\]|###\s*(?:instruction|system|response)",
    re.I,
)
"""Words that read like orders to the one who answers, wherever they stand."""
_TELLING = re.compile(
    rf"(?:^|[,;:.!?]\s*|\b(?:and|then|to|please|must|should|shall|just|always|only|now|you|don't|do not|never|can you|could you)\s+)"
    rf"{_TELL}\b(?!\s+(?:it|so)\b)[,:]?\s+(?:\S+\s+){{0,4}}?(?:that\b|the\b|a\b|an\b|there\b|we\b|they\b|it\b|nobody\b|everybody\b|['\"\u2018\u201c])"
    r"|\b(?:answer|reply|response|summary|output|note|minutes) (?:is|are|must|should|shall|has|have|will)\b"
    r"|\b(?:whoever|anyone who|anybody who|everyone who|everybody who|if (?:any(?:one|body)|some(?:one|body)|they|he|she|you are))"
    r"\s+(?:\S+\s+){0,2}(?:ask|read|write|summari)"
    r"|\bwhen(?:ever)?\s+(?:you(?:'re| are)|they|any(?:one|body)|some(?:one|body))?\s*(?:are |is |get )?ask",
    re.I,
)
"""Orders to tell others something: "and say that ...", "the answer must be ...", "when they ask"."""
_OPEN_END = re.compile(rf"\b{_TELL}(?:\s+[\w']+){{0,3}}(?:\s+that)?$", re.I)
_CONDITION = re.compile(
    r"\b(?:if|unless|suppose|supposing|imagine|in case|provided that|as long as|maybe|perhaps|might|probably|pretend|whether"
    r"|dream(?:t|ed)|joking|i wish|would have|what if)\b",
    re.I,
)
_ASKS = re.compile(
    rf"^(?:(?:and|so|but|well|okay|hey|then|or)[, ]+)*(?:{AUXILIARY}|shall|should|{QUESTION_WORD}|whose)\b"
    r"(?! (?:a|the)? ?(?:matters|happened (?:is|was)))",
    re.I,
)
_REPORTS = re.compile(r"\b(?:ask|asked|asks|wondered|ordered|wanted|wants|demanded|joked|if|whether|order)\b", re.I)
_ATTRIBUTES = re.compile(r"\b(?:says?|said|tells?|told|claims?|claimed|thinks?|thought|believes?|heard|hopes?|hoped)\b", re.I)
_FRAME = re.compile(
    r"\w\W*(?:\bthat|:|\b(?:say|says|said|saying|tell|tells|told(?: \w+)?|claim|claims|claimed|think|thinks|thought|believe|believes"
    r"|heard|hear|know|knows|guess|hope|hopes|swear|swears|insist|insists))\s+(?:(?:the|a|an|this|these|our|my|your|his|her|their|there|is|it"
    r"|all|every)\s+)*$",
    re.I,
)
_LONG_NAME_WORDS = 3


def pieces(text: str) -> list[tuple[str, Mood]]:
    """The sentences of a text, also parted where a "but" or a semicolon turns it, each with how it was meant."""
    parts = re.split(r"(?<=[.!?;])\s+|;\s*|,?\s+but\s+", text.strip())
    return [(part.strip(), mood(part.strip())) for part in parts if part.strip()]


def mood(sentence: str) -> Mood:
    """How one sentence was meant."""
    if reads_like_order(sentence) or _TELLING.search(sentence):
        return "order"
    if sentence.endswith("?") or (_ASKS.search(sentence) and not sentence.endswith((".", "!"))):
        return "question"
    return "condition" if _CONDITION.search(sentence) else "statement"


def is_hedged(sentence: str) -> bool:
    """Whether a sentence keeps a condition, or tells that something was asked or ordered, rather than asserting it."""
    return _CONDITION.search(sentence) is not None or _REPORTS.search(sentence) is not None or is_question(sentence)


def is_attributed(sentence: str) -> bool:
    """Whether a sentence tells that somebody said, heard or thinks something, rather than that it is so."""
    return _ATTRIBUTES.search(sentence) is not None


def is_framed(piece: str, terms: Sequence[str]) -> bool:
    """Whether what a sentence says of some stems stands inside another statement: "we heard that ...", "the notes say ...", "AI: ...".

    Who leaves such a frame out tells as a fact what somebody else may have said, wished or ordered.
    """
    for match in re.finditer(r"[\w'-]+", piece):
        if holds(stem(match[0].lower()), terms):
            return _FRAME.search(piece[: match.start()]) is not None
    return False


def reads_like_order(text: str) -> bool:
    """Whether words that were said in the room read like an order to the one who answers: they are quoted, never worded by an LLM."""
    return _ORDER.search(text) is not None


def spoken(line: LineRow, around: Sequence[LineRow] = ()) -> str:
    """What a line says, with what leads into it: an order may begin in the line before it, or stand in the talker's name.

    `around` are lines of the same session near it. Where the line before (of anybody) ends in the middle of an order, or only both
    together read like one, both are given as one sentence.
    """
    text = line.text
    for before in _before(line, around):
        head = _tail(before.text)
        joined = f"{head} {line.text}"
        if _OPEN_END.search(head) or reads_like_order(head) or (reads_like_order(joined) and not reads_like_order(line.text)):
            text = joined
            break
    name = speaker_of(line)
    if len(name.split()) >= _LONG_NAME_WORDS or reads_like_order(f"{name} {text}") or _OPEN_END.search(name.strip(" .:,")):
        text = f"{_tail(name)} {text}"
    return text


def may_be_worded(lines: Sequence[LineRow], around: Sequence[LineRow] = ()) -> bool:
    """Whether a model may see these lines: none of them reads like an order, alone, after the line before it, or together."""
    together = " ".join(_tail(line.text) for line in sorted(lines, key=lambda line: (line.session, line.start_ns, line.id)))
    return not reads_like_order(together) and not any(reads_like_order(spoken(line, around)) for line in lines)


def _before(line: LineRow, around: Sequence[LineRow]) -> list[LineRow]:
    """The last line before one of the same track, and the last one of anybody."""
    earlier = [other for other in around if other.session == line.session and other.id != line.id and other.start_ns < line.start_ns]
    latest = [
        max(lines, key=lambda other: (other.start_ns, other.id))
        for lines in ([other for other in earlier if other.track == line.track], earlier)
        if lines
    ]
    return list({other.id: other for other in latest}.values())


def _tail(text: str) -> str:
    """A text without what ends a sentence, which a recogniser puts behind every line."""
    return text.rstrip(" .,;:!?\u2026-")
