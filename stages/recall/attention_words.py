"""How an answer says by which attention it goes: what was declared, what the question says, or the asker's own voice."""

from __future__ import annotations

from collections.abc import Sequence

from stages.answer.wording import Wording, bearing, bearings, listed
from stages.memory.attention.attention_row import Attention
from stages.recall.answers import Stretch, mean_azimuth, speaker_of
from stages.recall.gaps import Span
from stages.recall.own_voice import is_mine

_MOST_TOLD = 3
REST_IS_UNKNOWN = "What you followed in the rest of that time is not known, so it is left out."


def declared_note(declared: Sequence[tuple[Attention, Span]], wording: Wording) -> str:
    """What had been declared of which stretches of session time."""
    spans: dict[Attention, list[Span]] = {}
    for attention, span in declared:
        spans.setdefault(attention, []).append(span)
    parts = [f"that {_inside(attention.told, (), own, wording)}" for attention, own in list(spans.items())[:_MOST_TOLD]]
    if len(spans) > _MOST_TOLD:
        parts.append(f"{len(spans) - _MOST_TOLD} more")
    return f"You had declared {listed(parts)}."


def voice_note(followed: Sequence[Stretch]) -> str:
    """Whom the asker talked with, by their own voice."""
    return f"Judging by your own voice, {voice_says(followed)}."


def voice_says(followed: Sequence[Stretch]) -> str:
    """As part of a sentence: "you talked with Bob (75 degrees)"."""
    others: dict[str, list[float]] = {}
    lines = [line for stretch in followed for line in stretch.lines if not is_mine(line)]
    for line in lines:
        others.setdefault(speaker_of(line), [])
    names = []
    for name in others:
        azimuth = mean_azimuth(line for line in lines if speaker_of(line) == name)
        names.append(name if azimuth is None else f"{name} ({bearing(azimuth)})")
    return f"you talked with {listed(names)}" if names else "you were talking"


def question_note(phrase: str, declared: Sequence[tuple[Attention, Span]], wording: Wording, *, agrees: bool) -> str:
    """That the question's own words count, and what had been declared besides."""
    said = f'As you said, you followed "{phrase}"'
    if not declared:
        return f"{said}."
    if agrees:
        return f"{said}; you had declared it too."
    return f"{said}. {declared_note(declared, wording)[:-1]}: your question goes before that."


def not_certain(phrase: str) -> str:
    """A talk may be about what was followed, or may not."""
    return f'It is not certain that "{phrase}" was heard; this goes by the talk that is likeliest to be it.'


def opening(says: str, followed: Sequence[Stretch], spans: Sequence[Span], wording: Wording) -> str:
    """How a claim on what was missed meanwhile begins: "While you followed Anna (30 degrees, 0:05-0:40), "."""
    return f"While {_inside(says, followed, spans, wording)}, "


def nothing_missed(says: str, spans: Sequence[Span], wording: Wording) -> str:
    """Nothing was said in a time in which nothing, or nothing that was heard, was followed."""
    return f"Nothing else was heard while {_inside(says, (), spans, wording)}."


def not_heard(says: str) -> str:
    """What was declared to be followed was not heard at all in its time."""
    return f"When {says}, nothing that fits was heard, so everything that was heard then counts as missed."


def other_absence(phrase: str) -> str:
    """The absences that there are have other reasons than the question says."""
    return f'No absence was declared as "{phrase}"; this goes by the ones that were declared.'


def _inside(says: str, followed: Sequence[Stretch], spans: Sequence[Span], wording: Wording) -> str:
    """What was followed, with where and when in brackets, in those that it ends with if it has some."""
    where = bearings(followed)
    when = listed([wording.span(*span) for span in spans[:_MOST_TOLD]]) + (" and later" if len(spans) > _MOST_TOLD else "")
    inside = f"{where}, {when}" if where else when
    return f"{says[:-1]}, {inside})" if says.endswith(")") else f"{says} ({inside})"
