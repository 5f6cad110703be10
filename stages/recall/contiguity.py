"""What was said around a line: how near lines of one conversation lie to each other in time, and what they are about together.

Contiguity in the sense of EM-LLM (Fountas et al. 2024, arXiv 2407.09450): what was said just before and after belongs to a line. Windows
of several lengths are several granularities of the same talk (MemGAS, Xu et al. 2025, arXiv 2505.19549).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.rows import LineRow

REACH_S = 60.0
"""What lies further off than this is not looked at."""
_MOST_WORDS = 40

Times = npt.NDArray[np.int64]
"""Times of lines in their session, in nanoseconds."""


def times_ns(lines: Sequence[LineRow]) -> tuple[Times, Times]:
    """Where lines begin and where they end, int64, shape (n,)."""
    return np.array([line.start_ns for line in lines], dtype=np.int64), np.array([line.end_ns for line in lines], dtype=np.int64)


def gaps_s(lines: Sequence[LineRow]) -> Float32Array:
    """The seconds of silence or other talk between any two lines, float32, shape (n, n); 0 where they overlap."""
    return gaps_between_s(*times_ns(lines))


def gaps_between_s(starts_ns: Times, ends_ns: Times) -> Float32Array:
    """The same of `times_ns`, of one conversation (shape (n,)) or of several with as many lines (shape (..., n)); shape (..., n, n)."""
    return apart_s(starts_ns[..., :, None], ends_ns[..., :, None], starts_ns[..., None, :], ends_ns[..., None, :])


def apart_s(starts_ns: Times, ends_ns: Times, other_starts_ns: Times, other_ends_ns: Times) -> Float32Array:
    """The seconds between each of some lines and another one, float32; 0 where they overlap. Shapes broadcast."""
    apart = np.maximum(starts_ns - other_ends_ns, other_starts_ns - ends_ns)
    gaps: Float32Array = (np.maximum(apart, 0) / NS_PER_S).astype(np.float32)
    return gaps


def closeness(gaps: Float32Array, scale_s: float) -> Float32Array:
    """How much two lines belong together, 1 for neighbours, falling by e every `scale_s`, and 0 beyond `REACH_S`; shaped as `gaps`."""
    near: Float32Array = np.where(gaps <= REACH_S, np.exp(-gaps / np.float32(scale_s)), np.float32(0.0)).astype(np.float32, copy=False)
    return near


def meanings(near: Float32Array, vectors: Float32Array, n_words: Float32Array) -> Float32Array:
    """The meaning of the talk around each line: the mean of vectors, by closeness and length; float32, shape (n, dimension), unit length.

    A line counts by its words, up to 40: an "okay" says nothing about what is being talked about.
    """
    summed = near @ (vectors * np.minimum(n_words, _MOST_WORDS)[:, None])
    around: Float32Array = (summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return around


def likeness(near: Float32Array, cosines: Float32Array, alike: Float32Array, n_words: Float32Array) -> Float32Array:
    """How like a vector of unit length the `meanings` around each line are, without making these; float32, shape (..., n).

    `cosines` (shape (..., n)) are those of the lines' vectors with that vector, `alike` (shape (..., n, n)) those with each other; `near`
    is of that shape, `n_words` of shape (..., n).
    """
    shares = near * np.minimum(n_words, _MOST_WORDS)[..., None, :]
    squares = ((shares @ alike) * shares).sum(axis=-1)
    around: Float32Array = ((shares @ cosines[..., None])[..., 0] / np.sqrt(np.maximum(squares, 1e-18))).astype(np.float32)
    return around


def presence(near: Float32Array, has_term: Float32Array, rarity: Float32Array) -> Float32Array:
    """Which share of the terms (by their rarity) was said around each line, 0 to 1, float32, shape (..., n).

    `near` has the shape (..., n, n); `has_term` is float32, shape (..., n, terms), 1 where a line holds a term. A term counts once, however
    often it was said.
    """
    # BLAS may set the flag of an invalid operation by what lies beside a small matrix. It was seen once, over numbers that are all finite,
    # and not when the same was asked again.
    with np.errstate(invalid="ignore"):
        said: Float32Array = np.minimum(near @ has_term, 1.0) @ rarity / max(float(rarity.sum()), 1e-9)
    return said.astype(np.float32)
