"""What the reader learns from talks written out by hand: their questions, corrections and topics, of which a third are right."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.packets import Float32Array
from stages.recall.reader import whether_about, whether_taken_back
from stages.recall.reading import last_question
from stages.recall.topic_reading import REACH, nearest_first
from tools.reader_lessons import Read
from tools.written_talks import Asked, WrittenTalk

_ALIKE = 4
_P_ALIKE = 0.8
_P_OF_ANOTHER_TALK = 0.4
_P_LEFT_OUT = 0.2
_SAYS_ENOUGH = 5
_LATER = 2

Encode = Callable[[Sequence[str]], Float32Array]


class TalkLessons:
    """Rounds of the questions of some talks. The same round comes out the same.

    A question stands with a line that answers it and with one of the four others of its talk that are most like it by their vectors,
    and sometimes with such a line of another talk; one that nothing answers, with a line that only seems to. A correction stands with
    what it takes back and with other lines, a name of a topic with the stretch of five lines that is most like it.
    """

    def __init__(self, talks: Sequence[WrittenTalk], encode: Encode) -> None:
        """`encode` makes vectors of unit length, float32, shape (texts, dimension)."""
        self._talks = talks
        lines = [encode([text for *_, text in talk.lines]) for talk in talks]
        self._alike: dict[tuple[str, str], list[int]] = {}
        self._elsewhere: dict[tuple[str, str], list[tuple[WrittenTalk, int]]] = {}
        self._stretches: dict[tuple[str, str], str] = {}
        of_line = [(talk, number) for talk in talks for number, *_ in talk.lines]
        every = np.concatenate(lines)
        for talk, own in zip(talks, lines, strict=True):
            for asked, vector in zip(talk.asked, encode([asked.q for asked in talk.asked]), strict=True):
                order = [int(place) + 1 for place in np.argsort(-(own @ vector), kind="stable")]
                self._alike[talk.name, asked.q] = [number for number in order if number not in asked.a][:_ALIKE]
                others = [of_line[place] for place in np.argsort(-(every @ vector), kind="stable")[: 8 * _ALIKE]]
                self._elsewhere[talk.name, asked.q] = [one for one in others if one[0] is not talk][:_ALIKE]
            names = (*talk.about, *talk.not_about)
            for name, vector in zip(names, encode(names), strict=True):
                self._stretches[talk.name, name] = _nearest_stretch(talk, own @ vector)

    def round(self, number: int) -> tuple[list[Read], list[bool]]:
        """What is read in one round, and whether it is so."""
        draw = random.Random(number)
        found: list[tuple[Read, bool]] = []
        for talk in self._talks:
            for asked in talk.asked:
                found += self._of_question(talk, asked, draw)
            found += _of_corrections(talk, draw)
            found += [((whether_about(name), "", self._stretches[talk.name, name]), True) for name in talk.about]
            found += [((whether_about(name), "", self._stretches[talk.name, name]), False) for name in talk.not_about]
        return [read for read, _ in found], [is_right for _, is_right in found]

    def _of_question(self, talk: WrittenTalk, asked: Asked, draw: random.Random) -> list[tuple[Read, bool]]:
        lines = [(talk, draw.choice(asked.a), True)] if asked.a else [(talk, draw.choice(asked.near), False)]
        alike = self._alike[talk.name, asked.q]
        if asked.a and alike and draw.random() < _P_ALIKE:
            lines.append((talk, draw.choice(alike), False))
        elsewhere = self._elsewhere[talk.name, asked.q]
        if asked.a and elsewhere and draw.random() < _P_OF_ANOTHER_TALK:
            lines.append((*draw.choice(elsewhere), False))
        return [((asked.q, _asked_before(of_talk, number, draw), of_talk.text(number)), is_right) for of_talk, number, is_right in lines]


def _asked_before(talk: WrittenTalk, number: int, draw: random.Random) -> str:
    """What was asked right before a line; now and then left out where the line says enough by itself."""
    before = last_question(talk.text(number - 1)) if number > 1 else ""
    return "" if len(talk.text(number).split()) >= _SAYS_ENOUGH and draw.random() < _P_LEFT_OUT else before


def _of_corrections(talk: WrittenTalk, draw: random.Random) -> list[tuple[Read, bool]]:
    """Every line that is taken back with what does so, and with lines that do not; and others with that."""
    found = []
    for number, later in talk.taken_back:
        line = whether_taken_back(talk.text(number))
        found.append(((line, "", talk.text(later)), True))
        corrected = {one for one, other in talk.taken_back if other == later}
        taking = {other for one, other in talk.taken_back if one == number}
        afterwards = [one for one, *_ in talk.lines if one > number and one not in taking]
        found += [((line, "", talk.text(one)), False) for one in draw.sample(afterwards, min(_LATER, len(afterwards)))]
        before = [one for one, *_ in talk.lines if one < later and one not in corrected]
        if before:
            found.append(((whether_taken_back(talk.text(draw.choice(before))), "", talk.text(later)), False))
    return found


def _nearest_stretch(talk: WrittenTalk, likeness: Float32Array) -> str:
    """The five lines around the one where a talk is most like a name, nearest first."""
    around = np.convolve(likeness, np.ones(2 * REACH + 1))[REACH : REACH + len(likeness)] + likeness
    return nearest_first([text for *_, text in talk.lines], int(np.argmax(around)))
