"""Claims that show lines as they are: what is played, what was asked about again, and two things in their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from stages.answer.affirmed import is_settled
from stages.answer.corrections import correction_of
from stages.answer.settled import settlements
from stages.answer.wording import Wording, bearing, clock, listed, offset, person, quote
from stages.memory.rows import LineRow
from stages.recall.answers import Claim, Evidence, speaker_of
from stages.recall.decision_asked import asks_whether_of
from stages.recall.material import Found, Material
from stages.recall.own_voice import MY_NAMES
from stages.recall.question import Question
from stages.recall.sides import BEARING_TOLERANCE_DEG
from stages.recall.terms import content_terms, coverage, stems
from stages.recall.untranscribed import is_untranscribed

_SUREST = 0.95
_UNNAMED = re.compile(r"speaker-\d+")
_WHAT = re.compile(r"\bwhat\b", re.I)


def cited(question: Question, material: Material, wording: Wording, most_claims: int) -> list[Claim]:
    """A claim for each line, with its time on the clock where that is asked; what is played comes in the order in which it was said."""
    told = list(material.found[:most_claims])
    if question.intent == "play" and question.follow_up is None:
        told.sort(key=lambda found: _moment(material, found.line))
    return [
        Claim(wording.said(found.line, on_the_clock=question.intent == "when"), _sure([found]), (Evidence.of(found.line),))
        for found in told
    ]


def following(question: Question, material: Material, wording: Wording) -> list[Claim]:
    """One claim of lines that follow each other, by start: what was said right before or after something."""
    lines = [found.line for found in material.found]
    if not lines:
        return []
    spoken = [line for line in lines[1:] if not is_untranscribed(line)]
    text = wording.said(lines[0], on_the_clock=question.intent == "when")
    text += "".join(f" {person(line)}: {quote(line.text)}" for line in spoken)
    shown = [lines[0], *spoken]
    return [Claim(text, _sure([found for found in material.found if found.line in shown]), tuple(Evidence.of(line) for line in shown))]


def ordered(question: Question, material: Material, wording: Wording) -> list[Claim]:
    """One claim on which of two things came first; `material.found` has a line for each of them, in the order in which they were asked."""
    asked = question.order
    if asked is None or len(material.found) != len(asked.topics) or len(asked.topics) != 2:
        return []
    pairs = sorted(zip(asked.topics, material.found, strict=True), key=lambda pair: _moment(material, pair[1].line))
    (early, first), (late, second) = pairs
    if first.line.id == second.line.id:
        text = f"Both came up at once. {wording.said(first.line)}"
        return [Claim(text, _sure([first]), (Evidence.of(first.line),))]
    told = {
        "first": f"{_capital(early)} came first",
        "last": f"{_capital(late)} came last",
        "before": f"{'Yes' if early == asked.topics[0] else 'No'}: {early} came before {late}",
        "after": f"{'Yes' if late == asked.topics[0] else 'No'}: {late} came after {early}",
    }[asked.relation]
    seems = ", as it seems" if _only_sounds(early, first) or _only_sounds(late, second) else ""
    text = f"{told}{seems}. {_when(early, first, material)} {_when(late, second, material)}"
    return [Claim(text, _sure([first, second]), (Evidence.of(first.line), Evidence.of(second.line)))]


def agreed(question: Question, material: Material, wording: Wording, most_claims: int) -> list[Claim]:
    """A claim for each thing that was settled, with who agreed to it; what was taken back later goes with that.

    Where it is asked whether a thing was settled, what surely settles it goes first.
    """
    told = [(found, next((one for one in settlements(found.talk) if one[0].id == found.line.id), ())) for found in material.found]
    opening = "Yes: " if question.intent == "did_anybody" else ""
    if opening and asks_whether_of(question.text):
        told.sort(key=lambda one: not is_settled(question, *one))
        opening = opening if told and is_settled(question, *told[0]) else ""
    claims: list[Claim] = []
    for found, settled in told[:most_claims]:
        lines = list(settled) or [found.line]
        text = wording.said(lines[0], on_the_clock=question.intent == "when")
        text += "".join(f" {person(line)} agreed: {quote(line.text)}" for line in lines[1:])
        taken_back = found.taken_back or correction_of(lines[0], found.talk)
        if taken_back is not None and taken_back not in lines:
            text += wording.corrected(taken_back)
            lines.append(taken_back)
        claims.append(Claim(f"{opening}{text}", _sure([replace(found, line=line) for line in lines]), tuple(map(Evidence.of, lines))))
        opening = ""
    return claims


def present(material: Material) -> list[Claim]:
    """One claim on everybody who was heard; `material.found` has a line of each."""
    lines = [found.line for found in material.found]
    if not lines:
        return []
    text = f"{len(lines)} {'person was' if len(lines) == 1 else 'people were'} heard: {listed([person(line) for line in lines])}."
    return [Claim(text, _sure(material.found), tuple(Evidence.of(line) for line in lines))]


def asks_who_was_where(question: Question) -> bool:
    """Whether a question asks for nothing but who was heard at a bearing, or who a talker is, or where one was."""
    is_of_place = question.intent in {"who", "where"} and (question.azimuth_deg is not None or question.speaker is not None)
    is_bare = not (question.terms or question.talkers or question.edge or question.duration or question.asking)
    return is_of_place and is_bare and question.attended is None and _WHAT.search(question.text) is None


def who_was_where(question: Question, material: Material, wording: Wording) -> list[Claim]:
    """One claim on where and when some talkers were heard; `material.found` has the first and the last line of each.

    Where it is asked who one talker is, it has their first words too, and says where nobody has named them.
    """
    lines: dict[tuple[str, str], list[LineRow]] = {}
    for found in material.found:
        lines.setdefault((found.line.session, speaker_of(found.line)), []).append(found.line)
    told = []
    for (session, name), own in lines.items():
        places = [bearing(line.azimuth_deg) for line in own if line.azimuth_deg is not None]
        first, *last = (wording.moment(session, line.start_ns, on_the_clock="when" in question.aspects) for line in own)
        where = f" at {places[0]}," if places else ""
        moved = f" at {places[-1]}" if len(own) > 1 and len(places) == len(own) and _apart_deg(own) > BEARING_TOLERANCE_DEG else ""
        told.append(f"{name} was heard{where} {f'first at {first}, last at {last[0]}{moved}' if last else f'at {first}'}")
    if not told:
        return []
    wordless = all(is_untranscribed(found.line) for found in material.found)
    text = f"{'; '.join(told)}{'; the words were not transcribed' if wordless else ''}."
    if question.asks_present and len(lines) == 1:
        (own,) = lines.values()
        unnamed = " has no name yet." if _UNNAMED.fullmatch(speaker_of(own[0])) else ""
        text = f"{f'{speaker_of(own[0])}{unnamed} ' if unnamed else ''}{text}"
        text += "" if is_untranscribed(own[0]) else f" The first words: {quote(own[0].text)}"
    return [Claim(text, _sure(material.found), tuple(Evidence.of(found.line) for found in material.found))]


def company(question: Question, material: Material) -> list[Claim]:
    """One claim on everybody who talked with a talker; `material.found` has a line of each."""
    lines = [found.line for found in material.found]
    if not lines:
        return []
    with_whom = "you" if question.talkers[0].casefold() in MY_NAMES else question.talkers[0]
    text = f"{listed([person(line) for line in lines])} talked with {with_whom}."
    return [Claim(text, _sure(material.found), tuple(Evidence.of(line) for line in lines))]


def _apart_deg(lines: Sequence[LineRow]) -> float:
    """How far apart the first and the last of some lines were heard, 0 to 180 degrees."""
    first, last = lines[0].azimuth_deg, lines[-1].azimuth_deg
    return 0.0 if first is None or last is None else abs((last - first + 180.0) % 360.0 - 180.0)


def _when(topic: str, found: Found, material: Material) -> str:
    line = found.line
    at = f"{offset(line.start_ns)} ({clock(material.sessions[line.session].moment(line.start_ns))})"
    if _only_sounds(topic, found):
        return f"{_capital(topic)} may have come up at {at}, where what was recognised sounds like it; {person(line)}: {quote(line.text)}"
    return f"{_capital(topic)} came up at {at}; {person(line)}: {quote(line.text)}"


def _only_sounds(topic: str, found: Found) -> bool:
    """Whether what was recognised only sounds like a topic; heard again, it may have become certain."""
    return found.misheard and coverage(content_terms(topic), stems(found.line.text)) < 1.0


def _moment(material: Material, line: LineRow) -> tuple[float, str]:
    return material.sessions[line.session].moment(line.start_ns).timestamp(), line.id


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sure(found: Sequence[Found]) -> float:
    return min(_SUREST, *(entry.support * (0.5 + 0.5 * entry.line.confidence) for entry in found))
