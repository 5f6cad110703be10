"""Families of AudioSet's classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.sound_families import IGNORED, SPEECH, SoundFamilies, SoundFamilyError
from models.weights import path_of
from models.yamnet import class_names


@pytest.fixture(scope="module")
def names(weights: Path) -> tuple[str, ...]:
    assert weights.is_dir()
    return class_names(path_of("yamnet/class_map.csv"))


def test_names_of_one_sound_are_one_family_and_the_general_ones_stand_back(names: tuple[str, ...]) -> None:
    families = SoundFamilies(names)
    family = dict(zip(names, families.family, strict=True))
    general = dict(zip(names, families.general, strict=True))
    assert family["Alarm"] == family["Telephone"] == family["Ringtone"] == family["Smoke detector, smoke alarm"] == family["Beep, bleep"]
    assert family["Door"] == family["Slam"] == family["Knock"] != family["Doorbell"]
    assert family["Laughter"] == family["Giggle"]
    assert family["Music"] == family["Piano"] != family["Bell"]
    assert general["Ringtone"] < general["Telephone"] < general["Alarm"] < general["Beep, bleep"]
    assert general["Slam"] < general["Door"]


def test_talk_rooms_and_noise_belong_nowhere(names: tuple[str, ...]) -> None:
    families = SoundFamilies(names)
    left_out = {name for name, number in zip(names, families.family, strict=True) if number < 0}
    assert left_out == set(IGNORED)
    assert set(SPEECH) <= left_out
    assert [names[place] for place in families.speech] == list(SPEECH)
    assert "Silence" in left_out
    assert not left_out & {"Door", "Telephone", "Laughter", "Alarm", "Music", "Dog", "Cough"}


def test_a_name_that_is_no_class_is_refused_with_the_nearest(names: tuple[str, ...]) -> None:
    with pytest.raises(SoundFamilyError, match=r"'Laughing' is no class of sounds; did you mean .*'Laughter'"):
        SoundFamilies(names, ["Laughing"])
    with pytest.raises(SoundFamilyError, match="'qqq' is no class of sounds; the class map of YAMNet lists them"):
        SoundFamilies(names, ["qqq"])
