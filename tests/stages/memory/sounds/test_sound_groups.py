from __future__ import annotations

import numpy as np

from stages.memory.sounds.sound_groups import LIKENESS, SoundGroup, assigned
from tests.stages.memory.made_sounds import embedding


def test_a_sound_joins_the_group_that_it_is_most_like() -> None:
    groups = [SoundGroup(3, embedding(1), 1, 5), SoundGroup(4, embedding(2), 2, 6)]
    near = embedding(2, noise=0.3)
    found = assigned(groups, near, heard_ns=9)
    assert found.joined is not None
    assert found.begun is None
    assert (found.joined.number, found.joined.n_heard, found.joined.last_heard_ns) == (4, 3, 9)
    assert found.joined.prototype @ near > groups[1].prototype @ near
    assert abs(np.linalg.norm(found.joined.prototype) - 1.0) < 1e-6


def test_a_sound_that_is_like_none_begins_a_group() -> None:
    found = assigned([SoundGroup(3, embedding(1), 1, 5)], embedding(2), heard_ns=9)
    assert found.joined is None
    assert found.begun is not None
    assert found.forgotten is None
    assert assigned([], embedding(2), heard_ns=9).begun is not None


def test_what_waited_longest_for_its_second_time_makes_room_and_what_recurred_never_does() -> None:
    groups = [SoundGroup(1, embedding(1), 2, 1), SoundGroup(2, embedding(2), 1, 7), SoundGroup(3, embedding(3), 1, 4)]
    found = assigned(groups, embedding(9), heard_ns=9, most=3)
    assert found.forgotten == 3
    assert found.begun is not None
    recurred = [SoundGroup(number, embedding(number), 2, number) for number in (1, 2, 3)]
    full = assigned(recurred, embedding(9), heard_ns=9, most=3)
    assert (full.joined, full.begun, full.forgotten) == (None, None, None)
    assert assigned(recurred, embedding(2), heard_ns=9, most=3).joined is not None


def test_a_prototype_follows_a_slow_change_and_a_thousand_sounds_keep_their_groups() -> None:
    groups: dict[int, SoundGroup] = {}
    of_seed: dict[int, set[int]] = {}
    generator = np.random.default_rng(0)
    for time in range(1000):
        seed = int(generator.integers(0, 12))
        found = assigned(list(groups.values()), embedding(seed, noise=0.5, noise_seed=time), heard_ns=time, most=16)
        if found.joined is not None:
            groups[found.joined.number] = found.joined
            of_seed.setdefault(seed, set()).add(found.joined.number)
        elif found.begun is not None:
            groups[len(groups) + 1] = SoundGroup(len(groups) + 1, found.begun, 1, time)
    assert all(len(numbers) == 1 for numbers in of_seed.values())
    assert len(groups) == 12
    assert 0.7 < LIKENESS < 0.9
