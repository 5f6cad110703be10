from __future__ import annotations

import numpy as np
import pytest
import torch

from models.hermitian_code import HermitianCode


def _spectra(n_channels: int, seed: int = 0) -> torch.Tensor:
    generator = np.random.default_rng(seed)
    shape = (3, n_channels, 8)
    return torch.tensor(generator.standard_normal(shape) + 1j * generator.standard_normal(shape), dtype=torch.complex64)


@pytest.mark.parametrize("n_channels", [1, 2, 7])
def test_products_come_back_as_matrices(n_channels: int) -> None:
    code, spectra = HermitianCode(n_channels), _spectra(n_channels)
    codes = code.of_products(spectra)
    assert codes.shape == (3, 8, n_channels**2)
    expected = torch.einsum("fmt,fnt->ftmn", spectra, spectra.conj())
    torch.testing.assert_close(code.matrices(codes), expected)
    torch.testing.assert_close(code.of(expected), codes)
    torch.testing.assert_close(code.trace(codes), (spectra.abs() ** 2).sum(dim=1))


def test_forms_are_inner_products_as_in_float64() -> None:
    code, spectra = HermitianCode(5), _spectra(5)
    factor = _spectra(5, seed=1)
    matrices = factor @ factor.conj().transpose(1, 2)
    found = (code.of_products(spectra) @ code.of(matrices)[:, :, None])[:, :, 0]
    samples = spectra.numpy().astype(np.complex128)
    expected = np.einsum("fmt,fmn,fnt->ft", samples.conj(), matrices.numpy().astype(np.complex128), samples).real
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-3)
