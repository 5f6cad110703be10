"""What one chunk says about each channel by itself: silence, clipping, offset. Arrays in, arrays out, no memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FULL_SCALE = 0.9985
FLAT_RUN = 4
FLAT_LEAST_PEAK = 0.1
CLIPPED_SHARE = 0.002
"""This share of the samples of a chunk must lie on a flat top or at full scale: 8 of 4096."""


@dataclass(frozen=True)
class Levels:
    """`mean`, `power` (without the mean), float64; `constant`, `clipped`, bool; `peak`, float64: all of shape (channels,)."""

    mean: Float64Array
    power: Float64Array
    peak: Float64Array
    constant: BoolArray
    clipped: BoolArray


def levels(chunk: Float32Array) -> Levels:
    """Judge a chunk, float32, shape (channels, frames), full scale +-1."""
    high, low = chunk.max(axis=1), chunk.min(axis=1)
    mean = chunk.mean(axis=1, dtype=np.float64)
    power = np.mean(np.square(chunk), axis=1, dtype=np.float64) - mean**2
    peak = np.maximum(high, -low).astype(np.float64)
    constant = high == low
    clipped = np.zeros(len(chunk), dtype=bool)
    for index in np.flatnonzero((peak >= FLAT_LEAST_PEAK) & ~constant):
        clipped[index] = _share_clipped(chunk[index], high[index], low[index]) >= CLIPPED_SHARE
    return Levels(mean, np.maximum(power, 0.0), peak, constant, clipped)


def _share_clipped(samples: Float32Array, high: float, low: float) -> float:
    """The share of samples at full scale or on flat tops: runs of at least four equal samples at the chunk's own extremes."""
    at_extreme = (samples >= high) | (samples <= low)
    same = at_extreme[1:] & (samples[1:] == samples[:-1])
    run = np.ones(len(samples) - FLAT_RUN + 1, dtype=bool)
    for shift in range(FLAT_RUN - 1):
        run &= same[shift : len(run) + shift]
    flat = np.zeros(len(samples), dtype=bool)
    for shift in range(FLAT_RUN):
        flat[shift : len(run) + shift] |= run
    # A single peak that just reaches full scale is no clipping: two samples in a row must.
    full = np.abs(samples) >= FULL_SCALE
    full[1:] &= full[:-1] | (np.append(full[2:], False) if len(full) > 1 else full[1:])
    return float(np.mean(flat | full))
