"""WPE against a closed form in float64, and in rooms."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.wpe import START, Wpe, WpeError, WpeFilter

Spectra = npt.NDArray[np.complexfloating[Any, Any]]
TAPS, DELAY, ALPHA = 2, 2, 0.95


def _spectra(n_frames: int, n_bins: int, n_channels: int, seed: int) -> Spectra:
    """Reverberant spectra: innovations in bursts, and what came before."""
    generator = np.random.default_rng(seed)
    shape = (n_frames, n_bins, n_channels)
    new = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    new *= generator.uniform(0.05, 1.0, (n_frames, n_bins, 1))
    for index in range(DELAY, n_frames):
        new[index] += 0.5 * new[index - DELAY]
    return new


def _closed_form(spectra: Spectra) -> Spectra:
    """Each frame with the filter that solves the weighted least squares of all frames before, in complex128."""
    n_frames, n_bins, n_channels = spectra.shape
    out = np.zeros_like(spectra)
    n_past = TAPS * n_channels
    for at in range(n_bins):
        left = np.eye(n_past, dtype=complex) / START
        right = np.zeros((n_past, n_channels), dtype=complex)
        for index in range(n_frames):
            past = np.concatenate(
                [spectra[index - back, at] if index >= back else np.zeros(n_channels) for back in range(DELAY, DELAY + TAPS)]
            )
            out[index, at] = spectra[index, at] - np.linalg.solve(left, right).conj().T @ past
            if not past.any():
                continue
            weight = np.mean(np.abs(out[index, at]) ** 2)
            left = ALPHA * left + np.outer(past, past.conj()) / weight
            right = ALPHA * right + np.outer(past, spectra[index, at].conj()) / weight
    return out


def test_the_recursion_is_the_weighted_least_squares_solution() -> None:
    spectra = _spectra(60, 3, 2, seed=0)
    recursion = WpeFilter(2, 3, TAPS, DELAY, ALPHA, dtype=torch.complex128)
    out = np.stack([recursion.step(torch.from_numpy(frame)).numpy() for frame in spectra])
    np.testing.assert_allclose(out, _closed_form(spectra), rtol=1e-6, atol=1e-8)


def test_single_precision_stays_near_it() -> None:
    spectra = _spectra(400, 2, 2, seed=1)
    recursion = WpeFilter(2, 2, TAPS, DELAY, ALPHA)
    out = np.stack([recursion.step(torch.from_numpy(frame.astype(np.complex64))).numpy() for frame in spectra])
    np.testing.assert_allclose(out, _closed_form(spectra), atol=2e-3)


def test_what_repeats_after_the_delay_is_foretold() -> None:
    spectra = _spectra(600, 4, 2, seed=2)
    recursion = WpeFilter(2, 4, TAPS, DELAY, 0.999)
    out = np.stack([recursion.step(torch.from_numpy(frame.astype(np.complex64))).numpy() for frame in spectra])
    innovations = spectra.copy()
    innovations[DELAY:] -= 0.5 * spectra[:-DELAY]
    late = slice(300, None)
    before = np.mean(np.abs(spectra[late] - innovations[late]) ** 2)
    assert np.mean(np.abs(out[late] - innovations[late]) ** 2) < 0.05 * before


@pytest.mark.parametrize("kind", ["silence", "equal channels", "steps"])
def test_nothing_grows_without_bound(kind: str) -> None:
    torch.manual_seed(0)
    recursion = WpeFilter(3, 2, 3, 2, 0.9)
    for index in range(3000):
        frame = torch.zeros(2, 3, dtype=torch.complex64)
        if kind == "equal channels" or (kind == "silence" and index < 50):
            frame += torch.randn(2, 1, dtype=torch.complex64)
        if kind == "steps":
            frame += torch.randn(2, 3, dtype=torch.complex64) * (1e-3 if index // 500 % 2 else 1.0)
        assert torch.isfinite(recursion.step(frame)).all()
    frame = torch.randn(2, 3, dtype=torch.complex64)
    assert recursion.step(frame).abs().max() < 100.0


def test_an_hour_in_single_precision_is_as_good_as_its_first_minutes() -> None:
    """With a short memory, so that 6000 frames are as many memories as five hours with the usual one."""
    spectra = _spectra(6000, 4, 2, seed=3)
    recursion = WpeFilter(2, 4, TAPS, DELAY, 0.99)
    out = np.stack([recursion.step(torch.from_numpy(frame.astype(np.complex64))).numpy() for frame in spectra])
    innovations = spectra.copy()
    innovations[DELAY:] -= 0.5 * spectra[:-DELAY]
    error = np.mean(np.abs(out - innovations) ** 2, axis=(1, 2))
    assert error[4000:].mean() < 1.2 * error[1000:3000].mean()


def test_settings_out_of_range_are_refused() -> None:
    said = r"^WPE: taps 0, delay 1, alpha 1.5; taps must be 1 or more, delay 2 or more, alpha over 0, at most 1$"
    with pytest.raises(WpeError, match=said):
        WpeFilter(2, 3, taps=0, delay=1, alpha=1.5)


@pytest.mark.gpu
def test_cuda_gives_the_same() -> None:
    samples = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 16000)).astype(np.float32))
    on_cpu, on_gpu = Wpe(3, taps=3).push(samples), Wpe(3, taps=3, device="cuda:0").push(samples.cuda()).cpu()
    torch.testing.assert_close(on_gpu, on_cpu, atol=2e-3, rtol=0.0)
