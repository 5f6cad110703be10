"""Hermitian matrices as real vectors, so that sums over many of them and forms y^H A y are products of real matrices.

A covariance of M channels has M real and M (M - 1) / 2 complex free numbers: M^2 real ones in all, half of what the full complex
matrix holds. With the off-diagonal parts scaled by the square root of 2 the inner product of two codes is trace(A B), and so
y^H A y is that of the codes of A and of y y^H.
"""

from __future__ import annotations

import torch


class HermitianCode:
    """Codes of Hermitian matrices of one size.

    Args:
        n_channels: rows of the matrices.
        device: where they are.
    """

    def __init__(self, n_channels: int, device: str = "cpu") -> None:
        self.n_channels = n_channels
        self.n_numbers = n_channels**2
        upper = torch.triu_indices(n_channels, n_channels, offset=1)
        self._row, self._column = upper[0].to(device), upper[1].to(device)
        n_pairs = upper.shape[1]
        place = torch.zeros(n_channels, n_channels, dtype=torch.long)
        sign = torch.zeros(n_channels, n_channels)
        pairs = torch.arange(n_pairs)
        place[upper[0], upper[1]] = place[upper[1], upper[0]] = n_channels + pairs
        sign[upper[0], upper[1]], sign[upper[1], upper[0]] = 0.5**0.5, -(0.5**0.5)
        scale = sign.abs()
        place.fill_diagonal_(0)
        place += torch.diag(torch.arange(n_channels))
        self._real_place = place.flatten().to(device)
        self._real_scale = (scale + torch.eye(n_channels)).flatten().to(device)
        self._imaginary_place = torch.where(sign != 0, place + n_pairs, 0).flatten().to(device)
        self._imaginary_scale = sign.flatten().to(device)

    def of_products(self, spectra: torch.Tensor) -> torch.Tensor:
        """The codes of y y^H for each spectrum y.

        Args:
            spectra: complex64, shape (bins, channels, spectra).

        Returns:
            float32, shape (bins, spectra, numbers).
        """
        real, imaginary = spectra.real.contiguous(), spectra.imag.contiguous()
        ahead_real, behind_real = (real.index_select(1, index) for index in (self._row, self._column))
        ahead_imaginary, behind_imaginary = (imaginary.index_select(1, index) for index in (self._row, self._column))
        products = torch.cat(
            [
                real.square() + imaginary.square(),
                2.0**0.5 * (ahead_real * behind_real + ahead_imaginary * behind_imaginary),
                2.0**0.5 * (ahead_imaginary * behind_real - ahead_real * behind_imaginary),
            ],
            dim=1,
        )
        return products.transpose(1, 2).contiguous()

    def of(self, matrices: torch.Tensor) -> torch.Tensor:
        """The codes of Hermitian matrices, complex64, shape (..., channels, channels): float32, shape (..., numbers)."""
        flat = matrices.reshape(*matrices.shape[:-2], self.n_numbers)
        pairs = 2.0**0.5 * flat.index_select(-1, self._row * self.n_channels + self._column)
        return torch.cat([torch.diagonal(matrices, dim1=-2, dim2=-1).real, pairs.real, pairs.imag], dim=-1)

    def matrices(self, codes: torch.Tensor) -> torch.Tensor:
        """The matrices of codes, float32, shape (..., numbers): complex64, shape (..., channels, channels)."""
        real = codes.index_select(-1, self._real_place) * self._real_scale
        imaginary = codes.index_select(-1, self._imaginary_place) * self._imaginary_scale
        return torch.complex(real, imaginary).reshape(*codes.shape[:-1], self.n_channels, self.n_channels)

    def trace(self, codes: torch.Tensor) -> torch.Tensor:
        """The traces of the matrices of codes, float32, shape (..., numbers): shape (...)."""
        return codes[..., : self.n_channels].sum(dim=-1)
