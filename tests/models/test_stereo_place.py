"""Where sound is put between two ears: by level and by time, as loud as the rest, and never too loud."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stereo_place import CEILING, LEVEL_DBFS, gains, lateral_angle, levelled, limited, placed, time_difference_s
from pipeline.testing import noise, tone

RATE = 48000


def energies(stereo: np.ndarray) -> tuple[float, float]:
    return float(np.sum(np.square(stereo[0]))), float(np.sum(np.square(stereo[1])))


def lag(stereo: np.ndarray) -> int:
    """By how many frames the right ear hears later."""
    lags = range(-60, 61)
    middle = slice(100, -100)
    return max(lags, key=lambda n: float(np.dot(stereo[0][middle], np.roll(stereo[1], -n)[middle])))


@pytest.mark.parametrize(
    ("azimuth_deg", "facing_deg", "side"),
    [(90, 0, "left"), (270, 0, "right"), (0, 0, "middle"), (180, 0, "middle"), (None, 30, "middle"), (0, 90, "right"), (350, 260, "left")],
)
def test_a_bearing_is_heard_on_its_side_for_where_the_listener_looks(azimuth_deg: float | None, facing_deg: float, side: str) -> None:
    stereo = placed(noise(0.5, RATE, amplitude=0.1), RATE, azimuth_deg, facing_deg)
    left, right = energies(stereo)
    # Woodworth: 0.0875 m / 343 m/s * (pi/2 + 1) = 0.656 ms, 31.5 frames.
    if side == "left":
        assert left > 10 * right
        assert lag(stereo) in {31, 32}
    elif side == "right":
        assert right > 10 * left
        assert lag(stereo) in {-31, -32}
    else:
        assert left == pytest.approx(right, rel=1e-3)
        assert lag(stereo) == 0


def test_halfway_to_the_left_lies_between() -> None:
    left, right = energies(placed(noise(0.5, RATE, amplitude=0.1), RATE, 30.0))
    assert 2 * right < left < 4 * right
    assert time_difference_s(np.pi / 6) == pytest.approx(0.0875 / 343 * (np.pi / 6 + 0.5))


@given(st.floats(-720, 720), st.floats(-720, 720))
def test_the_power_is_the_same_everywhere_and_the_delay_is_that_of_a_head(azimuth_deg: float, facing_deg: float) -> None:
    lateral = lateral_angle(azimuth_deg, facing_deg)
    left, right = gains(lateral)
    assert left**2 + right**2 == pytest.approx(1.0)
    assert (left - right) * time_difference_s(lateral) >= 0
    assert abs(time_difference_s(lateral)) < 0.0007


def test_loudness_is_evened_and_pauses_do_not_count() -> None:
    loud, soft = tone(300, 1.0, RATE, amplitude=0.8), tone(300, 1.0, RATE, amplitude=0.02)
    with_pause = np.concatenate([soft, np.zeros(3 * RATE, dtype=np.float32)])
    for samples in (loud, soft, with_pause):
        spoken = levelled(samples, RATE)[:RATE]
        assert 20 * np.log10(np.sqrt(np.mean(np.square(spoken)))) == pytest.approx(LEVEL_DBFS, abs=0.3)
    assert not levelled(np.zeros(RATE, dtype=np.float32), RATE).any()
    assert levelled(np.zeros(3, dtype=np.float32), RATE).shape == (3,)


def test_nothing_is_raised_without_end() -> None:
    faint = tone(300, 1.0, RATE, amplitude=1e-5)
    assert np.abs(levelled(faint, RATE)).max() == pytest.approx(1e-5 * 10**1.5, rel=1e-3)


def test_peaks_are_limited_without_a_corner_and_what_is_soft_stays() -> None:
    samples = np.stack([tone(200, 1.0, RATE, amplitude=0.2), np.full(RATE, 0.2, dtype=np.float32)])
    samples[0, RATE // 2] = 3.0
    out = limited(samples, RATE)
    assert np.abs(out).max() <= CEILING
    np.testing.assert_array_equal(out[:, : RATE // 4], samples[:, : RATE // 4])
    near = slice(RATE // 2 - 600, RATE // 2 - 10)
    gain = out[1, near] / samples[1, near]
    assert gain[0] == 1.0
    assert gain[-1] < 0.5
    assert np.abs(np.diff(gain)).max() < 0.01
    np.testing.assert_array_equal(limited(samples[:, :100], RATE), samples[:, :100])
    assert limited(np.zeros((2, 0), dtype=np.float32), RATE).shape == (2, 0)
