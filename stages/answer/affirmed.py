"""Whether a line that was found certainly says yes to a question: a quote stands without that where somebody may read it otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.packets import nanoseconds
from stages.answer.claim_check import is_negated
from stages.answer.corrections import correction_of
from stages.answer.stated import is_stated
from stages.answer.values import CLOCK, DATE, DAY, MONTH, NAME, values_in
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.material import Found
from stages.recall.question import Question
from stages.recall.terms import holds, stem, stems, tokens
from stages.recall.word_lists import word_set

_OBJECTED_WITHIN_NS = nanoseconds(8.0)
_ABOUT = r"(?: (?:anything|something|a word|a lot|a thing|much|more|again))*(?: (?:about|of|on))"
_ASKS_IF_SAID = re.compile(
    r"\b(?:did|do|does|has|have|had|is|are|was|were) (?P<who>(?:[\w'-]+ ){1,6}?)"
    r"(?:mention(?:ed)?(?! (?:that|if|whether|what|when|where|who|why|how)\b)|discuss(?:ed)?"
    rf"|(?:talk(?:ed|ing)?|speak(?:ing)?|spoke|spoken|chat(?:ted|ting)?|say|said){_ABOUT}"
    rf"|(?:tell|told) (?:us|them|me|anybody|anyone){_ABOUT}|br(?:ing|ought) up)\b",
    re.I,
)
_ASKS_IF_CAME_UP = re.compile(
    r"^\W*(?:(?:and|so|but|please)[, ]+)?(?:(?:did|has|have|had|was|were) .+ (?:mentioned|discussed|talked about|spoken (?:of|about)"
    r"|brought up|come up)(?= *(?:[?.!]|$|in the last|since|today|yesterday|this|earlier))"
    r"|(?:(?:was|is|were) there )?(?:anything|something|any(?: \w+)? (?:news|talk|mention)|talk|news)\b(?: \w+){0,2}? (?:about|on|of)\b)",
    re.I,
)
_SAID_CLAUSE = re.compile(
    r"\b(?:did|has|have|had) (?P<who>(?:[\w'-]+ ){1,6}?)(?:say|said|mention(?:ed)?|(?:tell|told) (?:us|them|me|anybody|anyone))(?: that)? "
    r"(?P<clause>.+)$",
    re.I,
)
_ANYBODY = word_set("anybody anyone somebody someone they people any of them ever also actually really just even the or and either")
_FULL_DATE = frozenset([DATE, MONTH])
_VALUES_OF = {
    stem("date"): (_FULL_DATE,),
    stem("day"): (_FULL_DATE, frozenset([DAY])),
    stem("month"): (frozenset([MONTH]),),
    stem("time"): (frozenset([CLOCK]),),
}
"""The kinds of values that tell what a word asks for; "the first one" is no date."""
_LEFT_OPEN = re.compile(r"\b(?:or|if|unless|whether|maybe|perhaps|only|about|instead|rather)\b", re.I)
_OBJECTS = re.compile(r"(?:oh,? |well,? |but )*(?:no|nope|nah|actually|wait|hang on|sorry|really|are you sure|i thought)\b", re.I)


def is_affirmed(question: Question, found: Found) -> bool:
    """Whether a line that was found for a question of yes or no certainly says yes.

    It does where it is asked whether something was talked about, which any line about it proves, and where the line states all of what is
    asked, of whom it is asked, and nobody took that back or objected at once.
    """
    line, text = found.line, question.text
    if found.misheard or is_negated(text):
        return False
    of_speech = _ASKS_IF_SAID.search(text)
    if question.about_speech and (_ASKS_IF_CAME_UP.search(text) or (of_speech is not None and _are_asked(of_speech["who"], question))):
        return _has_what_is_asked(question, found)
    taken_back = found.taken_back or correction_of(line, found.talk)
    if taken_back is not None or _is_objected_to(line, found.talk):
        return False
    said_clause = _SAID_CLAUSE.search(text)
    if said_clause is not None and _are_asked(said_clause["who"], question):
        return is_stated(said_clause["clause"], line, is_told=True)
    return not question.about_speech and is_stated(text, line)


def is_settled(question: Question, found: Found, settled: Sequence[LineRow]) -> bool:
    """Whether the lines that settled something certainly settle what is asked: the first says all that is named, or its value.

    "Okay, the nineteenth of July" settles a date. Nobody objected at once or took it back.
    """
    if not settled or is_negated(question.text) or is_negated(settled[0].text) or _LEFT_OPEN.search(settled[0].text):
        return False
    if found.taken_back or correction_of(settled[0], found.talk) or _is_objected_to(settled[-1], found.talk):
        return False
    said, values, asked = stems(settled[0].text), values_in(settled[0].text), values_in(question.gist)
    has_values = all(asked[kind] <= values.get(kind, frozenset()) for kind in asked if kind != NAME)
    return has_values and all(
        holds(term, said) or any(kinds <= set(values) for kinds in _VALUES_OF.get(term, ())) for term in question.terms
    )


def _has_what_is_asked(question: Question, found: Found) -> bool:
    """Whether a line about a topic has its values, and it or the talk around it its names: "a dog called Max" is no other dog."""
    values, said = values_in(question.gist), values_in(found.line.text)
    if not all(values[kind] <= said.get(kind, frozenset()) for kind in values if kind != NAME):
        return False
    around = (found.line, *found.context, *found.conversation, *found.talk)
    return all(any(name in stems(f"{speaker_of(line)} {line.text}") for line in around) for name in question.names)


def _are_asked(who: str, question: Question) -> bool:
    """Whether those of whom it is asked whether they said something are anybody, or the very talkers whose lines were searched."""
    names = " ".join([question.speaker or "", *question.talkers])
    return set(tokens(who)) <= _ANYBODY | set(tokens(names)) | (frozenset(["he", "she"]) if question.speaker else frozenset())


def _is_objected_to(line: LineRow, talk: Sequence[LineRow]) -> bool:
    """Whether the next one to speak denies or doubts what was said."""
    after = [other for other in talk if other.session == line.session and other.start_ns > line.start_ns and other.track != line.track]
    reply = min(after, key=lambda other: (other.start_ns, other.id), default=None)
    if reply is None or reply.start_ns - line.end_ns > _OBJECTED_WITHIN_NS:
        return False
    return is_negated(reply.text) or _OBJECTS.match(reply.text) is not None
