"""Talkers of one microphone into people."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.speech.talker_groups import HeardTalker, grouped


def _voices(n_people: int, n_each: int, spread: float, seed: int = 1) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    people = generator.standard_normal((n_people, 192))
    voices = [people[place % n_people] + spread * generator.standard_normal(192) for place in range(n_people * n_each)]
    return [(voice / np.linalg.norm(voice)).astype(np.float32) for voice in voices]


def test_like_voices_are_one_person_and_numbered_by_who_comes_first() -> None:
    talkers = [HeardTalker(voice, 2.0) for voice in _voices(3, 4, 0.5)]
    assert grouped(talkers, ()) == [0, 1, 2] * 4


def test_who_speaks_at_once_is_never_one_however_like() -> None:
    one = _voices(1, 3, 0.1)
    talkers = [HeardTalker(voice, 2.0) for voice in one]
    labels = grouped(talkers, {(0, 1)})
    assert labels[0] != labels[1]
    assert labels[2] in labels[:2]


def test_a_short_talker_joins_the_likest_who_may_take_them() -> None:
    voices = _voices(2, 2, 0.4)
    talkers = [HeardTalker(voices[0], 3.0), HeardTalker(voices[1], 3.0), HeardTalker(voices[2], 0.1)]
    assert grouped(talkers, ()) == [0, 1, 0]
    assert grouped(talkers, {(0, 2)}) == [0, 1, 1]
    assert grouped(talkers, {(0, 2), (1, 2)}) == [0, 1, 2]


def test_without_a_voice_nobody_can_tell() -> None:
    voice = _voices(1, 1, 0.0)[0]
    assert grouped([HeardTalker(None, 3.0), HeardTalker(voice, 1.0)], ()) == [None, 0]
    assert grouped([], ()) == []


def test_a_day_of_talkers_is_grouped_in_seconds() -> None:
    talkers = [HeardTalker(voice, 1.0 + place % 7) for place, voice in enumerate(_voices(8, 400, 0.8))]
    began = time.process_time()
    labels = grouped(talkers, ())
    assert time.process_time() - began < 60
    assert all(len({labels[place] for place in range(person, len(talkers), 8)}) == 1 for person in range(8))
    assert len(set(labels)) == 8


@settings(max_examples=40, deadline=None)
@given(
    seconds=st.lists(st.floats(0, 5), min_size=1, max_size=12),
    pairs=st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=12),
    spread=st.floats(0, 2),
)
def test_forbidden_pairs_stay_apart_and_everybody_with_a_voice_has_a_group(
    seconds: list[float], pairs: set[tuple[int, int]], spread: float
) -> None:
    voices = _voices(3, 4, spread)
    talkers = [HeardTalker(voice, spoken_s) for voice, spoken_s in zip(voices, seconds, strict=False)]
    labels = grouped(talkers, pairs)
    assert all(label is not None for label in labels)
    for one, other in pairs:
        if one != other and max(one, other) < len(talkers):
            assert labels[one] != labels[other]
    assert sorted({label for label in labels if label is not None}) == list(range(len(set(labels))))
