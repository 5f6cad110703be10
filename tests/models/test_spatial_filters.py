from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.spatial_filters import delay_and_sum, fixed_mvdr, souden_mvdr

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


def test_fixed_mvdr_is_that_of_a_float64_reference() -> None:
    noise, steering = _covariances(N_CHANNELS, 1), np.exp(1j * np.outer(np.arange(6), np.arange(N_CHANNELS)))
    found = fixed_mvdr(torch.tensor(steering, dtype=torch.complex64), torch.tensor(noise, dtype=torch.complex64), loading=0.01)
    loaded = noise + 0.01 * np.einsum("fmm->f", noise).real[:, None, None] / N_CHANNELS * np.eye(N_CHANNELS)
    whitened = np.linalg.solve(loaded, steering[..., None])[..., 0]
    expected = whitened / np.einsum("fm,fm->f", steering.conj(), whitened)[:, None].real
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4)


def test_fixed_mvdr_is_that_of_pyroomacoustics() -> None:
    """Its MVDR in the frequency domain, for a source without echoes and diffuse noise of independent channels."""
    import pyroomacoustics

    array = pyroomacoustics.Beamformer(np.array([[0.0, 0.05, 0.1, 0.15], [0.0, 0.0, 0.02, 0.0]]), fs=16000, N=256)
    source = pyroomacoustics.SoundSource([1.5, 2.0])
    interferer = pyroomacoustics.SoundSource([-2.0, 1.0])
    array.rake_max_sinr_weights(source, interferer=interferer, R_n=1e-3 * np.eye(4), attn=False, ff=False)
    for index in (20, 64, 100):
        waves = [
            array.steering_vector_2D_from_point(array.frequencies[index], place.images, attn=False)[:, 0] for place in (source, interferer)
        ]
        target, other = waves
        noise = np.outer(other, other.conj()) + 1e-3 * np.eye(4)
        found = fixed_mvdr(torch.tensor(target), torch.tensor(noise), loading=0.0).numpy()
        theirs = array.weights[:, index]
        alike = np.abs(found.conj() @ theirs) / (np.linalg.norm(found) * np.linalg.norm(theirs))
        assert alike > 0.9999, "the filter of the best signal-to-noise ratio is the MVDR, but for a factor"


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)])
def test_covariances_and_filters_are_those_of_torchaudio(device: str) -> None:
    transforms = pytest.importorskip("torchaudio.transforms", reason="the oracle is torchaudio, which is not needed otherwise")
    generator = torch.Generator().manual_seed(0)
    spectra = torch.randn(N_CHANNELS, 6, 200, dtype=torch.complex64, generator=generator).to(device)
    masks = torch.rand(6, 200, generator=generator).to(device)
    psd = transforms.PSD(normalize=False)
    target, noise = psd(spectra, masks), psd(spectra, 1.0 - masks)
    expected = transforms.SoudenMVDR()(spectra, target, noise, 2, diagonal_loading=True, diag_eps=1e-3)
    ours = spectra.permute(1, 0, 2)
    of_target = (masks[:, None] * ours) @ ours.conj().transpose(1, 2)
    torch.testing.assert_close(of_target, target, rtol=1e-3, atol=1e-2)
    of_noise = ((1.0 - masks)[:, None] * ours) @ ours.conj().transpose(1, 2)
    # torchaudio loads relative to the trace, we relative to the mean of the diagonal.
    weights = souden_mvdr(of_target, of_noise, 2, loading=1e-3 * N_CHANNELS)
    found = (weights.conj()[:, None] @ ours)[:, 0]
    torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-2)
