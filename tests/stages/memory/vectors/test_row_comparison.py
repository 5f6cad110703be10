"""Rows of an index against rounded ones of the database: what rounding explains is none, what it does not is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.memory.vectors import vector_codebook, vector_codec
from stages.memory.vectors.ivf_index import IvfIndex
from stages.memory.vectors.vector_codec import Rounded
from stages.memory.vectors.vector_index import REMOVED, Batch, IndexKind, VectorIndex
from stages.memory.vectors.whole_index import WholeIndex
from tests.stages.memory.made_vectors import clustered, exactly

DIMENSION = 128
VECTORS = clustered(1500, 1, DIMENSION, spread=0.5)
ROWS = np.arange(7, 7 + 2 * 1500, 2, dtype=np.int64)
KINDS: tuple[IndexKind, ...] = ("flat", "hnsw", "ivf_sq8", "ivf_pq")


def sq8(vectors: Float32Array) -> Rounded:
    return vector_codec.decoded(vector_codec.as_sq8(vectors))[1]


def pq(vectors: Float32Array) -> Rounded:
    codebook = vector_codebook.trained(clustered(4000, 1, DIMENSION, spread=0.5))
    blobs = [blob for blob in vector_codec.as_pq(sq8(vectors), codebook) if blob is not None]
    return vector_codec.decoded(blobs, DIMENSION, codebook)[1]


ROUNDED = {"sq8": sq8(VECTORS), "pq": pq(VECTORS), "old ones": Rounded(*(np.concatenate(pair) for pair in zip(
    (column[:700] for column in sq8(VECTORS)), (column[700:] for column in exactly(VECTORS)), strict=True)))}  # fmt: skip


def batches(read: Rounded) -> Iterator[Batch]:
    for start in range(0, len(ROWS), 400):
        yield Batch(ROWS[start : start + 400], *(column[start : start + 400] for column in read))


def made(kind: IndexKind, folder: Path | None) -> VectorIndex:
    if kind == "flat" or kind == "hnsw":
        return WholeIndex(folder, kind, DIMENSION)
    return IvfIndex(folder, kind, DIMENSION, 500)


def index_of(kind: IndexKind, vectors: Float32Array, folder: Path | None = None) -> VectorIndex:
    index = made(kind, folder)
    index.open(lambda _row: None)
    index.catch_up(iter([Batch(ROWS, vectors)]))
    index.tend()
    return index


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ROUNDED)
def test_an_index_of_before_and_one_that_is_built_anew_fit_rounded_rows(kind: IndexKind, how: str) -> None:
    assert index_of(kind, VECTORS).differences(batches(ROUNDED[how])) == 0
    assert index_of(kind, ROUNDED[how].vectors).differences(batches(ROUNDED[how])) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ROUNDED)
def test_rows_that_are_others_are_told(kind: IndexKind, how: str) -> None:
    changed = VECTORS.copy()
    changed[[3, 900]] = changed[[900, 3]]
    assert index_of(kind, changed).differences(batches(ROUNDED[how])) == 2


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_a_number_that_is_farther_off_than_rounding_goes_is_told(kind: IndexKind) -> None:
    read = ROUNDED["sq8"]
    for by, n_wrong in ((0.5, 0), (2.5, 1), (-2.5, 1)):
        changed = read.vectors.copy()
        changed[11, 5] += np.float32(by * read.each[11])
        assert index_of(kind, changed).differences(batches(read)) == n_wrong
    for bit in (23, 25, 30, 31):
        flipped = VECTORS.copy()
        flipped.view(np.uint32)[11, 5] ^= np.uint32(1 << bit)
        assert index_of(kind, flipped).differences(batches(read)) == 1, bit


def flip(index: VectorIndex, mask: int) -> None:
    """Change one code of a trained index in RAM."""
    import faiss

    assert isinstance(index, IvfIndex)
    inner = index._index
    number = next(n for n in range(inner.nlist) if inner.invlists.list_size(n) > 3)
    codes = faiss.rev_swig_ptr(inner.invlists.get_codes(number), 3 * inner.code_size)
    codes[inner.code_size + 5] ^= mask


@pytest.mark.parametrize("bit", range(8))
def test_a_code_that_is_farther_off_than_rounding_goes_is_told(bit: int) -> None:
    index = index_of("ivf_sq8", VECTORS)
    assert index.differences(batches(ROUNDED["sq8"])) == 0
    flip(index, 1 << bit)
    assert index.differences(batches(exactly(VECTORS))) == 1
    # The ranges of an index's codes and of a vector are about the same, so a code or two is what rounding explains.
    assert index.differences(batches(ROUNDED["sq8"])) == 1 or bit < 2


@pytest.mark.parametrize("mask", [1, 6, 64, 255])
def test_a_code_of_eight_numbers_that_is_another_is_told(mask: int) -> None:
    index = index_of("ivf_pq", VECTORS)
    flip(index, mask)
    assert index.differences(batches(ROUNDED["sq8"])) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["sq8", "pq"])
def test_a_file_of_this_memory_is_used_after_rounding_and_that_of_another_is_not(tmp_path: Path, kind: IndexKind, how: str) -> None:
    index_of(kind, VECTORS, tmp_path).save()
    places = {row: place for place, row in enumerate(ROWS.tolist())}

    def stored(row: int, by: int = 0) -> Batch | None:
        place = (places[row] + by) % len(ROWS)
        return Batch(np.array([row], dtype=np.int64), *(column[place : place + 1] for column in ROUNDED[how]))

    def reopened() -> VectorIndex:
        return made(kind, tmp_path)

    again = reopened()
    again.open(stored)
    assert again.n_rows == len(ROWS)
    other = reopened()
    other.open(lambda row: stored(row, 77))
    assert other.n_rows == 0
    removed = reopened()
    removed.open(lambda _row: REMOVED)
    assert removed.n_rows == len(ROWS)
