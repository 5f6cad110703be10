from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.guided_masks import LOADING, GuidedMasks
from models.hermitian_code import HermitianCode

N_BINS, N_CHANNELS, N_SPECTRA = 6, 4, 60
NAMES = ["a", "b", ""]
Complex = npt.NDArray[np.complex128]


def _normal(generator: np.random.Generator, *shape: int) -> Complex:
    return np.asarray(generator.standard_normal(shape) + 1j * generator.standard_normal(shape))


def _steering(seed: int = 4) -> Complex:
    """How two sources really sound, shape (bins, channels, sources)."""
    return _normal(np.random.default_rng(seed), N_BINS, N_CHANNELS, 2)


def _window(steering: Complex, seed: int = 1, n_spectra: int = N_SPECTRA) -> tuple[Complex, npt.NDArray[np.bool_]]:
    """Spectra in which each bin belongs to one source, shape (bins, channels, spectra), and whether that is the first."""
    generator = np.random.default_rng(seed)
    first = generator.random((N_BINS, n_spectra)) < 0.5
    levels = _normal(generator, N_BINS, n_spectra)
    clean = np.where(first[:, None], steering[:, :, :1], steering[:, :, 1:]) * levels[:, None]
    return clean + 0.03 * _normal(generator, N_BINS, N_CHANNELS, n_spectra), first


def _expected(steering: Complex) -> Complex:
    """Rough shapes with unit power for both sources, and noise from everywhere."""
    unit = np.eye(N_CHANNELS)
    shapes = [np.einsum("fm,fn->fmn", steering[..., k], steering[..., k].conj()) for k in (0, 1)]
    stack = np.stack(
        [*(shape + 0.5 * np.einsum("fmm->f", shape).real[:, None, None] * unit for shape in shapes), unit + 0 * shapes[0]], axis=1
    )
    return np.asarray(stack * (N_CHANNELS / np.einsum("fkmm->fk", stack).real)[..., None, None])


def _inputs(spectra: Complex, expected: Complex) -> tuple[HermitianCode, torch.Tensor, torch.Tensor]:
    code = HermitianCode(N_CHANNELS)
    products = code.of_products(torch.tensor(spectra, dtype=torch.complex64))
    energy = torch.tensor((np.abs(spectra) ** 2).sum(axis=1), dtype=torch.float32)
    return code, products / (energy[:, :, None] + 1e-20), code.of(torch.tensor(expected, dtype=torch.complex64))


def _reference(spectra: Complex, weights: npt.NDArray[np.float64], expected: Complex, n_iterations: int) -> npt.NDArray[np.float64]:
    """The same mixture in float64 and as the papers write it, with no past and 10 spectra of prior."""
    unit = spectra / np.linalg.norm(spectra, axis=1, keepdims=True)
    total = 10.0 * expected
    for _ in range(n_iterations + 1):
        shape = total * (N_CHANNELS / np.einsum("fkmm->fk", total).real)[..., None, None] + LOADING * np.eye(N_CHANNELS)
        form = np.einsum("fmt,fkmn,fnt->fkt", unit.conj(), np.linalg.inv(shape), unit).real
        likelihood = np.log(weights) - np.linalg.slogdet(shape)[1][..., None] - N_CHANNELS * np.log(form)
        masks = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
        masks /= masks.sum(axis=1, keepdims=True)
        total = 10.0 * expected + np.einsum("fkt,fmt,fnt->fkmn", N_CHANNELS * masks / form, unit, unit.conj())
    return np.asarray(masks)


@pytest.mark.parametrize("n_iterations", [0, 1, 3])
def test_masks_are_those_of_a_float64_reference(n_iterations: int) -> None:
    spectra, _ = _window(_steering())
    expected = _expected(_steering() + 0.5 * _steering(5))
    code, shapes, codes = _inputs(spectra, expected)
    weights = np.random.default_rng(2).dirichlet(np.ones(3), size=(N_BINS, N_SPECTRA)).transpose(0, 2, 1)
    mixture = GuidedMasks(code, fade=0.9, prior_spectra=10.0, n_iterations=n_iterations)
    found = mixture.step(NAMES, shapes, torch.tensor(weights, dtype=torch.float32), codes, n_leaving=11)
    np.testing.assert_allclose(found.numpy(), _reference(spectra, weights, expected, n_iterations), atol=5e-3)


def test_it_learns_what_the_direction_does_not_tell() -> None:
    steering = _steering()
    rough = _expected(steering + 0.3 * _steering(6))
    code, _, codes = _inputs(_window(steering)[0], rough)
    weights = torch.tensor([0.49, 0.49, 0.02])[None, :, None].expand(N_BINS, 3, N_SPECTRA)
    learning, unlearnt = GuidedMasks(code, fade=0.97), GuidedMasks(code, fade=0.0, n_iterations=0)
    right: dict[GuidedMasks, float] = {}
    for step in range(6):
        spectra, first = _window(steering, seed=10 + step)
        shapes = _inputs(spectra, rough)[1]
        for mixture in (learning, unlearnt):
            masks = mixture.step(NAMES, shapes, weights, codes, n_leaving=11)
            right[mixture] = float(np.mean((masks[:, 0] > masks[:, 1]).numpy() == first))
            if mixture is unlearnt:
                mixture.forget([])
    assert right[learning] > 0.97
    assert right[unlearnt] < 0.95


def test_the_past_counts_until_it_is_forgotten_and_less_once_a_source_has_moved() -> None:
    steering = _steering()
    code, shapes, codes = _inputs(_window(steering)[0], _expected(steering + 0.9 * _steering(6)))
    weights = torch.full((N_BINS, 3, N_SPECTRA), 1 / 3)

    def after(change: str) -> torch.Tensor:
        mixture = GuidedMasks(code, fade=1.0)
        for _ in range(5):
            mixture.step(NAMES, shapes, weights, codes, n_leaving=30)
        if change == "forget":
            mixture.forget([])
        elif change == "weaken":
            for name in NAMES:
                mixture.weaken(name, 1e-6)
        return mixture.step(NAMES, shapes, weights, codes, n_leaving=11)

    fresh = GuidedMasks(code, fade=1.0).step(NAMES, shapes, weights, codes, n_leaving=11)
    assert torch.equal(after("forget"), fresh)
    torch.testing.assert_close(after("weaken"), fresh, atol=1e-3, rtol=1e-3)
    assert float((after("nothing") - fresh).abs().max()) > 0.05


def test_a_resting_class_is_kept_and_another_may_take_part() -> None:
    steering = _steering()
    code, shapes, codes = _inputs(_window(steering)[0], _expected(steering))
    mixture = GuidedMasks(code, fade=0.5)
    weights = torch.full((N_BINS, 3, N_SPECTRA), 1 / 3)
    mixture.step(NAMES, shapes, weights, codes, n_leaving=11)
    kept = mixture._past["a"].clone()
    masks = mixture.step(["b", ""], shapes, weights[:, 1:], codes[:, 1:], n_leaving=11)
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(N_BINS, N_SPECTRA))
    assert torch.equal(mixture._past["a"], kept)


def test_silence_is_finite_and_teaches_nothing() -> None:
    code, shapes, codes = _inputs(np.zeros((N_BINS, N_CHANNELS, N_SPECTRA), dtype=np.complex128), _expected(_steering()))
    mixture = GuidedMasks(code, fade=0.9)
    masks = mixture.step(NAMES, shapes, torch.full((N_BINS, 3, N_SPECTRA), 1 / 3), codes, n_leaving=11)
    assert bool(torch.isfinite(masks).all())
    assert all(float(past.abs().max()) == 0.0 for past in mixture._past.values())
