from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from stages.memory.vectors.ivf_index import IvfIndex
from stages.memory.vectors.vector_index import Batch, VectorIndexError, make_index

GENERATOR = np.random.default_rng(6)
CENTRES = GENERATOR.standard_normal((40, 32)).astype(np.float32)
VECTORS = CENTRES[GENERATOR.integers(40, size=3000)] + 0.5 * GENERATOR.standard_normal((3000, 32)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
ROWS = np.arange(5, 9005, 3, dtype=np.int64)
TABLE = dict(zip(ROWS.tolist(), VECTORS, strict=True))
Kind = Literal["ivf_sq8", "ivf_pq"]


def batches(first: int = 0, last: int = 3000) -> Iterator[Batch]:
    for start in range(first, last, 250):
        yield Batch(ROWS[start : min(start + 250, last)], VECTORS[start : min(start + 250, last)])


def stored(row: int) -> Batch | None:
    return Batch(np.array([row], dtype=np.int64), TABLE[row][None, :]) if row in TABLE else None


def opened(folder: Path | None, kind: Kind = "ivf_sq8") -> IvfIndex:
    index = IvfIndex(folder, kind, 32, first_training=500)
    index.open(stored)
    return index


def filled(folder: Path | None, kind: Kind = "ivf_sq8") -> IvfIndex:
    index = opened(folder, kind)
    for batch in batches():
        index.catch_up(iter([batch]))
        index.tend()
    return index


def recall(index: IvfIndex, k: int = 10, within: int = 10) -> float:
    found = [{row for row, _ in index.search(VECTORS[place], within)} for place in range(0, 3000, 100)]
    best = [set(ROWS[np.argsort(-(VECTORS @ VECTORS[place]), kind="stable")[:k]].tolist()) for place in range(0, 3000, 100)]
    return float(np.mean([len(mine & theirs) / k for mine, theirs in zip(found, best, strict=True)]))


@pytest.mark.parametrize(("kind", "within"), [("ivf_sq8", 10), ("ivf_pq", 200)])
def test_it_finds_what_brute_force_finds_after_training(kind: Kind, within: int) -> None:
    index = filled(None, kind)
    assert index.n_rows == 3000
    assert index.n_unsaved == 3000
    assert recall(index, within=within) >= 0.95


def test_before_the_first_training_it_is_exact() -> None:
    index = opened(None)
    index.catch_up(batches(0, 400))
    index.tend()
    best = np.argsort(-(VECTORS[:400] @ VECTORS[7]), kind="stable")[:5]
    found = index.search(VECTORS[7], 5)
    assert [row for row, _ in found] == ROWS[best].tolist()
    assert found[0][1] == pytest.approx(1.0, abs=1e-5)


def test_the_same_rows_give_the_same_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        filled(tmp_path / name).save()
    assert (tmp_path / "one/vectors.ivf").read_bytes() == (tmp_path / "two/vectors.ivf").read_bytes()


@pytest.mark.parametrize("kind", ["ivf_sq8", "ivf_pq"])
def test_what_is_new_is_added_to_the_file(tmp_path: Path, kind: Kind) -> None:
    index = opened(tmp_path, kind)
    index.catch_up(batches(0, 2000))
    index.tend()
    index.save()
    before = (tmp_path / "vectors.ivf").read_bytes()
    index.catch_up(batches(2000, 2250))
    assert index.n_unsaved == 250
    index.save()
    assert (tmp_path / "vectors.ivf").read_bytes()[: len(before)] == before
    again = opened(tmp_path, kind)
    assert (again.n_rows, again.n_unsaved, again.last_row) == (2250, 0, int(ROWS[2249]))
    assert again.search(VECTORS[2100], 5) == index.search(VECTORS[2100], 5)
    assert again.differences(batches(0, 2250)) == 0


@pytest.mark.parametrize("cut", [1, 3000, 9000])
def test_a_torn_end_is_caught_up_and_written_over(tmp_path: Path, cut: int) -> None:
    index = opened(tmp_path)
    index.catch_up(batches(0, 1000))
    index.tend()
    index.save()
    whole = (tmp_path / "vectors.ivf").stat().st_size
    index.catch_up(batches(1000, 1250))
    index.save()
    path = tmp_path / "vectors.ivf"
    path.write_bytes(path.read_bytes()[: max(whole + 1, path.stat().st_size - cut)])
    again = opened(tmp_path)
    assert again.n_rows == 1000
    again.catch_up(batches(0, 1500))
    again.save()
    last = opened(tmp_path)
    assert last.n_rows == 1500
    assert last.differences(batches(0, 1500)) == 0


@pytest.mark.parametrize("place", [3, 40, 300, 20000])
def test_a_flipped_bit_costs_only_what_follows_it(tmp_path: Path, place: int) -> None:
    filled(tmp_path).save()
    path = tmp_path / "vectors.ivf"
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    again = opened(tmp_path)
    assert again.n_rows < 3000
    again.catch_up(batches())
    assert again.n_rows == 3000
    assert again.differences(batches()) == 0


def test_the_file_of_another_kind_or_memory_is_not_used(tmp_path: Path) -> None:
    filled(tmp_path).save()
    assert opened(tmp_path, "ivf_pq").n_rows == 0
    other = IvfIndex(tmp_path, "ivf_sq8", 32)
    other.open(lambda row: Batch(np.array([row], dtype=np.int64), VECTORS[(row + 7) % 3000][None, :]))
    assert other.n_rows == 0
    restored = IvfIndex(tmp_path, "ivf_sq8", 32)
    restored.open(lambda row: stored(row) if row < 8000 else None)
    assert restored.n_rows == 0


def test_removed_rows_are_gone_from_search_and_file(tmp_path: Path) -> None:
    index = filled(tmp_path)
    index.save()
    before = (tmp_path / "vectors.ivf").stat().st_size
    gone = ROWS[100:1100]
    assert index.remove(gone) == 1000
    assert index.remove(gone) == 0
    index.removed_to = 1000
    index.save()
    assert (tmp_path / "vectors.ivf").stat().st_size < before - 1000 * 32
    again = opened(tmp_path)
    assert (again.n_rows, again.removed_to) == (2000, 1000)
    assert not {row for row, _ in again.search(VECTORS[500], 2000)} & set(gone.tolist())


def test_allowed_rows_are_all_looked_at_and_excluded_ones_never_found() -> None:
    index = filled(None)
    allowed = np.sort(GENERATOR.choice(ROWS, 30, replace=False))
    assert {row for row, _ in index.search(VECTORS[0], 100, allowed=allowed)} == set(allowed.tolist())
    assert {row for row, _ in index.search(VECTORS[0], 100, allowed[:3], allowed)} == set(allowed[3:].tolist())
    nearest = np.array([row for row, _ in index.search(VECTORS[0], 10)], dtype=np.int64)
    assert not {row for row, _ in index.search(VECTORS[0], 10, excluded=nearest)} & set(nearest.tolist())


def test_questions_that_are_not_numbers_are_refused() -> None:
    index = filled(None)
    with pytest.raises(VectorIndexError, match="must be 32 finite numbers; found 32, 1 of them not finite"):
        index.search(np.where(np.arange(32) == 3, np.nan, VECTORS[0]).astype(np.float32), 5)
    with pytest.raises(VectorIndexError, match="found 16"):
        index.search(VECTORS[0][:16], 5)


def test_kinds_that_cannot_be_are_refused() -> None:
    with pytest.raises(VectorIndexError, match="multiple of 8, found 30; take ivf_sq8"):
        IvfIndex(None, "ivf_pq", 30)
    with pytest.raises(VectorIndexError, match="index 'lsh' is not known; allowed are flat, hnsw, ivf_sq8, ivf_pq"):
        make_index(None, "lsh", 32)  # type: ignore[arg-type] # a kind that there is none of


def test_what_was_added_in_many_small_parts_is_loaded_like_what_was_added_at_once(tmp_path: Path) -> None:
    index = filled(tmp_path)
    index.save()
    more = (0.99 * VECTORS + 0.01).astype(np.float32)
    for place in range(3000):
        TABLE[20_000 + place] = more[place]
        index.catch_up(iter([Batch(np.array([20_000 + place], dtype=np.int64), more[place : place + 1])]))
        if place % 100 == 99:
            index.save()
    again = opened(tmp_path)
    assert again.n_rows == 6000
    assert again.last_row == 22_999
    for place in range(0, 3000, 250):
        assert again.search(VECTORS[place], 20) == index.search(VECTORS[place], 20)
