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
    n_channels = noise.shape[-1]
    power = torch.diagonal(noise, dim1=-2, dim2=-1).real.mean(dim=-1)
    white = (loading * power + TINY)[..., None, None] * torch.eye(n_channels, device=noise.device)
    ratio = torch.linalg.solve(noise + white, target)
    trace = torch.diagonal(ratio, dim1=-2, dim2=-1).real.sum(dim=-1)
    weights: torch.Tensor = ratio[..., reference] / (trace[..., None] + TINY)
    return weights


def delay_and_sum(steering: torch.Tensor) -> torch.Tensor:
    """The filter that lines the channels up for a plane wave and averages them.

    Args:
        steering: complex64, shape (..., channels), 1 at the reference microphone.

    Returns:
        complex64, shape (..., channels).
    """
    return steering / steering.shape[-1]
