from __future__ import annotations

import numpy as np
import pytest

from models.steering import (
    SteeringError,
    diffuse_coherence,
    direction_grid,
    geometry_rank,
    lead_s,
    steering_vectors,
    unit_vector,
)
from pipeline.geometry import load_array

UMA8 = load_array("uma8").positions
LINE = load_array("linear8").positions


def test_a_plane_sees_all_azimuths_and_only_the_upper_half() -> None:
    grid = direction_grid(UMA8, 10.0, 30.0)
    assert grid.circular
    assert grid.rings.shape == (36, 3)
    assert grid.elevation_deg is not None
    assert set(grid.elevation_deg) == {0.0, 30.0, 60.0}
    np.testing.assert_allclose(grid.azimuths_deg, np.arange(0.0, 360.0, 10.0))
    np.testing.assert_allclose(np.linalg.norm(grid.vectors, axis=1), 1.0)


def test_a_line_sees_angles_from_0_to_180() -> None:
    grid = direction_grid(LINE, 5.0)
    assert not grid.circular
    assert grid.elevation_deg is None
    np.testing.assert_allclose(grid.azimuths_deg, np.linspace(0.0, 180.0, 37))
    np.testing.assert_allclose(grid.vectors @ [1.0, 0.0, 0.0], np.cos(np.radians(grid.azimuth_deg)), atol=1e-12)


def test_a_body_sees_below_itself_too() -> None:
    body = np.vstack([UMA8, [0.0, 0.0, 0.05]])
    assert geometry_rank(body) == 3
    grid = direction_grid(body, 10.0, 30.0)
    assert grid.elevation_deg is not None
    assert grid.elevation_deg.min() == -60.0


def test_an_upright_plane_sees_only_its_front() -> None:
    upright = UMA8[:, [0, 2, 1]]
    grid = direction_grid(upright, 10.0, 30.0)
    assert not grid.circular
    assert grid.azimuths_deg.min() == 0.0
    assert grid.azimuths_deg.max() == 180.0
    assert (grid.vectors[:, 1] >= -1e-9).all()


def test_the_microphone_on_the_side_of_the_source_hears_first() -> None:
    lead = lead_s(UMA8, unit_vector(UMA8, 0.0)[None], 0)[0]
    assert lead[1] == pytest.approx(0.045 / 343.0)
    assert lead[4] == pytest.approx(-0.045 / 343.0)
    assert lead[0] == 0.0


def test_steering_is_the_spectrum_of_an_early_signal() -> None:
    frequency_hz = np.array([0.0, 1000.0])
    steering = steering_vectors(UMA8, unit_vector(UMA8, 0.0)[None], frequency_hz, 0)
    np.testing.assert_allclose(steering[0, 0], 1.0)
    np.testing.assert_allclose(np.angle(steering[1, 0, 1]), 2 * np.pi * 1000.0 * 0.045 / 343.0)


def test_elevation_turns_the_vector_up() -> None:
    np.testing.assert_allclose(unit_vector(UMA8, 90.0, 30.0), [0.0, np.cos(np.pi / 6), 0.5], atol=1e-12)


def test_diffuse_coherence_is_a_covariance() -> None:
    coherence = diffuse_coherence(UMA8, np.array([0.0, 500.0, 4000.0]))
    np.testing.assert_allclose(coherence[0], 1.0)
    np.testing.assert_allclose(np.einsum("fmm->fm", coherence), 1.0)
    assert (np.linalg.eigvalsh(coherence) > -1e-9).all()
    assert coherence[1, 0, 1] == pytest.approx(np.sinc(2 * 500.0 * 0.045 / 343.0))


def test_one_point_has_no_bearing() -> None:
    with pytest.raises(SteeringError) as caught:
        unit_vector(np.zeros((2, 3)), 0.0)
    assert str(caught.value) == "the microphones are all at one point, so they have no bearing; use an array with lanes: true"
    with pytest.raises(SteeringError):
        direction_grid(np.zeros((1, 3)))
