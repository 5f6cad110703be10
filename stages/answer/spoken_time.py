"""Claims on how long people talked, on who talked most, and on how many did."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.packets import NS_PER_S
from stages.answer.wording import Wording, listed, person
from stages.memory.rows import LineRow
from stages.recall.answers import Claim, Evidence, speaker_of
from stages.recall.duration_asked import is_nameless
from stages.recall.material import Material
from stages.recall.question import Question
from stages.recall.stretches import longest_of_each, spans_of

_SUREST = 0.95
_SUPPORT = 0.9
_SURE_OF_PART = 0.7
_AT_LEAST = "at least "
_MOST_SPANS = 5
_MOST_TALKERS = 8


def spoken_time(question: Question, material: Material, wording: Wording) -> list[Claim]:
    """One claim: how long the stretches of the material were talked in, who talked there, or who did so most (least), and how long.

    Talk is counted from its first to its last word, without silences of more than half a minute; what somebody said, by their lines alone.
    Where more may be about the topic than was found, it is a length at least, of which the claim is less sure.
    """
    if not material.stretches:
        return []
    about = " about it" if question.terms or is_nameless(question.text) else ""
    if question.duration == "length" and question.speaker is None and question.azimuth_deg is None:
        return [_talked(about, material, wording)]
    if question.duration == "talkers":
        return [_took_part(about, material, wording)]
    company = f" with {question.talkers[0]}" if len(question.talkers) == 1 else ""
    return [_spoke(question.duration, company + about, material, wording)]


def lasted(length_ns: int) -> str:
    """A length of time in words: "45 seconds", "1 minute and 5 seconds", "2 hours and 10 minutes"."""
    total = round(length_ns / NS_PER_S)
    hours, minutes, seconds = total // 3600, total // 60 % 60, total % 60
    parts = [(hours, "hour"), (minutes, "minute")] if hours else [(minutes, "minute"), (seconds, "second")]
    return listed([f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n] or ["less than a second"])


def _talked(about: str, material: Material, wording: Wording) -> Claim:
    """How long a conversation went on: who took part, when, and the line that tells most of it."""
    spans = spans_of(material.stretches)
    names = list(longest := longest_of_each(material.stretches))[:_MOST_TALKERS]
    firsts = [stretch.lines[0] for stretch in material.stretches[:_MOST_SPANS]]
    own = {line.id for stretch in material.stretches for line in stretch.lines}
    told = next((entry.line for entry in material.found if entry.line.id in own), firsts[0])
    times = [wording.span(*span) for span in spans[:_MOST_SPANS]]
    times += [f"{len(spans) - _MOST_SPANS} more"] if len(spans) > _MOST_SPANS else []
    in_all = f" in all, {len(spans)} times" if len(spans) > 1 else ""
    length = lasted(sum(end_ns - start_ns for _, start_ns, end_ns in spans))
    text = f"{listed(names)} talked{about} for {_AT_LEAST * material.is_part}{length}{in_all} ({listed(times)}). {wording.said(told)}"
    return _claim(text, material, [told, *firsts, *(longest[name] for name in names)])


def _took_part(about: str, material: Material, wording: Wording) -> Claim:
    """How many people said something in the stretches, and who, with the longest line of each."""
    longest = longest_of_each(material.stretches)
    names = list(longest)[:_MOST_TALKERS]
    shown = [person(longest[name]) for name in names]
    shown += [f"{len(longest) - len(names)} more"] if len(longest) > len(names) else []
    own = {line.id for stretch in material.stretches for line in stretch.lines}
    told = next((entry.line for entry in material.found if entry.line.id in own), longest[names[0]])
    n_people = f"{_AT_LEAST * material.is_part}{len(longest)} {'person' if len(longest) == 1 else 'people'}"
    text = f"{n_people[0].upper()}{n_people[1:]} talked{about}: {listed(shown)}. {wording.said(told)}"
    return _claim(text, material, [told, *(longest[name] for name in names)])


def _spoke(which: str, about: str, material: Material, wording: Wording) -> Claim:
    """How long each of some people spoke, the one who is asked for first, with the longest line of each."""
    lengths: dict[str, list[int]] = {}
    for line in (line for stretch in material.stretches for line in stretch.lines):
        lengths.setdefault(speaker_of(line), []).append(line.end_ns - line.start_ns)
    sign = 1 if which == "least" else -1
    names = sorted(lengths, key=lambda name: (sign * sum(lengths[name]), name))[:_MOST_TALKERS]
    longest = longest_of_each(material.stretches)
    first, *others = [(longest[name], lasted(sum(lengths[name]))) for name in names]
    n_lines = len(lengths[names[0]])
    adverb = "" if which == "length" else f" {which}"
    length = f"{_AT_LEAST * material.is_part}{first[1]} in {n_lines} {'line' if n_lines == 1 else 'lines'}"
    text = f"{person(first[0])} spoke{adverb}{about}{',' if adverb else ''} for {length}"
    text += f"; {listed([f'{person(line)} for {length}' for line, length in others])}." if others else "."
    return _claim(f"{text} {wording.said(first[0])}", material, [longest[name] for name in names])


def _claim(text: str, material: Material, lines: Iterable[LineRow]) -> Claim:
    shown = sorted({line.id: line for line in lines}.values(), key=lambda line: (line.session, line.start_ns, line.id))
    support = max((entry.support for entry in material.found), default=_SUPPORT)
    heard = min(_SUREST, 0.5 + 0.5 * sum(line.confidence for line in shown) / len(shown))
    return Claim(text, support * heard * (_SURE_OF_PART if material.is_part else 1.0), tuple(Evidence.of(line) for line in shown))
