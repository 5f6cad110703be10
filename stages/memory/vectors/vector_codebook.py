"""The codebook of product quantisation: for each eight numbers of a vector, 256 of which one byte names the nearest."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.vectors.vector_index import faiss_module

PART = 8
"""Numbers that share a byte."""
N_CENTRES = 256
LEAST_VECTORS = 9_984
"""A codebook is trained on no fewer vectors: 39 for each of its centres, as FAISS asks for."""
MOST_VECTORS = 16_384
"""And on no more, so that it takes a few seconds however large the memory is."""
_N_ITERATIONS = 10
_SEED = 1234

_kept: dict[tuple[int, int], Codebook] = {}


@dataclass(frozen=True)
class Codebook:
    """`centres` is float32, shape (dimension / 8, 256, 8)."""

    centres: Float32Array

    @property
    def dimension(self) -> int:
        """Of the vectors that it is for."""
        return PART * len(self.centres)

    def codes(self, vectors: Float32Array) -> npt.NDArray[np.uint8]:
        """The nearest centres of vectors (float32, shape (n, dimension)), uint8, shape (n, dimension / 8); of equals the first."""
        faiss = faiss_module()
        quantiser = faiss.ProductQuantizer(self.dimension, len(self.centres), 8)
        faiss.copy_array_to_vector(np.ascontiguousarray(self.centres).ravel(), quantiser.centroids)
        codes: npt.NDArray[np.uint8] = quantiser.compute_codes(np.ascontiguousarray(vectors, dtype=np.float32))
        return codes

    def decoded(self, codes: npt.NDArray[np.uint8]) -> Float32Array:
        """The vectors that codes stand for, float32, shape (n, dimension), stretched to unit length.

        Means of many vectors are shorter than these, and lines must not seem less like a question for their age.
        """
        vectors: Float32Array = self.centres[np.arange(len(self.centres)), codes].reshape(len(codes), self.dimension)
        lengths = np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
        unit: Float32Array = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
        return unit


def trained(vectors: Float32Array) -> Codebook:
    """A codebook for vectors, float32, shape (n, dimension), dimension a multiple of 8: k-means by FAISS. The same give the same."""
    faiss = faiss_module()
    dimension = vectors.shape[1]
    quantiser = faiss.ProductQuantizer(dimension, dimension // PART, 8)
    quantiser.cp.niter, quantiser.cp.seed, quantiser.cp.min_points_per_centroid = _N_ITERATIONS, _SEED, 1
    quantiser.train(np.ascontiguousarray(vectors, dtype=np.float32))
    centres = faiss.vector_to_array(quantiser.centroids).reshape(dimension // PART, N_CENTRES, PART)
    return Codebook(np.array(centres, dtype=np.float32))


def store(connection: sqlite3.Connection, codebook: Codebook) -> None:
    """Keep a codebook; one that is there already stays, since vectors are read with it."""
    blob = codebook.centres.astype("<f4").tobytes()
    connection.execute(
        "INSERT INTO vector_codebooks (one, dimension, centres, crc32) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING",
        (codebook.dimension, blob, zlib.crc32(blob)),
    )


def stored(connection: sqlite3.Connection) -> Codebook | None:
    """The codebook of a memory; None where there is none, or it is no longer as it was stored."""
    key = connection.execute("SELECT dimension, crc32 FROM vector_codebooks").fetchone()
    if key is None:
        return None
    if key not in _kept:
        dimension, checksum = key
        (blob,) = connection.execute("SELECT centres FROM vector_codebooks").fetchone()
        if zlib.crc32(blob) != checksum or len(blob) != 4 * N_CENTRES * dimension or dimension % PART:
            return None
        if len(_kept) >= 4:
            _kept.clear()
        _kept[key] = Codebook(np.frombuffer(blob, dtype="<f4").astype(np.float32).reshape(dimension // PART, N_CENTRES, PART))
    return _kept[key]


def is_damaged(connection: sqlite3.Connection) -> bool:
    """Whether there is a codebook that is no longer as it was stored: vectors in PQ cannot be read then."""
    row = connection.execute("SELECT centres, crc32 FROM vector_codebooks").fetchone()
    return row is not None and zlib.crc32(row[0]) != row[1]
