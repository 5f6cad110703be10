"""Filters that turn the spectra of an array into that of one source: y = w^H x. They differ in what they ask for."""

from __future__ import annotations

import torch

TINY = 1e-10


def souden_mvdr(target: torch.Tensor, noise: torch.Tensor, reference: int, loading: float = 1e-3) -> torch.Tensor:
    """The filter that lets the target pass as the reference microphone hears it, with the least noise.

    Souden, Benesty and Affes (2010), eq. 18, with lambda = 0: w = (N^-1 T) u / trace(N^-1 T). It needs no steering vector,
    so neither wrong bearings nor reverberation make it cancel the target.

    Args:
        target: covariances of the target, complex64, shape (..., channels, channels).
        noise: covariances of everything else, the same shape.
        reference: index of the reference microphone.
        loading: power of a white noise that is added to `noise`, relative to its mean power.

    Returns:
        complex64, shape (..., channels).
    """
    inverse = _inverse(noise, loading)
    # The filter needs one column of N^-1 T and its trace, so the whole product is never made.
    trace = (inverse * target.transpose(-1, -2)).sum(dim=(-2, -1)).real
    column = (inverse @ target[..., reference, None])[..., 0]
    weights: torch.Tensor = column / (trace[..., None] + TINY)
    return weights


def fixed_mvdr(steering: torch.Tensor, noise: torch.Tensor, loading: float = 1e-2) -> torch.Tensor:
    """The filter that lets a plane wave pass unchanged, with the least of a noise that is known beforehand.

    Capon (1969); with the coherence of a diffuse field as the noise it is the superdirective beamformer, which loading keeps from
    raising the noise of the microphones (Bitzer and Simmer 2001, eqs. 2.27 and 2.33).

    Args:
        steering: complex, shape (..., channels), 1 at the reference microphone.
        noise: covariances of the noise, shape (..., channels, channels).
        loading: power of a white noise that is added to `noise`, relative to its mean power.

    Returns:
        complex, shape (..., channels).
    """
    whitened = (_inverse(noise, loading) @ steering[..., None])[..., 0]
    weights: torch.Tensor = whitened / ((steering.conj() * whitened).sum(dim=-1, keepdim=True).real + TINY)
    return weights


def _inverse(noise: torch.Tensor, loading: float) -> torch.Tensor:
    """The inverse of covariances with white noise added, by Cholesky: half the work of a general solver."""
    power = torch.diagonal(noise, dim1=-2, dim2=-1).real.mean(dim=-1)
    white = (loading * power + TINY)[..., None, None] * torch.eye(noise.shape[-1], device=noise.device)
    return torch.cholesky_inverse(torch.linalg.cholesky_ex(noise + white).L)


def delay_and_sum(steering: torch.Tensor) -> torch.Tensor:
    """The filter that lines the channels up for a plane wave and averages them.

    Args:
        steering: complex64, shape (..., channels), 1 at the reference microphone.

    Returns:
        complex64, shape (..., channels).
    """
    return steering / steering.shape[-1]
