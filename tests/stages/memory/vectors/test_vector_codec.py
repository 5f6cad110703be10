"""Formats of vectors: what rounding costs is bounded, said, and no more; what is no vector is left out."""

from __future__ import annotations

import sqlite3
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

from pipeline.packets import Float32Array
from stages.memory.vectors import vector_codebook, vector_codec, vector_tables
from stages.memory.vectors.vector_codebook import Codebook
from stages.memory.vectors.vector_codec import FLOAT32, PQ, SQ8, VectorCodecError, as_float32, as_pq, as_sq8, decoded, format_of, n_numbers
from tests.stages.memory.made_vectors import clustered, exactly

VECTORS = numpy_st.arrays(
    np.float32,
    st.integers(1, 40),
    elements=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False),
)


def sq8(vector: Float32Array) -> bytes:
    return as_sq8(vector[None, :])[0]


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return vector_codebook.trained(clustered(1000, dimension=32, spread=0.3))


@settings(max_examples=300, deadline=None)
@given(vector=VECTORS)
def test_no_number_moves_farther_than_a_byte_a_number_says(vector: Float32Array) -> None:
    blob = sq8(vector)
    assert (format_of(blob), n_numbers(blob)) == (SQ8, len(vector))
    assert len(vector) + 9 <= len(blob) <= len(vector) + 12
    places, read = decoded([blob])
    assert places.tolist() == [0]
    moved = np.abs(read.vectors[0].astype(np.float64) - vector)
    assert moved.max() <= read.each[0]
    assert np.linalg.norm(moved) <= read.whole[0]
    step = (float(vector.max()) - float(vector.min())) / 255
    assert read.each[0] <= 0.501 * step + 1e-6 * float(np.abs(vector).max()) + 1e-36


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**31), dimension=st.integers(2, 400), n_large=st.integers(0, 3))
def test_a_unit_vector_keeps_its_length_and_its_direction(seed: int, dimension: int, n_large: int) -> None:
    vector = np.random.default_rng(seed).standard_normal(dimension)
    vector[:n_large] *= 30.0
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    _, read = decoded([sq8(unit)])
    assert abs(float(np.linalg.norm(read.vectors[0])) - 1.0) <= read.whole[0] + 1e-6
    assert float(read.vectors[0] @ unit) >= 1.0 - float(read.whole[0]) ** 2 / 2 - float(read.whole[0]) * 1e-3 - 1e-2


def test_a_vector_of_words_moves_by_little() -> None:
    vectors = clustered(500)
    _, read = decoded(as_sq8(vectors))
    assert len(sq8(vectors[0])) == 393
    assert np.abs(np.linalg.norm(read.vectors, axis=1) - 1.0).max() < 2e-3
    assert (read.vectors * vectors).sum(axis=1).min() > 0.998
    assert read.whole.max() < 0.025


@settings(max_examples=200, deadline=None)
@given(vector=VECTORS)
def test_what_is_not_rounded_comes_back_as_it_was(vector: Float32Array) -> None:
    blob = as_float32(vector)
    assert (format_of(blob), n_numbers(blob)) == (FLOAT32, len(vector))
    _, read = decoded([blob])
    assert read.vectors[0].tobytes() == vector.tobytes()
    assert (read.each[0], read.whole[0]) == (0.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_a_byte_for_eight_numbers_says_how_far_it_moved_them(codebook: Codebook, seed: int) -> None:
    vectors = clustered(5, seed, dimension=32)
    first = decoded(as_sq8(vectors))[1]
    for source in (exactly(vectors), first):
        blobs = [blob for blob in as_pq(source, codebook) if blob is not None]
        assert {(format_of(blob), n_numbers(blob), len(blob)) for blob in blobs} == {(PQ, 32, 10)}
        _, read = decoded(blobs, 32, codebook)
        moved = np.abs(read.vectors.astype(np.float64) - vectors)
        assert (moved.max(axis=1) <= read.each).all()
        assert (np.linalg.norm(moved, axis=1) <= read.whole).all()
        assert (read.each <= 1.01 * moved.max(axis=1) + 0.02).all()
        assert np.allclose(np.linalg.norm(read.vectors, axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(codebook: Codebook, value: float) -> None:
    vector = clustered(1, dimension=32)[0]
    vector[7] = value
    with pytest.raises(VectorCodecError, match=r"must be finite.* with 1 numbers that are not finite"):
        sq8(vector)
    with pytest.raises(VectorCodecError, match="must be finite"):
        as_pq(exactly(vector[None, :]), codebook)
    with pytest.raises(VectorCodecError, match=r"found shape \(0,\)"):
        sq8(np.zeros(0, dtype=np.float32))


def test_vectors_without_a_direction_or_of_another_length_get_no_codes(codebook: Codebook) -> None:
    assert as_pq(exactly(np.zeros((1, 32), dtype=np.float32)), codebook) == [None]
    with pytest.raises(VectorCodecError, match="vectors of 16 numbers cannot be kept with a codebook for 32"):
        as_pq(exactly(clustered(1, dimension=16)), codebook)
    assert decoded([sq8(np.zeros(32, dtype=np.float32))])[1].vectors.tolist() == [[0.0] * 32]


def test_formats_stand_side_by_side_and_what_is_no_vector_is_left_out(codebook: Codebook) -> None:
    vectors = clustered(3, dimension=32)
    (small,) = as_pq(exactly(vectors[2:]), codebook)
    assert small is not None
    blobs = [as_float32(vectors[0]), b"", b"\0" * 7, sq8(vectors[1]), as_float32(vectors[0][:16]), small, sq8(vectors[0][:31])]
    places, read = decoded(blobs, 32, codebook)
    assert places.tolist() == [0, 3, 5]
    assert (np.linalg.norm(read.vectors - vectors, axis=1) <= read.whole).all()
    assert decoded(blobs, 32)[0].tolist() == [0, 3]
    assert decoded(blobs)[0].tolist() == [0, 3]
    assert decoded([], 32)[1].vectors.shape == (0, 32)


@settings(max_examples=300, deadline=None)
@given(blobs=st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_read_or_left_out(blobs: list[bytes]) -> None:
    places, read = decoded(blobs, 8)
    assert len(read.vectors) == len(read.each) == len(read.whole) == len(places)
    assert all(n_numbers(blobs[place]) == 8 for place in places)


def test_the_same_vectors_train_the_same_codebook_which_finds_the_nearest_centres(codebook: Codebook) -> None:
    again = vector_codebook.trained(clustered(1000, dimension=32, spread=0.3))
    assert again.centres.tobytes() == codebook.centres.tobytes()
    vectors = clustered(50, 3, dimension=32)
    parts = vectors.reshape(50, 4, 1, 8)
    nearest = ((parts - codebook.centres[None]) ** 2).sum(axis=3).argmin(axis=2)
    assert (codebook.codes(vectors) == nearest).mean() > 0.99


def test_a_codebook_is_kept_once_and_not_read_when_it_is_damaged(codebook: Codebook) -> None:
    connection = sqlite3.connect(":memory:")
    table = vector_tables.TABLES[vector_tables.TABLES.index("CREATE TABLE vector_codebooks") :]
    connection.execute(table)
    assert vector_codebook.stored(connection) is None
    vector_codebook.store(connection, codebook)
    vector_codebook.store(connection, Codebook(codebook.centres + 1))
    found = vector_codebook.stored(connection)
    assert found is not None
    assert found.centres.tobytes() == codebook.centres.tobytes()
    assert not vector_codebook.is_damaged(connection)
    blob = bytearray(codebook.centres.tobytes())
    blob[5] ^= 1
    connection.execute("UPDATE vector_codebooks SET centres = ?, crc32 = ?", (bytes(blob), zlib.crc32(codebook.centres.tobytes())))
    vector_codebook._kept.clear()
    assert vector_codebook.is_damaged(connection)
    assert vector_codebook.stored(connection) is None
    assert vector_codec.decoded([b"\0" * 9 + b"\1"], 32, None)[0].tolist() == []
    connection.close()
