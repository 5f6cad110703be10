"""24-bit PCM: how samples are kept on disk, and so what everybody hears, live, in a replay and after a crash.

Samples are rounded to 24 bits once, before anybody hears them. A 24-bit level is exact in float32, so writing and reading
change nothing any more.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array

Levels = npt.NDArray[np.int32]

SAMPLE_BYTES = 3
_FULL_SCALE = 2**23
# The highest level of a 16-bit converter: at or over it, a sample was most likely cut off.
_CLIPPED = 1.0 - 2.0**-15
_AU_MAGIC = b".snd"
_AU_UNKNOWN_SIZE = 0xFFFFFFFF
_AU_24_BIT = 4
_AU_HEADER = struct.Struct(">4sIIIII")
_AU_NOTE = b"Echoic\0\0"
AU_HEADER_BYTES = _AU_HEADER.size + len(_AU_NOTE)


@dataclass(frozen=True)
class Quantised:
    """Samples as 24-bit levels.

    `levels` is int32, shape (channels, frames), -2**23 to 2**23 - 1. `bad` are the stretches (first frame, number of
    frames) in which some channel held a value that is not a finite number; there that channel is 0.
    """

    levels: Levels
    n_clipped: int
    bad: tuple[tuple[int, int], ...]


def quantise(samples: Float32Array) -> Quantised:
    """Round samples, float32, shape (channels, frames), full scale +-1, to 24-bit levels."""
    finite = np.isfinite(samples)
    bad = () if finite.all() else runs(np.any(~finite, axis=0))
    clean = np.where(finite, samples, np.float32(0.0)).astype(np.float32) if bad else samples.astype(np.float32, copy=False)
    n_clipped = int(np.count_nonzero(np.abs(clean) >= _CLIPPED))
    levels = np.clip(np.rint(clean * np.float32(_FULL_SCALE)), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int32)
    return Quantised(levels=levels, n_clipped=n_clipped, bad=bad)


def to_float(levels: Levels) -> Float32Array:
    """Levels, int32, as float32 samples of the same shape; exact."""
    return levels.astype(np.float32) / np.float32(_FULL_SCALE)


def runs(marked: npt.NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """The stretches (first, length) in which `marked`, bool, shape (frames,), is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    return tuple((int(first), int(end - first)) for first, end in zip(edges[::2], edges[1::2], strict=True))


def pack(levels: Levels) -> bytes:
    """Levels, int32, shape (channels, frames), as interleaved big-endian 24-bit samples."""
    wide = np.ascontiguousarray(levels.T).astype(">i4")
    return wide.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()


def unpack(data: bytes, n_channels: int) -> Levels:
    """The levels, int32, shape (channels, frames), in what `pack` made; an unfinished last frame is left out."""
    n_frames = len(data) // (SAMPLE_BYTES * n_channels)
    narrow = np.frombuffer(data, dtype=np.uint8, count=n_frames * n_channels * SAMPLE_BYTES).reshape(-1, SAMPLE_BYTES)
    wide = np.zeros((len(narrow), 4), dtype=np.uint8)
    wide[:, :SAMPLE_BYTES] = narrow
    # Filled from the top, so that the shift down carries the sign.
    levels = (wide.view(">i4").astype(np.int32) >> 8).reshape(n_frames, n_channels)
    return np.ascontiguousarray(levels.T)


def au_header(sample_rate_hz: int, n_channels: int) -> bytes:
    """The head of an AU file of 24-bit samples that may grow: any audio tool plays it up to where it ends."""
    return _AU_HEADER.pack(_AU_MAGIC, AU_HEADER_BYTES, _AU_UNKNOWN_SIZE, _AU_24_BIT, sample_rate_hz, n_channels) + _AU_NOTE
