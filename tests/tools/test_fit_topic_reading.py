"""How much a reader counts where the topic of a talk is in doubt: what is read, what passes, and the level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.recall.encoder_fits import ReadingFit
from stages.recall.reader import Reader, whether_about
from stages.recall.topic_reading import MOST_READ, WEIGHED
from tools.fit_topic_reading import features, level, rates, read
from tools.topic_lessons import TopicStretch

_FIT = ReadingFit((-3.0, 3.0), WEIGHED, (0.0, 1.0), 0.5)
"""Goes by the reader alone."""


def _stretch(
    question: int, *, right: bool = False, heard: bool = True, support: float = 0.5, text: str = "We take the boat."
) -> TopicStretch:
    return TopicStretch(question, "ferry", f"ferry {question}", text, support, right, heard)


class Listed(Reader):
    """Its score is how many words a text has; it notes what it was asked."""

    name = "listed"
    knows_topics: ClassVar[bool] = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        self.asked += [(question, before, line) for before, line in lines]
        return np.array([len(line.split()) for _, line in lines], dtype=np.float32)

    def memory_bytes(self) -> int:
        return 0


def test_what_is_weighed_are_the_log_odds_of_support_and_reader() -> None:
    reader = Listed()
    rows = features([_stretch(1, support=0.5), _stretch(2, support=0.9, text="Boats.")], reader)
    assert rows == pytest.approx(np.array([[0.0, 4.0], [np.log(9.0), 1.0]]))
    assert reader.asked == [(whether_about("ferry 1"), "", "We take the boat."), (whether_about("ferry 2"), "", "Boats.")]


def test_of_a_question_the_likeliest_stretches_in_doubt_are_read() -> None:
    support = [4.0, 2.9, 1.0, -1.0, -2.0, -2.5, -4.0]
    stretches = [_stretch(1) for _ in support] + [_stretch(2)]
    rows = np.column_stack([[*support, -2.9], np.arange(8) + 10.0])
    found = read(_FIT, stretches, rows)
    likely = [11.5, 12.5, 13.5, 14.5, 15.5]
    assert len(likely) > MOST_READ
    assert found.tolist() == [4.0, *likely[:MOST_READ], *support[1 + MOST_READ :], 17.5]
    assert rows[:, 0].tolist() == [*support, -2.9]


def test_a_topic_is_found_where_its_right_stretch_passes_first_and_false_where_nobody_talked_about_it() -> None:
    heard = [(1, True), (1, False), (2, True), (2, False), (3, True), (4, False)]
    stretches = [_stretch(question, right=right) for question, right in heard]
    stretches += [_stretch(question, heard=False) for question in (5, 5, 6, 7, 8)]
    odds = np.array([1.0, 0.5, 1.0, 2.0, -0.1, 1.0, -1.0, 0.0, -1.0, -2.0, -0.5])
    assert rates(stretches, odds) == (0.25, 0.25)


def test_the_level_lets_a_share_of_the_topics_pass_that_nobody_talked_about() -> None:
    generator = np.random.default_rng(4)
    stretches = [_stretch(number, right=number % 2 == 0, heard=number % 2 == 0) for number in range(800)]
    scores = generator.normal(0.0, 1.0, 800) + [4.0 if one.heard else 0.0 for one in stretches]
    rows = np.column_stack([generator.uniform(-2.0, 2.0, 800), scores])
    fit = level(_FIT, stretches, rows, 0.03)
    found, false = rates(stretches, read(fit, stretches, rows))
    assert 0.0275 <= false <= 0.03
    assert found > 0.9
    assert (fit.doubt, fit.names, fit.weights) == (_FIT.doubt, _FIT.names, _FIT.weights)
    assert fit.intercept == round(fit.intercept, 3)
    # What is surely about the topic without reading passes whatever the level.
    rows[1, 0] = 3.5
    assert rates(stretches, read(level(_FIT, stretches, rows, 0.0), stretches, rows))[1] == 1 / 400
