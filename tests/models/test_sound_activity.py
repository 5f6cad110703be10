"""When sounds begin and end, from made-up scores."""

from __future__ import annotations

import numpy as np
import pytest

from models.direction_histogram import DirectionHistogram
from models.sound_activity import UNKNOWN, Activity, SoundActivity, Step
from models.sound_families import SPEECH, SoundFamilies
from models.weights import path_of
from models.yamnet import class_names

pytestmark = pytest.mark.usefixtures("weights")


@pytest.fixture(scope="module")
def families() -> SoundFamilies:
    return SoundFamilies(class_names(path_of("yamnet/class_map.csv")))


class Room:
    """Steps with the scores of some classes, and what they made."""

    def __init__(self, families: SoundFamilies, pause_steps: int = 3, longest_steps: int = 50) -> None:
        self.families = families
        self.activity = SoundActivity(families, 0.35, -50.0, 15.0, pause_steps, longest_steps)
        self.found: list[Activity] = []

    def quiet(self) -> Room:
        """Four steps of quiet, so that it is known what is usual; steps are counted from their end."""
        self.hear(4, -60.0)
        self.activity._at = 0
        return self

    def hear(self, n_steps: int, level_dbfs: float = -30.0, **scores: float) -> Room:
        vector = np.full(521, 0.01, dtype=np.float32)
        for name, score in scores.items():
            vector[self.families.names.index(name.replace("_", " "))] = score
        embedding = np.ones(1024, dtype=np.float32)
        for _ in range(n_steps):
            self.found += self.activity.push(Step(vector, embedding, level_dbfs, DirectionHistogram()))
        return self

    def told(self) -> list[tuple[str, int, int]]:
        self.found += self.activity.finish()
        names = self.families.names
        return [(names[a.label] if a.label != UNKNOWN else "?", a.first, a.last) for a in self.found]


def test_what_is_always_there_is_no_sound_and_what_begins_is(families: SoundFamilies) -> None:
    assert Room(families).hear(20, Hair_dryer=0.5).told() == []
    assert Room(families).hear(20, Hair_dryer=0.7).told() == [("Hair dryer", 0, 19)]
    assert Room(families).hear(4, -40.0).hear(20, -30.0, Hair_dryer=0.5).told() == [("Hair dryer", 4, 23)]


def test_a_sound_goes_on_while_it_has_half_of_what_it_needed_to_begin(families: SoundFamilies) -> None:
    room = Room(families).hear(4, -60.0).hear(2, Door=0.3).hear(3, Door=0.4).hear(2, Door=0.2).hear(6)
    assert room.told() == [("Door", 6, 10)]


def test_a_short_pause_does_not_end_it_and_a_long_one_does(families: SoundFamilies) -> None:
    assert Room(families).hear(2, Ringtone=0.8).hear(2, -60.0).hear(2, Ringtone=0.8).hear(5).told() == [("Ringtone", 0, 5)]
    assert Room(families).hear(2, Ringtone=0.8).hear(3, -60.0).hear(2, Ringtone=0.8).hear(5).told() == [
        ("Ringtone", 0, 1),
        ("Ringtone", 5, 6),
    ]


def test_the_closest_name_that_fits_nearly_as_well_is_the_label(families: SoundFamilies) -> None:
    assert Room(families).hear(3, Alarm=0.9, Telephone=0.85, Ringtone=0.7).told()[0][0] == "Ringtone"
    assert Room(families).hear(3, Alarm=0.9, Telephone=0.85, Ringtone=0.3).told()[0][0] == "Telephone"
    assert Room(families).hear(3, Music=0.9, Guitar=0.3).told()[0][0] == "Music"


def test_two_sounds_at_once_are_two_and_a_likeness_is_none(families: SoundFamilies) -> None:
    assert {label for label, _, _ in Room(families).hear(4, Laughter=0.8, Music=0.7).told()} == {"Laughter", "Music"}
    assert Room(families).quiet().hear(1, Laughter=0.8).hear(4, Laughter=0.8, Bell=0.42).told() == [("Laughter", 0, 4)]


def test_a_long_sound_is_told_in_pieces_that_follow_each_other(families: SoundFamilies) -> None:
    told = Room(families, longest_steps=10).hear(25, Music=0.9).told()
    assert told == [("Music", 0, 9), ("Music", 10, 19), ("Music", 20, 24)]


def test_speech_is_no_sound_and_raises_the_bar_for_others(families: SoundFamilies) -> None:
    for name in SPEECH:
        vector = {name: 1.0}
        assert Room(families).hear(10, **vector).told() == []
    assert Room(families).hear(5, Speech=0.9, Cough=0.5).told() == []
    assert Room(families).hear(5, Speech=0.9, Cough=0.7).told() == [("Cough", 0, 4)]


def test_what_is_loud_and_fits_no_class_is_unknown(families: SoundFamilies) -> None:
    assert Room(families).hear(8, -60.0).hear(2, -25.0).hear(8, -60.0).told() == [("?", 8, 9)]
    # not where it is no louder than usual, too quiet, or the first thing of all
    assert Room(families).hear(20, -25.0).told() == []
    assert Room(families).hear(8, -90.0).hear(2, -55.0).hear(8, -90.0).told() == []
    assert Room(families).hear(2, -25.0).hear(8, -60.0).told() == []


def test_the_edge_of_speech_or_of_a_known_sound_is_not_unknown(families: SoundFamilies) -> None:
    assert Room(families).hear(8, -60.0).hear(1, -25.0).hear(3, -25.0, Speech=0.9).hear(1, -25.0).hear(8, -60.0).told() == []
    known = Room(families).hear(8, -60.0).hear(1, -25.0).hear(3, -25.0, Bell=0.9).hear(1, -25.0).hear(8, -60.0).told()
    assert [label for label, _, _ in known] == ["Bell"]


def test_hardly_anything_is_nothing_whatever_the_scores_say(families: SoundFamilies) -> None:
    assert Room(families).hear(10, -70.0, Door=0.9).told() == []


def test_nothing_that_is_to_come_ends_before_it_says(families: SoundFamilies) -> None:
    room = Room(families)
    generator = np.random.default_rng(3)
    promised = 0
    for _ in range(400):
        n_before = len(room.found)
        room.hear(1, float(generator.uniform(-60, -20)), Door=float(generator.uniform(0, 0.8)), Music=float(generator.uniform(0, 0.6)))
        assert all(activity.last >= promised for activity in room.found[n_before:])
        promised = room.activity.earliest_end
        assert room.activity.earliest_begin <= promised
        assert len(room.activity._open) <= 3
    assert len(room.found) > 20
