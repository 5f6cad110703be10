from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from models.direction_masks import DirectionMasks
from models.steering import diffuse_coherence, steering_vectors, unit_vector
from pipeline.geometry import load_array

POSITIONS = load_array("uma8").positions
FREQUENCY_HZ = np.array([300.0, 1000.0, 2500.0, 4500.0])
VECTORS = np.stack([unit_vector(POSITIONS, 30.0), unit_vector(POSITIONS, 140.0)])


def _spectra(vector: npt.NDArray[np.float64], n_spectra: int, seed: int = 0) -> torch.Tensor:
    """A source from one direction with random levels, complex64, shape (bins, channels, spectra)."""
    generator = np.random.default_rng(seed)
    levels = generator.standard_normal((len(FREQUENCY_HZ), n_spectra)) + 1j * generator.standard_normal((len(FREQUENCY_HZ), n_spectra))
    steering = steering_vectors(POSITIONS, vector[None], FREQUENCY_HZ, 0)[:, 0]
    return torch.tensor(steering[:, :, None] * levels[:, None, :], dtype=torch.complex64)


def _masks() -> DirectionMasks:
    masks = DirectionMasks(POSITIONS, FREQUENCY_HZ)
    masks.set_directions(VECTORS)
    return masks


def test_bins_go_to_the_direction_that_they_come_from() -> None:
    masks = _masks()
    for index, vector in enumerate(VECTORS):
        share = masks.masks(masks.log_likelihood(_spectra(vector, 20)))
        assert share.shape == (4, 3, 20)
        torch.testing.assert_close(share.sum(dim=1), torch.ones(4, 20))
        assert float(share[1:, index].min()) > 0.9


def test_noise_from_everywhere_mostly_goes_to_nobody() -> None:
    masks = DirectionMasks(POSITIONS, FREQUENCY_HZ, noise_prior=1.0)
    masks.set_directions(VECTORS)
    generator = np.random.default_rng(1)
    root = np.linalg.cholesky(diffuse_coherence(POSITIONS, FREQUENCY_HZ) + 0.01 * np.eye(7))
    noise = root @ (generator.standard_normal((4, 7, 300)) + 1j * generator.standard_normal((4, 7, 300)))
    share = masks.masks(masks.log_likelihood(torch.tensor(noise, dtype=torch.complex64)))
    assert float(share[1:, 2].mean()) > 0.6


def test_the_level_does_not_matter() -> None:
    masks = _masks()
    spectra = _spectra(VECTORS[0], 9)
    torch.testing.assert_close(
        masks.masks(masks.log_likelihood(spectra)), masks.masks(masks.log_likelihood(1000.0 * spectra)), rtol=1e-3, atol=1e-3
    )


def test_digital_silence_is_shared_without_nan() -> None:
    masks = _masks()
    share = masks.masks(masks.log_likelihood(torch.zeros(4, 7, 5, dtype=torch.complex64)))
    assert bool(torch.isfinite(share).all())


def test_likelihoods_are_those_of_a_float64_reference() -> None:
    masks = _masks()
    spectra = _spectra(VECTORS[1], 4, seed=3) + 0.1 * _spectra(VECTORS[0], 4, seed=4)
    found = masks.log_likelihood(spectra)[:, 1].numpy()
    steering = steering_vectors(POSITIONS, VECTORS[1][None], FREQUENCY_HZ, 0)[:, 0]
    covariance = steering[:, :, None] * steering[:, None, :].conj() + 0.5 * (diffuse_coherence(POSITIONS, FREQUENCY_HZ) + 0.01 * np.eye(7))
    covariance *= 7.0 / np.einsum("fmm->f", covariance).real[:, None, None]
    samples = spectra.numpy().astype(np.complex128)
    power = np.einsum("fmt,fmn,fnt->ft", samples.conj(), np.linalg.inv(covariance), samples).real
    expected = -np.linalg.slogdet(covariance)[1][:, None] - 7.0 * np.log(power)
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_expected_covariances_have_unit_power() -> None:
    masks = _masks()
    assert masks.n_directions == 2
    assert masks.covariances.shape == (4, 3, 7, 7)
    power = torch.diagonal(masks.covariances, dim1=-2, dim2=-1).real.mean(dim=-1)
    torch.testing.assert_close(power, torch.ones(4, 3))
