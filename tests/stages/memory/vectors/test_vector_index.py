from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from stages.memory.vectors.vector_index import Batch, IndexKind, VectorIndex, make_index
from stages.memory.vectors.whole_index import WholeIndex

GENERATOR = np.random.default_rng(5)
VECTORS = GENERATOR.standard_normal((300, 32)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
ROWS = np.arange(10, 910, 3, dtype=np.int64)


def batches(count: int = 300) -> Iterator[Batch]:
    for first in range(0, count, 100):
        yield Batch(ROWS[first : min(first + 100, count)], VECTORS[first : min(first + 100, count)])


def opened(folder: Path | None, kind: IndexKind = "flat") -> VectorIndex:
    table = dict(zip(ROWS.tolist(), VECTORS, strict=True))
    index = make_index(folder, kind, 32)
    index.open(lambda row: Batch(np.array([row], dtype=np.int64), table[row][None, :]) if row in table else None)
    return index


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_finds_what_brute_force_finds(kind: IndexKind) -> None:
    index = opened(None, kind)
    index.catch_up(batches())
    wanted = ROWS[np.argsort(-(VECTORS @ VECTORS[7]), kind="stable")[:5]]
    found = index.search(VECTORS[7], 5)
    assert [row for row, _ in found] == wanted.tolist()
    assert found[0][1] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_excluded_rows_are_not_found(kind: IndexKind) -> None:
    index = opened(None, kind)
    index.catch_up(batches())
    excluded = np.array([*ROWS[:290], 5000], dtype=np.int64)
    assert {row for row, _ in index.search(VECTORS[0], 300, excluded)} == set(ROWS[290:].tolist())


def test_an_empty_index_finds_nothing() -> None:
    assert opened(None).search(VECTORS[0], 3) == []


def test_a_snapshot_is_read_back_and_caught_up(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.catch_up(batches(200))
    index.save()
    again = opened(tmp_path)
    assert (again.n_rows, again.n_unsaved) == (200, 0)
    again.catch_up(batches())
    assert (again.n_rows, again.n_unsaved) == (300, 100)
    assert again.search(VECTORS[250], 1)[0][0] == ROWS[250]
    assert again.differences(batches()) == 0


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "foreign"])
def test_a_damaged_snapshot_is_built_anew(tmp_path: Path, damage: str) -> None:
    index = opened(tmp_path)
    index.catch_up(batches())
    index.save()
    path = tmp_path / "vectors.faiss"
    data = bytearray(path.read_bytes())
    if damage == "truncated":
        del data[len(data) // 2 :]
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
    elif damage == "emptied":
        data.clear()
    else:
        data[:4] = b"NOPE"
    path.write_bytes(data)
    again = opened(tmp_path)
    assert again.n_rows == 0
    again.catch_up(batches())
    assert again.differences(batches()) == 0


def test_a_snapshot_of_another_memory_is_not_used(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.catch_up(iter([Batch(ROWS, VECTORS[::-1].copy())]))
    index.save()
    assert opened(tmp_path).n_rows == 0


def test_another_kind_is_built_anew(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.catch_up(batches())
    index.save()
    assert opened(tmp_path, "hnsw").n_rows == 0


def test_differences_are_counted() -> None:
    index = opened(None)
    index.catch_up(batches(299))
    assert index.differences(batches()) == 1
    changed = VECTORS.copy()
    changed[3] = -changed[3]
    assert index.differences(iter([Batch(ROWS[:299], changed[:299])])) == 1


def follow(index: VectorIndex, gone: npt.NDArray[np.int64]) -> None:
    """As `FollowedIndex` does, where `gone` are all rows that were ever removed, in order."""
    index.remove(gone[index.removed_to :])
    index.removed_to = len(gone)


def kept(gone: npt.NDArray[np.int64]) -> Iterator[Batch]:
    there = ~np.isin(ROWS, gone)
    yield Batch(ROWS[there], VECTORS[there])


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_rows_that_were_removed_are_not_found_whether_saved_before_or_after(tmp_path: Path, kind: IndexKind) -> None:
    index = opened(tmp_path, kind)
    index.catch_up(batches())
    index.save()
    gone = ROWS[[40, 41, 7, 260]]
    for count in (1, 4):
        follow(index, gone[:count])
        found = {row for row, _ in index.search(VECTORS[40], 300)}
        assert found == set(ROWS.tolist()) - set(gone[:count].tolist())
        assert {row for row, _ in index.search(VECTORS[40], 300, allowed=np.sort(gone))} == set(gone[count:].tolist())
        assert index.n_rows == 300 - count
        assert index.differences(kept(gone[:count])) == 0
    assert not index.wants_save
    again = opened(tmp_path, kind)
    assert (again.n_rows, again.removed_to) == (300, 0)
    index.save()
    again = opened(tmp_path, kind)
    follow(again, gone)
    assert again.n_rows == 296
    assert again.differences(kept(gone)) == 0
    more = np.concatenate([gone, ROWS[100:101]])
    follow(again, more)
    again.save()
    last = opened(tmp_path, kind)
    follow(last, more)
    assert last.differences(kept(more)) == 0


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_purging_leaves_no_byte_of_what_was_removed(tmp_path: Path, kind: IndexKind) -> None:
    index = opened(tmp_path, kind)
    index.catch_up(batches())
    follow(index, ROWS[40:41])
    index.purge()
    index.save()
    data = (tmp_path / "vectors.faiss").read_bytes()
    assert VECTORS[41].tobytes() in data
    assert VECTORS[40].tobytes() not in data
    again = opened(tmp_path, kind)
    assert (again.n_rows, again.removed_to) == (299, 1)
    assert again.search(VECTORS[200], 1)[0][0] == ROWS[200]
    assert again.differences(kept(ROWS[40:41])) == 0


def test_a_graph_is_built_anew_when_an_eighth_of_it_has_gone() -> None:
    index = opened(None, "hnsw")
    index.catch_up(batches())
    follow(index, ROWS[:37])
    assert isinstance(index, WholeIndex)
    assert index._index.ntotal == 300
    follow(index, ROWS[:38])
    assert index._index.ntotal == 262
    assert index.differences(kept(ROWS[:38])) == 0
    assert index.search(VECTORS[200], 1)[0][0] == ROWS[200]
