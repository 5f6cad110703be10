from __future__ import annotations

import math

import numpy as np
import pytest

from models.bearing_filter import FASTEST_DEG_PER_S, WIDEST_DEG2, BearingFilter, difference_deg, turned

STEP_S = 0.032


def test_a_walk_is_followed_without_lag() -> None:
    bearing = BearingFilter(350.0, circular=True)
    for step in range(60):
        bearing.predict(STEP_S, 100.0, math.inf)
        bearing.update((350.0 + 30.0 * step * STEP_S) % 360.0, 16.0)
    assert bearing.rate_deg_per_s == pytest.approx(30.0, abs=1.0)
    assert abs(difference_deg(350.0 + 30.0 * 59 * STEP_S, bearing.azimuth_deg, True)) < 0.5


def test_it_is_a_float64_kalman_filter() -> None:
    bearing = BearingFilter(10.0, circular=False, variance_deg2=16.0, rate_variance=400.0)
    state, spread = np.array([10.0, 0.0]), np.diag([16.0, 400.0])
    q = 50.0
    move = np.array([[1.0, STEP_S], [0.0, 1.0]])
    wander = q * np.array([[STEP_S**3 / 3, STEP_S**2 / 2], [STEP_S**2 / 2, STEP_S]])
    for measured in np.random.default_rng(0).uniform(8.0, 30.0, 40):
        state, spread = move @ state, move @ spread @ move.T + wander
        gain = spread[:, 0] / (spread[0, 0] + 25.0)
        state, spread = state + gain * (measured - state[0]), spread - np.outer(gain, spread[0])
        bearing.predict(STEP_S, q, math.inf)
        bearing.update(float(measured), 25.0)
        np.testing.assert_allclose([bearing.azimuth_deg, bearing.rate_deg_per_s], state, rtol=1e-9)
    np.testing.assert_allclose([bearing.variance_deg2, bearing.cross, bearing.rate_variance], spread.ravel()[[0, 1, 3]], rtol=1e-9)


def test_the_rate_fades_in_silence() -> None:
    bearing = BearingFilter(0.0, circular=True, rate_deg_per_s=30.0)
    for _ in range(300):
        bearing.predict(STEP_S, 100.0, 0.4)
    assert bearing.azimuth_deg == pytest.approx(30.0 * 0.4, abs=0.1)
    assert abs(bearing.rate_deg_per_s) < 1e-6
    assert bearing.variance_deg2 <= WIDEST_DEG2


def test_nothing_runs_away() -> None:
    bearing = BearingFilter(0.0, circular=True)
    random = np.random.default_rng(1)
    for _ in range(2000):
        bearing.predict(float(random.uniform(0.0, 5.0)), 1e4, float(random.choice([0.4, math.inf])))
        bearing.update(float(random.uniform(0.0, 360.0)), float(random.uniform(1.0, 200.0)))
        assert 0.0 <= bearing.azimuth_deg < 360.0
        assert abs(bearing.rate_deg_per_s) <= FASTEST_DEG_PER_S
        assert 0.0 < bearing.variance_deg2 <= WIDEST_DEG2
        assert bearing.cross**2 <= bearing.variance_deg2 * bearing.rate_variance * (1 + 1e-9)


def test_the_ends_of_a_line_are_ends() -> None:
    assert turned(175.0, 20.0, circular=False) == 180.0
    assert turned(5.0, -20.0, circular=False) == 0.0
    assert turned(355.0, 20.0, circular=True) == pytest.approx(15.0)
    assert turned(0.0, -1e-16, circular=True) == 0.0
