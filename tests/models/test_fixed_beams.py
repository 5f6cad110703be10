from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.fixed_beams import FixedBeams
from models.steering import diffuse_coherence, steering_vectors, unit_vector
from pipeline.geometry import load_array

FREQUENCY_HZ = np.array([0.0, 200.0, 600.0, 1500.0, 3000.0, 7000.0])
UMA8 = load_array("uma8").positions
VECTORS = np.stack([unit_vector(UMA8, 30.0), unit_vector(UMA8, 120.0)])


def _response(weights: torch.Tensor, vector: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    """What each filter does to a plane wave, shape (bins, directions)."""
    steering = steering_vectors(UMA8, vector[None], FREQUENCY_HZ, 0)[:, 0]
    return np.asarray(np.einsum("fkm,fm->fk", weights.numpy().conj(), steering))


def _noise_gain(weights: torch.Tensor) -> npt.NDArray[np.float64]:
    noise = diffuse_coherence(UMA8, FREQUENCY_HZ)
    return np.asarray(np.einsum("fkm,fmn,fkn->fk", weights.numpy().conj(), noise, weights.numpy()).real)


@pytest.mark.parametrize("null_power", [0.0, 1.0, 100.0])
def test_its_own_direction_passes_unchanged(null_power: float) -> None:
    beams = FixedBeams(UMA8, FREQUENCY_HZ, null_power=null_power)
    beams.set_directions(VECTORS)
    assert beams.weights.dtype == torch.complex64
    assert beams.weights.shape == (6, 2, 7)
    for index, vector in enumerate(VECTORS):
        np.testing.assert_allclose(_response(beams.weights, vector)[:, index], 1.0, atol=1e-4)


def test_diffuse_noise_is_taken_away_better_than_by_delay_and_sum() -> None:
    fixed, summed = FixedBeams(UMA8, FREQUENCY_HZ), FixedBeams(UMA8, FREQUENCY_HZ, design="delay_and_sum")
    fixed.set_directions(VECTORS)
    summed.set_directions(VECTORS)
    assert (_noise_gain(fixed.weights) <= _noise_gain(summed.weights) + 1e-6).all()
    assert (_noise_gain(fixed.weights)[2:4] < 0.6 * _noise_gain(summed.weights)[2:4]).all()


def test_other_directions_are_nulled() -> None:
    free, nulled = FixedBeams(UMA8, FREQUENCY_HZ), FixedBeams(UMA8, FREQUENCY_HZ, null_power=100.0)
    free.set_directions(VECTORS)
    nulled.set_directions(VECTORS)
    assert (np.abs(_response(nulled.weights, VECTORS[1])[2:, 0]) < 0.02).all()
    assert np.abs(_response(free.weights, VECTORS[1])[2:, 0]).max() > 0.1


def test_filters_are_those_of_a_float64_reference() -> None:
    beams = FixedBeams(UMA8, FREQUENCY_HZ, reference=3, loading=0.05, null_power=2.0)
    beams.set_directions(VECTORS)
    steering = steering_vectors(UMA8, VECTORS, FREQUENCY_HZ, 3)
    other = steering[:, 1]
    noise = diffuse_coherence(UMA8, FREQUENCY_HZ) + 2.0 * other[:, :, None] * other[:, None, :].conj()
    noise = noise + 0.05 * 3.0 * np.eye(7)
    whitened = np.linalg.solve(noise, steering[:, 0, :, None])[..., 0]
    expected = whitened / np.einsum("fm,fm->f", steering[:, 0].conj(), whitened).real[:, None]
    np.testing.assert_allclose(beams.weights[:, 0].numpy(), expected, atol=1e-5)


def test_no_direction_is_no_filter() -> None:
    assert FixedBeams(UMA8, FREQUENCY_HZ).weights.shape == (6, 0, 7)
    assert FixedBeams(UMA8, FREQUENCY_HZ, design="delay_and_sum").weights.shape == (6, 0, 7)


def test_the_same_direction_twice_stays_finite() -> None:
    beams = FixedBeams(UMA8, FREQUENCY_HZ, null_power=1e6)
    beams.set_directions(np.stack([VECTORS[0], VECTORS[0]]))
    assert bool(torch.isfinite(torch.view_as_real(beams.weights)).all())
