"""What others told of what somebody said who is no talker: "the doctor said that ..." answers "What did the doctor say?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stages.recall import cues
from stages.recall.terms import content_terms, coverage, stem, stems, tokens
from stages.recall.word_lists import word_set

if TYPE_CHECKING:
    from stages.memory.rows import LineRow
    from stages.recall.material import Found
    from stages.recall.question import Question

_SAYS = (
    r"(?:ever |also )?(?:say|said|says|tell|told|tells|mention(?:ed)?|suggest(?:ed)?|ask(?:ed)?|answer(?:ed)?|promised?|thinks?|thought"
    r"|explain(?:ed)?|advised?)\b"
)
_TELLER = re.compile(
    r"\b(?:(?i:did|does|has|had|will|would|do|have) |(?<=what )|(?<=that ))"
    rf"(?P<who>(?:the|my|our|your|his|her|their|[\w-]+'s) (?:[a-z][\w'-]* ){{0,2}}?(?P<head>[a-z][\w'-]*)) {_SAYS}"
)
_NO_TELLERS = word_set(
    """
    people person persons man men woman women guy guys lady one ones two three other others group groups table tables speaker talker voice
    voices conversation room lot rest side
    """
)
"""Words for talkers of the room, whom a bearing or nothing more is known of."""
_REPORTS = re.compile(
    r"\b(?:said|says?|saying|told|tells?|telling|thinks?|thought|reckons?|mention(?:ed|s)|suggest(?:ed|s)|promised|warned|wants|wanted"
    r"|advised|recommend(?:ed|s)|asked|explained|swears|claims?|according|wrote|texted|rang|called|spoken|spoke|talked)\b",
    re.I,
)


def teller_in(text: str) -> str:
    """Somebody who is known by what they are ("the doctor", "my sister") and is asked about as who told something; "" for none."""
    match = _TELLER.search(text)
    return match["who"] if match is not None and match["head"] not in _NO_TELLERS and cues.THING_SAYS.search(text) is None else ""


def reported(question: Question, found: Sequence[Found]) -> list[Found]:
    """The lines that tell what the one who is asked about said: they name them, or answer a question that does.

    What was said "about the car" is nothing that was said of something else.
    """
    own = set(content_terms(question.teller))
    about = [term for term in question.terms if term not in own] if re.search(r"\babout\b", question.text, re.I) else []
    told = [(entry, _line_and_asked(entry)) for entry in found]
    return [
        entry
        for entry, lines in told
        if any(_reports(question.teller, line) for line in lines)
        and (not about or any(coverage(about, stems(line.text)) for line in lines))
    ]


def speaks_of(teller: str, line: LineRow) -> bool:
    """Whether a line speaks of such a person."""
    return stem(teller.split()[-1].lower()) in {stem(token) for token in tokens(line.text)}


def _reports(teller: str, line: LineRow) -> bool:
    return speaks_of(teller, line) and _REPORTS.search(line.text) is not None


def _line_and_asked(entry: Found) -> list[LineRow]:
    """A line, and the question of somebody else right before it."""
    before = [line for line in entry.context if line.start_ns < entry.line.start_ns][-1:]
    return [entry.line, *(line for line in before if line.track != entry.line.track and line.text.rstrip().endswith("?"))]
