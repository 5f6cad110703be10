"""The measure of stretches with vectors given by hand: the first axis is the asked topic, the others are something else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.memory.rows import LineRow
from stages.recall.question import parse
from stages.recall.topic_support import Judged, asked_topic, judged, phrase, topic_of
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.test_scope import MOMENTS


def _vector(of_topic: float, axis: int = 1) -> Float32Array:
    """A unit vector of some likeness with the topic, the rest on an axis of its own."""
    vector = np.zeros(40, dtype=np.float32)
    vector[0], vector[axis] = of_topic, np.sqrt(1.0 - of_topic**2)
    return vector


def _talk(
    cosines: Sequence[float], first_axis: int = 1, *, text: str = "so we went on with it", gap_s: float = 4.0
) -> tuple[list[LineRow], Float32Array]:
    """Lines of two who take turns, as like the topic as the cosines say, and like nothing else."""
    lines = [line_row(text, place * gap_s, track=f"t{first_axis + place % 2}", event=f"e{first_axis}") for place in range(len(cosines))]
    return lines, np.stack([_vector(cosine, first_axis + place) for place, cosine in enumerate(cosines)])


def _judged(*talks: tuple[list[LineRow], Float32Array], topic: str = "the dentist") -> list[Judged]:
    return judged(topic_of(topic, _vector(1.0)), [lines for lines, _ in talks], [vectors for _, vectors in talks])


def _best(stretch: Judged) -> float:
    return float(stretch.support.max())


def test_a_stretch_that_is_like_the_topic_supports_and_another_does_not() -> None:
    near, far = _judged(_talk([0.6, 0.5, 0.1, 0.5]), _talk([0.1, 0.2, 0.1, 0.1], 20))
    assert _best(near) > 0.9
    assert _best(far) < 0.05


def test_one_line_by_chance_is_no_talk_about_it() -> None:
    (lone,) = _judged(_talk([0.0, 0.05, 0.35, 0.0, 0.05, 0.0]))
    (talk,) = _judged(_talk([0.3, 0.35, 0.35, 0.3, 0.3, 0.35]))
    assert _best(lone) < 0.5 < _best(talk)


def test_a_word_of_the_topic_that_was_said_adds_to_it() -> None:
    cosines = [0.25, 0.25, 0.25, 0.25]
    (silent,) = _judged(_talk(cosines))
    (said,) = _judged(_talk(cosines, text="the dentist again"))
    assert _best(said) > _best(silent)


def test_a_talk_counts_for_less_where_another_is_nearer_to_the_topic() -> None:
    weak = _talk([0.3, 0.3, 0.3, 0.3], 20)
    (alone,) = _judged(weak)
    _, beside = _judged(_talk([0.7, 0.7, 0.7, 0.7]), weak)
    assert _best(beside) < 0.1 * _best(alone)


def test_the_peak_is_taken_among_the_allowed_lines() -> None:
    (stretch,) = _judged(_talk([0.7, 0.6, 0.1, 0.1, 0.1, 0.1]))
    assert stretch.peak([True] * 6) in {0, 1}
    assert stretch.peak([False] * 5 + [True]) == 5
    assert stretch.peak([False] * 6) is None


def test_a_run_bridges_a_remark_and_ends_where_something_else_begins() -> None:
    (stretch,) = _judged(_talk([0.6, 0.05, 0.6, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0]))
    first, last = stretch.run(2, 0.75)
    assert first == 0
    assert 3 <= last <= 4


def test_a_run_ends_at_a_long_silence() -> None:
    (stretch,) = _judged(_talk([0.6, 0.6, 0.6], gap_s=90.0))
    assert stretch.run(1, 0.75) == (1, 1)


def test_a_stretch_nearer_to_the_words_without_those_that_are_missing_is_about_something_else() -> None:
    vectors = {phrase("wedding ring"): _vector(0.4), phrase("wedding"): _vector(0.6)}

    def encode(texts: Sequence[str]) -> Float32Array:
        return np.stack([vectors[text] for text in texts])

    topic = topic_of("the wedding ring", _vector(1.0))
    (stretch,) = _judged(_talk([0.4, 0.4, 0.4, 0.4], text="the wedding is in June"), topic=" ".join(topic.words))
    place = stretch.peak([True] * 4)
    assert place is not None
    assert stretch.support_with_missing(place, topic, encode) < float(stretch.support[place])
    vectors[phrase("wedding")] = _vector(0.3)
    assert stretch.support_with_missing(place, topic, encode) == pytest.approx(float(stretch.support[place]))


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("What did they say about the day in court?", "the day in court"),
        ("Who talked about the big day of my sister, and where in the room?", "the big day of my sister"),
        ("Who talked about the bees and where?", "the bees"),
        ("Did anybody mention the pet that ran away?", "the pet that ran away"),
        ("What did they say about the roof in the last hour?", "the roof"),
        ("When was there a conversation on bread?", "bread"),
    ],
)
def test_the_asked_topic_keeps_its_small_words(text: str, topic: str) -> None:
    assert asked_topic(parse(text, MOMENTS)) == topic
