"""Sounds that tests of the memory share."""

from __future__ import annotations

import numpy as np

from pipeline.packets import Float32Array, SoundEvent, nanoseconds


def embedding(seed: int, noise: float = 0.0, noise_seed: int = 0) -> Float32Array:
    """A direction in 1024 dimensions, float32, of unit length; with `noise`, another near it."""
    vector = np.random.default_rng(seed).standard_normal(1024)
    vector /= np.linalg.norm(vector)
    if noise:
        other = np.random.default_rng(10_000 + noise_seed).standard_normal(1024)
        vector = vector + noise * other / np.linalg.norm(other)
    unit: Float32Array = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def sound(
    label: str | None, start_s: float, duration_s: float = 0.5, seed: int = 0, noise: float = 0.0, azimuth_deg: float | None = 40.0
) -> SoundEvent:
    return SoundEvent(
        pts_ns=nanoseconds(start_s),
        duration_ns=nanoseconds(duration_s),
        label=label,
        score=0.8 if label else 0.2,
        azimuth_deg=azimuth_deg,
        elevation_deg=None,
        embedding=embedding(seed, noise, noise_seed=round(100 * start_s)),
    )
