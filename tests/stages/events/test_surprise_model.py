from __future__ import annotations

import numpy as np
import pytest

from stages.events.modularity import best_split
from stages.events.surprise_model import USUAL_TOPIC_NATS, SurpriseModel
from tests.stages.events.talks import spoken_line

EAST, NORTH, UP = np.eye(3, dtype=np.float32)


def test_what_was_foreseen_surprises_less() -> None:
    model = SurpriseModel()
    assert model.take(spoken_line("0", "a", 0, 1, EAST)) is None
    for number in range(1, 8):
        again = model.take(spoken_line(f"{number}", "a", number * 2, number * 2 + 1, EAST))
    other = model.take(spoken_line("8", "a", 16, 17, NORTH))
    assert again is not None
    assert other is not None
    assert 0.0 <= again.topic < 1.5 < 4.0 < other.topic


def test_a_long_silence_surprises_and_says_how_long() -> None:
    model = SurpriseModel()
    model.take(spoken_line("0", "a", 0, 1, EAST))
    short = model.take(spoken_line("1", "a", 1.5, 2, EAST))
    long = model.take(spoken_line("2", "a", 8, 9, EAST))
    assert short is not None
    assert long is not None
    assert short.silence < 0.5 < 2.0 < long.silence
    assert long.pause_s == pytest.approx(6.0)


def test_somebody_new_surprises_once_a_conversation_is_under_way() -> None:
    model = SurpriseModel()
    for number in range(8):
        model.take(spoken_line(f"{number}", f"t{number % 2}", number, number + 0.9, EAST))
    joined = model.take(spoken_line("8", "t9", 8, 8.9, EAST))
    known = model.take(spoken_line("9", "t0", 9, 9.9, EAST))
    assert joined is not None
    assert known is not None
    assert joined.joined
    assert joined.people == pytest.approx(np.log(9))
    assert known.people == 0.0


def test_a_word_says_less_about_the_topic_than_a_sentence() -> None:
    found = []
    for text in ("Oh.", "a whole sentence about it"):
        model = SurpriseModel()
        for number in range(6):
            model.take(spoken_line(f"{number}", "a", number, number + 0.9, EAST))
        surprise = model.take(spoken_line("6", "a", 6, 6.9, UP, text))
        assert surprise is not None
        found.append(surprise.topic)
    assert found[0] < found[1]
    assert abs(found[0] - USUAL_TOPIC_NATS) < 2.5


def test_the_split_with_the_most_alike_sides_wins() -> None:
    lines = [EAST, EAST, EAST, NORTH, NORTH, NORTH]
    assert best_split(lines, range(1, 6)) == 3
    assert best_split(lines, [4, 5]) == 4
    assert best_split(lines, []) is None
    assert best_split([EAST], [0, 1]) is None
    # The place at home is left for a clearly better one only.
    assert best_split(lines, range(1, 6), home=5) == 3
    assert best_split([EAST, EAST, EAST * 0.9 + NORTH * 0.44, NORTH, NORTH], [2, 3], home=3) == 3
    # Where nothing is alike, the first place wins.
    assert best_split([EAST, NORTH, UP], [1, 2]) == 1
