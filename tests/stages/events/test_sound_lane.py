from __future__ import annotations

import math

import pytest

from models.weights import path_of
from models.yamnet import class_names
from stages.events.sound_lane import OF_TALK, SoundLane


def after(n_lines: int, *before: str) -> SoundLane:
    """A lane that has heard lines, with sounds before the last of them."""
    lane = SoundLane()
    for number in range(n_lines):
        for label in before if number == n_lines - 1 else ():
            lane.hear(label)
        lane.take()
    return lane


def test_a_sound_that_was_not_heard_lately_surprises_and_one_that_was_does_less() -> None:
    lane = after(12, "Door")
    for label in ("Door", "Telephone"):
        lane.hear(label)
    assert lane.take() == (math.log(14), "Telephone")
    lane.hear("Door")
    assert lane.take() == (math.log(15 / 3), "Door")
    assert lane.take() == (0.0, "")


def test_no_sound_surprises_while_a_conversation_begins() -> None:
    lane = after(5)
    lane.hear("Door")
    assert lane.take() == (0.0, "")


def test_what_people_do_as_they_talk_tells_nothing() -> None:
    lane = after(12)
    for label in sorted(OF_TALK):
        lane.hear(label)
    assert lane.take() == (0.0, "")


@pytest.mark.usefixtures("weights")
def test_what_people_do_as_they_talk_are_names_of_classes() -> None:
    assert set(class_names(path_of("yamnet/class_map.csv"))) >= OF_TALK
