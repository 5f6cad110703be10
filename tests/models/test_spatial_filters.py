from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from models.spatial_filters import delay_and_sum, souden_mvdr

N_CHANNELS = 5


def _covariances(rank: int, seed: int) -> npt.NDArray[np.complex128]:
    """Random covariances of some rank, shape (6, channels, channels)."""
    generator = np.random.default_rng(seed)
    shape = (6, N_CHANNELS, rank)
    factor = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    return np.asarray(factor @ factor.conj().transpose(0, 2, 1))


def test_souden_is_that_of_a_float64_reference() -> None:
    target, noise = _covariances(2, 0), _covariances(N_CHANNELS, 1)
    found = souden_mvdr(torch.tensor(target, dtype=torch.complex64), torch.tensor(noise, dtype=torch.complex64), reference=2)
    loaded = noise + 1e-3 * np.einsum("fmm->f", noise).real[:, None, None] / N_CHANNELS * np.eye(N_CHANNELS)
    ratio = np.linalg.solve(loaded, target)
    expected = ratio[:, :, 2] / np.einsum("fmm->f", ratio)[:, None].real
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4)


def test_a_target_from_one_place_passes_as_the_reference_hears_it() -> None:
    steering = np.random.default_rng(2).standard_normal((6, N_CHANNELS)) + 1j
    target = steering[:, :, None] * steering[:, None, :].conj()
    weights = souden_mvdr(
        torch.tensor(target, dtype=torch.complex64), torch.tensor(_covariances(N_CHANNELS, 3), dtype=torch.complex64), reference=1
    ).numpy()
    np.testing.assert_allclose(np.einsum("fm,fm->f", weights.conj(), steering), steering[:, 1], rtol=1e-3)


def test_an_interferer_is_taken_away() -> None:
    steering = np.exp(1j * np.outer(np.arange(1, 7), np.arange(N_CHANNELS)))
    interferer = np.exp(-0.4j * np.outer(np.arange(1, 7), np.arange(N_CHANNELS)))
    target = steering[:, :, None] * steering[:, None, :].conj()
    noise = 100.0 * interferer[:, :, None] * interferer[:, None, :].conj() + 0.01 * np.eye(N_CHANNELS)
    weights = souden_mvdr(torch.tensor(target, dtype=torch.complex64), torch.tensor(noise, dtype=torch.complex64), 0, loading=1e-6).numpy()
    assert (np.abs(np.einsum("fm,fm->f", weights.conj(), interferer)) < 0.01).all()


def test_silence_gives_no_nan() -> None:
    nothing = torch.zeros(3, N_CHANNELS, N_CHANNELS, dtype=torch.complex64)
    assert torch.equal(souden_mvdr(nothing, nothing, 0), torch.zeros(3, N_CHANNELS, dtype=torch.complex64))


def test_delay_and_sum_passes_its_direction() -> None:
    steering = torch.exp(1j * torch.arange(10.0).reshape(2, 5)).to(torch.complex64)
    weights = delay_and_sum(steering)
    torch.testing.assert_close((weights.conj() * steering).sum(dim=1), torch.ones(2, dtype=torch.complex64))
