"""Whether a line holds what a question asks: the measure that decides between an answer and an honest refusal.

Calibrated on small rooms of text with all-MiniLM-L6-v2 (tests/stages/recall/rooms.yaml); a held-out room checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import exp

from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.asked_kind import AskedKind, asked_kind, holds_kind
from stages.recall.question import Question
from stages.recall.terms import coverage, has_amount, has_number, holds, stems

THRESHOLD = 0.5
"""Support below this is no answer."""

# How like the question a line must be, by how many of the question's words stand in the line and its neighbours.
_NEED_ALL = 0.34
_NEED_ALL_AFAR = 0.42
_NEED_PER_MISSING = 0.1
_NEED_ALL_OF_SPEAKER = 0.2
_NEED_SOME = 0.45
_NEED_NONE_SPEECH = 0.36
_NEED_NONE_FACT = 0.58
_NEED_EXTRA_NO_NUMBER = 0.14
_NEED_EXTRA_BESIDE = 0.05
_CENTRE_BONUS = 0.03
_SURE = 0.65
_MOST_LOSS = 0.03
_SOFTNESS = 0.06

# A line that holds the kind of thing asked for, in other words than the question's: chosen from a grid on generated rooms of seeds
# 1 to 60 (`python -m tools.recall_rooms_text`), with kinds of time and person that were wider than those of asked_kind.py now.
_CENTRE_SHARE = 0.5
_WHOLE_SHARE = 0.2
_NEED_KIND = 0.62
# What a talker said within a conversation that is about the topic: set by hand, tried on the same rooms, not searched for.
_MOST_TOPIC = 0.5
_NEED_CENTRE = 0.42
_OF_SPEAKER = 0.55

Likeness = Callable[[str, LineRow], float]
"""The cosine of a text with a line."""


class Judge:
    """Tells how well lines support an answer to one question.

    `cosines` are the likeness of lines with the question by id, `centres` that of the stretches they stand in, both empty without
    an encoder; `likeness` measures another wording of it.
    """

    def __init__(self, question: Question, cosines: Mapping[str, float], centres: Mapping[str, float], likeness: Likeness | None) -> None:
        self._question = question
        self._cosines = cosines
        self._centres = centres
        self._likeness = likeness
        self._kind = None if question.about_speech else asked_kind(question.text)
        self._stems: dict[str, frozenset[str]] = {}

    def support(self, line: LineRow, context: Sequence[LineRow], stretch: Sequence[LineRow] = ()) -> float:
        """0 to 1; at least THRESHOLD for a line that answers.

        `context` are its neighbours in its conversation, itself among them; `stretch` is the whole stretch that it stands in.
        """
        terms = self._question.terms
        around = frozenset[str]().union(*(self._stems_of(other) for other in context))
        own, near = coverage(terms, self._stems_of(line)), coverage(terms, around)
        # Whether Anna mentioned Ben is told by her own words, whoever else named him.
        of_talker = self._question.intent == "did_anybody" and self._question.speaker is not None
        if not all(holds(name, self._stems_of(line) if of_talker else around) for name in self._question.names):
            return 0.0
        if not self._cosines:
            return _by_words(own, near) if self._lacks_number(line, context) < _NEED_EXTRA_NO_NUMBER else 0.0
        cosine = self._cosines.get(line.id, 0.0)
        whole = max(near, coverage(terms, frozenset[str]().union(*(self._stems_of(other) for other in stretch)))) if stretch else near
        need = self._need(line, own, near, whole)
        need += self._lacks_number(line, context)
        if whole == 0.0 and self._question.about_speech:
            # Nobody said the word: the whole stretch has to be about it, not one line.
            cosine = max(cosine, (cosine + self._centres.get(line.id, 0.0)) / 2 + _CENTRE_BONUS)
        support = 1.0 / (1.0 + exp(-(cosine - need) / _SOFTNESS))
        if self._question.about_speech and near == 1.0 and own > 0:
            # The very words were said here, which is all that such a question asks.
            support = max(support, 0.6 + 0.2 * own)
        if self._question.about_speech and self._question.speaker is not None and terms:
            about = whole == 1.0 or (whole >= _MOST_TOPIC and self._centres.get(line.id, 0.0) >= _NEED_CENTRE)
            support = max(support, _OF_SPEAKER) if about and not line.text.rstrip().endswith("?") else support
        return support

    def support_by_kind(self, line: LineRow, context: Sequence[LineRow], stretch: Sequence[LineRow]) -> float:
        """0 to 1: support where a line says it in other words: it holds the kind of thing asked for, and its stretch is of the topic.

        0 where the question's words do not tell the kind, or without an encoder.
        """
        if self._kind is None or not self._cosines or not holds_kind(self._kind, line.text):
            return 0.0
        around = frozenset[str]().union(*(self._stems_of(other) for other in (*context, *stretch)))
        if not all(holds(name, around) for name in self._question.names):
            return 0.0
        likeness = self._cosines.get(line.id, 0.0) + _CENTRE_SHARE * self._centres.get(line.id, 0.0)
        likeness += _WHOLE_SHARE * coverage(self._question.terms, around)
        return 1.0 / (1.0 + exp(-(likeness - _NEED_KIND) / _SOFTNESS))

    def has_wanted_kind(self, line: LineRow) -> bool:
        """Whether the line has the kind of thing that the question asks for; no where its words do not tell the kind."""
        return self._has_wanted_number(line) or (self._kind is not None and holds_kind(self._kind, line.text))

    def _has_wanted_number(self, line: LineRow) -> bool:
        fits = self._number()
        return fits is not None and fits(line.text)

    def _number(self) -> Callable[[str], bool] | None:
        return has_amount if self._question.wants_amount else has_number if self._question.wants_time else None

    def _lacks_number(self, line: LineRow, context: Sequence[LineRow]) -> float:
        """How much more like the question a line must be because the number, time or name asked for is not in it, nor beside it."""
        fits = self._number()
        if fits is None and self._kind in {AskedKind.AMOUNT, AskedKind.TIME, AskedKind.NAME, AskedKind.COLOUR}:
            fits = partial(holds_kind, self._kind)
        if fits is None or fits(line.text):
            return 0.0
        return _NEED_EXTRA_BESIDE if any(fits(other.text) for other in context) else _NEED_EXTRA_NO_NUMBER

    def _need(self, line: LineRow, own: float, near: float, whole: float) -> float:
        if own == 1.0 and self._question.speaker is not None:
            return _NEED_ALL_OF_SPEAKER
        if near == 1.0:
            return _NEED_ALL if own > 0 or not self._question.about_speech else _NEED_NONE_SPEECH
        if whole == 1.0 and own > 0:
            return _NEED_ALL_AFAR + _NEED_PER_MISSING * (1.0 - own)
        if near == 0.0:
            return _NEED_NONE_SPEECH if self._question.about_speech else _NEED_NONE_FACT
        if self._cosines.get(line.id, 0.0) < _NEED_SOME:
            return _NEED_SOME
        return _SURE if self._loses_by_missing_words(line) else _NEED_SOME

    def _loses_by_missing_words(self, line: LineRow) -> bool:
        """Whether the question is more like the line without the words that the line does not have: then it asks for something else."""
        if self._likeness is None:
            return True
        said = self._stems_of(line)
        words = self._question.gist.split()
        kept = [word for word in words if holds(next(iter(stems(word)), word), said)]
        if not kept:
            return False
        return self._likeness(" ".join(kept), line) - self._cosines.get(line.id, 0.0) > _MOST_LOSS

    def _stems_of(self, line: LineRow) -> frozenset[str]:
        if line.id not in self._stems:
            self._stems[line.id] = stems(f"{line.text} {speaker_of(line)}")
        return self._stems[line.id]


def _by_words(own: float, near: float) -> float:
    """Support as far as words alone can tell."""
    if own == 0.0:
        return 0.1 * near
    return 0.6 + 0.3 * own if near == 1.0 else 0.45 * near
