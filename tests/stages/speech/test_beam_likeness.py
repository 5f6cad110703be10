from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, Float32Array, Track, Utterance
from pipeline.testing import noise
from stages.speech.beam_likeness import coherence

RATE = 16000


def beam(samples: Float32Array, start_s: float = 0.0, rate: int = RATE) -> Utterance:
    start_ns = round(start_s * NS_PER_S)
    duration_ns = len(samples) * NS_PER_S // rate
    return Utterance(pts_ns=start_ns, duration_ns=duration_ns, samples=samples, sample_rate_hz=rate, track=Track("t1", 0.0))


def over_all(first: Utterance, second: Utterance) -> float | None:
    return coherence(first, second, max(first.pts_ns, second.pts_ns), min(first.end_ns, second.end_ns))


def test_one_sound_at_any_level_is_one_sound() -> None:
    sound = noise(2.0, amplitude=0.3)
    assert over_all(beam(sound), beam((0.01 * sound).astype(np.float32))) == pytest.approx(1.0, abs=1e-6)


def test_the_times_are_those_of_the_session() -> None:
    sound = noise(4.0, amplitude=0.3)
    first, second = beam(sound[: 3 * RATE].copy()), beam(sound[RATE:].copy(), start_s=1.0)
    assert over_all(first, second) == pytest.approx(1.0, abs=1e-6)


def test_a_filter_leaves_it_one_sound_and_other_sound_takes_from_it() -> None:
    sound, other = noise(3.0, amplitude=0.3), noise(3.0, amplitude=0.3, seed=5)
    filtered = np.convolve(sound, [0.2, 0.0, 0.5, -0.3, 0.1], mode="same").astype(np.float32)
    alone, mixed = over_all(beam(sound), beam(filtered)), over_all(beam(sound), beam(filtered + other))
    assert alone is not None
    assert mixed is not None
    assert alone > 0.95
    assert 0.1 < mixed < 0.6


def test_two_sounds_are_two() -> None:
    found = over_all(beam(noise(3.0, amplitude=0.3)), beam(noise(3.0, amplitude=0.3, seed=5)))
    assert found is not None
    assert found < 0.06


def test_too_little_says_nothing() -> None:
    sound = noise(0.3, amplitude=0.3)
    assert over_all(beam(sound), beam(sound)) is None
    assert over_all(beam(np.zeros(RATE, dtype=np.float32)), beam(np.zeros(RATE, dtype=np.float32))) is None
    assert coherence(beam(noise(2.0)), beam(noise(2.0)), 5 * NS_PER_S, 6 * NS_PER_S) is None
    assert over_all(beam(noise(2.0)), beam(noise(2.0, 8000), rate=8000)) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 1000), st.floats(0.5, 2.0), st.floats(1e-6, 1.0))
def test_it_is_a_share_and_the_same_both_ways(first_seed: int, second_seed: int, length_s: float, level: float) -> None:
    first, second = beam(noise(length_s, amplitude=level, seed=first_seed)), beam(noise(length_s, seed=second_seed))
    one, other = over_all(first, second), over_all(second, first)
    assert one is not None
    assert other is not None
    assert 0.0 <= one <= 1.0 + 1e-9
    assert one == pytest.approx(other)
