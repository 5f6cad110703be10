"""Reading whether stretches of talk are about a topic, where likeness and words leave that in doubt.

How the two are weighed is fitted by `python -m tools.fit_topic_reading`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from stages.recall.encoder_fits import ReadingFit, topic_reading_fit
from stages.recall.reader import Reader, whether_about
from stages.recall.topic_support import Judged

WEIGHED = ("support", "reader")
"""What the regression weighs: log-odds, both."""
MOST_READ = 2
"""Stretches for one question: each takes as long as reading two lines."""
_SURE = 1e-4
REACH = 2
"""Lines to each side of one that are read with it."""
_AROUND = sorted(range(-REACH, REACH + 1), key=lambda step: (abs(step), -step))

Following = Callable[[int], int | None]
"""The place of the line around which the next stretch of a talk lies that may be about the topic; None where there is none."""


def _nothing(number: int) -> None:
    """No stretch follows."""


class TopicReading:
    """Reads stretches for one question, a few at most."""

    def __init__(self, topic: str, encoder: str, reader: Reader | None) -> None:
        self._fit = topic_reading_fit(encoder, reader.name) if reader is not None and reader.knows_topics else None
        self._reader = reader
        self._asked = whether_about(topic)
        self._left = MOST_READ
        self._scores: dict[tuple[int, int], float] = {}

    def least(self, least: float) -> float:
        """The support from which on a stretch is worth a look, where without reading it is `least`; that too where no more are read."""
        return least if self._fit is None or not self._left else min(least, float(1.0 / (1.0 + np.exp(-self._fit.doubt[0]))))

    def supports(
        self, talks: Sequence[Judged], supports: Mapping[int, float], peaks: Mapping[int, int], following: Following = _nothing
    ) -> dict[int, float]:
        """The support of stretches, 0 to 1, by the number of their talk, after reading; the same where that is not in doubt.

        `peaks` are the places of the lines around which they lie. Where one stretch alone is read, the one that its talk is asked about
        next (`following`) is read with it where it may be in doubt too: two texts take two cores as long as one takes one.
        """
        if self._fit is None or self._reader is None:
            return dict(supports)
        doubted = sorted((number for number in supports if self._fit.in_doubt(log_odds(supports[number]))), key=lambda one: -supports[one])
        read = doubted[: self._left]
        self._left -= len(read)
        if not read:
            return dict(supports)
        texts = [(number, peaks[number]) for number in read]
        place = following(read[0]) if len(read) == 1 and self._left else None
        if place is not None and self._fit.in_doubt(log_odds(float(talks[read[0]].support[place]))):
            texts.append((read[0], place))
        self._read(talks, [text for text in texts if text not in self._scores])
        scores = [self._scores[number, peaks[number]] for number in read]
        return {**supports, **dict(zip(read, _weighed(self._fit, [supports[number] for number in read], scores), strict=True))}

    def _read(self, talks: Sequence[Judged], texts: Sequence[tuple[int, int]]) -> None:
        """Read stretches, given as the numbers of their talks and the places of the lines around which they lie."""
        if self._reader is not None and texts:
            scores = self._reader.scores(self._asked, [("", told_around(talks[number], place)) for number, place in texts])
            self._scores.update(zip(texts, scores.tolist(), strict=True))


def _weighed(fit: ReadingFit, supports: Sequence[float], scores: Sequence[float]) -> list[float]:
    found = fit.log_odds(np.column_stack([[log_odds(support) for support in supports], scores]))
    return [float(share) for share in 1.0 / (1.0 + np.exp(-found))]


def log_odds(support: float) -> float:
    """The logarithm of odds of a support, which is kept a little away from 0 and 1."""
    sure = min(max(support, _SURE), 1.0 - _SURE)
    return float(np.log(sure / (1.0 - sure)))


def told_around(stretch: Judged, place: int) -> str:
    """What was said around a line, what is nearest to it first: of a long text the reader reads the beginning."""
    return nearest_first([line.text for line in stretch.lines], place)


def nearest_first(texts: Sequence[str], place: int) -> str:
    """The text at a place and `REACH` to each side of it, the nearest first."""
    places = (place + step for step in _AROUND)
    return " ".join(texts[near] for near in places if 0 <= near < len(texts))
