"""The vector of a line as it is stored: float32, a byte a number (SQ8), or a byte for eight numbers (PQ).

The length of a blob says its format: modulo four it is 0 for float32 (little-endian), 1 for SQ8, 2 for PQ. The last byte of the latter two
says how many bytes were added for that. SQ8 has a range for each vector, its least and its greatest number, as locally-adaptive vector
quantization has (Aguerrebere et al. 2023, arXiv 2304.04759); PQ is product quantisation (Jegou et al. 2011, PAMI 33(1)) with one codebook
for the memory (`vector_codebook.py`). Both say how far a number, and the vector, may lie from what was first stored.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.memory_errors import MemoryError_
from stages.memory.vectors.vector_codebook import PART, Codebook

FLOAT32, SQ8, PQ = 0, 1, 2
"""Formats of blobs, and of `lines.vector_format`."""
GONE, LEFT_ALONE = 3, 4
"""Of `lines.vector_format` alone: there is no vector any more; sleep has looked at it and lets it be."""
_LEVELS = 255
_SQ8_HEAD = struct.Struct("<ff")
_PQ_HEAD = struct.Struct("<ee")
_ROUNDED_UP = 1.001
_PQ_UNIT = 0.1


class VectorCodecError(MemoryError_):
    """A vector cannot be recompressed."""


class Rounded(NamedTuple):
    """Vectors as they are read, and how far they may lie from those that were first stored.

    `vectors` is float32, shape (n, dimension); `each`, float32, shape (n,), bounds how far any number may have moved, and `whole` how
    far the vector may have (the length of the difference). Both are 0 where the vector is as it was.
    """

    vectors: Float32Array
    each: Float32Array
    whole: Float32Array


def format_of(blob: bytes) -> int:
    """FLOAT32, SQ8 or PQ; 3 for bytes that are none of these."""
    return len(blob) % 4


def n_numbers(blob: bytes) -> int | None:
    """How many numbers a blob holds; None for bytes that are no vector."""
    kind = format_of(blob)
    if kind == FLOAT32:
        return len(blob) // 4 or None
    if kind == SQ8:
        return _sized(len(blob) - _SQ8_HEAD.size - blob[-1], blob[-1])
    if kind == PQ:
        return _sized(PART * (len(blob) - _PQ_HEAD.size - blob[-1]), blob[-1])
    return None


def as_float32(vector: Float32Array) -> bytes:
    """A vector as it is, 4 bytes a number."""
    return vector.astype("<f4").tobytes()


def as_sq8(vectors: Float32Array) -> list[bytes]:
    """Vectors, float32, shape (n, dimension), each in dimension + 8 bytes and 1 to 4 more (393 for 384 numbers).

    No number moves by more than half a step, which is a 255th of the vector's range (and the rounding of float32): a unit vector of 384
    numbers with a range of 0.4 moves by 0.015 at most. Raises VectorCodecError for one that is empty or not finite.
    """
    for vector in vectors:
        _check(vector)
    exact = vectors.astype(np.float64)
    low, high = exact.min(axis=1), exact.max(axis=1)
    scales, offsets = ((high - low) / _LEVELS).astype(np.float32), low.astype(np.float32)
    steps = np.where(scales > 0, scales, 1.0).astype(np.float64)
    codes = np.clip(np.rint((exact - offsets.astype(np.float64)[:, None]) / steps[:, None]), 0, _LEVELS)
    codes = np.where(scales[:, None] > 0, codes, 0).astype(np.uint8)
    heads = zip(scales, offsets, strict=True)
    return [_padded(_SQ8_HEAD.pack(*head) + row.tobytes(), SQ8) for head, row in zip(heads, codes, strict=True)]


def as_pq(vectors: Rounded, codebook: Codebook) -> list[bytes | None]:
    """Unit vectors, each in an eighth of dimension bytes and 5 to 8 more (54 for 384 numbers).

    `vectors` say how far they lie themselves from what was first stored; what they move now comes on top, and stands in the blobs. None
    for a vector that has not about unit length (a line without words has none): PQ keeps directions alone. Raises VectorCodecError for
    one that is not finite, or of another dimension.
    """
    for vector in vectors.vectors:
        _check(vector)
    if vectors.vectors.shape[1] != codebook.dimension:
        raise VectorCodecError(f"vectors of {vectors.vectors.shape[1]} numbers cannot be kept with a codebook for {codebook.dimension}")
    exact = vectors.vectors.astype(np.float64)
    codes = codebook.codes(vectors.vectors)
    moved = exact - codebook.decoded(codes)
    each = _ROUNDED_UP * (vectors.each + np.abs(moved).max(axis=1)) + 1e-6
    whole = _ROUNDED_UP * (vectors.whole + np.linalg.norm(moved, axis=1)) + 1e-6
    is_unit = np.abs(np.linalg.norm(exact, axis=1) - 1.0) <= _PQ_UNIT
    return [
        _padded(_PQ_HEAD.pack(each[place], whole[place]) + codes[place].tobytes(), PQ) if is_unit[place] else None
        for place in range(len(codes))
    ]


def decoded(
    blobs: Sequence[bytes], dimension: int | None = None, codebook: Codebook | None = None
) -> tuple[npt.NDArray[np.int64], Rounded]:
    """The places, int64, rising, of the blobs that can be read, and their vectors.

    Left out is what is no vector of `dimension` numbers (None: of as many as the first blob that is one), and PQ without its codebook.
    """
    if dimension is None:
        dimension = next((size for blob in blobs if (size := n_numbers(blob)) is not None), 0)
    by_form: dict[tuple[int, int], list[int]] = {}
    for place, blob in enumerate(blobs):
        by_form.setdefault((len(blob), blob[-1] if format_of(blob) else 0), []).append(place)
    parts: list[tuple[list[int], Rounded]] = []
    for (length, _), found in by_form.items():
        if n_numbers(blobs[found[0]]) == dimension:
            # A bytearray, so that whoever gets the vectors may write to them.
            joined = bytearray().join([blobs[place] for place in found])
            part = _read(np.frombuffer(joined, dtype=np.uint8).reshape(len(found), length), dimension, codebook)
            if part is not None:
                parts.append((found, part))
    if len(parts) == 1:
        return np.array(parts[0][0], dtype=np.int64), parts[0][1]
    vectors = np.zeros((len(blobs), dimension), dtype=np.float32)
    each, whole = np.zeros(len(blobs), dtype=np.float32), np.zeros(len(blobs), dtype=np.float32)
    for found, part in parts:
        vectors[found], each[found], whole[found] = part
    order = np.array(sorted(place for found, _ in parts for place in found), dtype=np.int64)
    if len(order) == len(blobs):
        return order, Rounded(vectors, each, whole)
    return order, Rounded(vectors[order], each[order], whole[order])


def _read(stack: npt.NDArray[np.uint8], dimension: int, codebook: Codebook | None) -> Rounded | None:
    """Blobs of one length as vectors."""
    kind = stack.shape[1] % 4
    nothing = np.zeros(len(stack), dtype=np.float32)
    if kind == FLOAT32:
        return Rounded(stack.view("<f4").astype(np.float32, copy=False), nothing, nothing)
    if kind == SQ8:
        head = np.ascontiguousarray(stack[:, : _SQ8_HEAD.size]).view("<f4").astype(np.float64)
        scale, offset = head[:, :1], head[:, 1:]
        with np.errstate(over="ignore", invalid="ignore"):
            steps = scale * stack[:, _SQ8_HEAD.size : _SQ8_HEAD.size + dimension]
            # Summed as float64, and rounded piece by piece: a question decodes hundreds, and a whole array more is a third of its time.
            vectors = np.add(offset, steps, out=np.empty(steps.shape, dtype=np.float32), casting="same_kind")
            reach = np.maximum(np.abs(offset), np.abs(offset + _LEVELS * scale))
            # Half a step; what scale, offset and the sum lose in float32 comes on top.
            each = (np.abs(scale) * (0.5 + 2**-15) + reach * 2**-22 + 1e-37)[:, 0]
            return Rounded(vectors, each.astype(np.float32), (each * np.sqrt(dimension)).astype(np.float32))
    if codebook is None or codebook.dimension != dimension:
        return None
    moved = np.ascontiguousarray(stack[:, : _PQ_HEAD.size]).view("<f2").astype(np.float32)
    codes = stack[:, _PQ_HEAD.size : _PQ_HEAD.size + dimension // PART]
    return Rounded(codebook.decoded(codes), moved[:, 0], moved[:, 1])


def _check(vector: Float32Array) -> None:
    if vector.ndim != 1 or not len(vector) or not np.isfinite(vector).all():
        raise VectorCodecError(
            f"a vector to be recompressed must be finite, shape (dimension,); found shape {vector.shape}"
            f" with {int((~np.isfinite(vector)).sum())} numbers that are not finite"
        )


def _padded(body: bytes, kind: int) -> bytes:
    n_more = (kind - len(body)) % 4 or 4
    return body + bytes(n_more - 1) + bytes([n_more])


def _sized(n_numbers_: int, n_more: int) -> int | None:
    return n_numbers_ if n_numbers_ > 0 and 1 <= n_more <= 4 else None
