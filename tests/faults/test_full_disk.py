"""The disk fills up under commands that write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.fault_bench import FaultBench, Scenario
from tests.faults.full_disk_runs import NoSmallDiskError, full_disk_runs, small_disk

DISK_BYTES = 48 * 2**20


@pytest.fixture
def small_bench(tmp_path: Path) -> Iterator[FaultBench]:
    """A bench whose memory lies on a disk of its own."""
    try:
        with small_disk(tmp_path / "disk", DISK_BYTES) as disk:
            yield FaultBench(tmp_path / "bench", disk / "memory")
    except NoSmallDiskError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("name", "n_runs"), [("replay", 2), ("import", 1)])
def test_a_full_disk_is_told_and_what_was_begun_goes_on_with_room(
    small_bench: FaultBench, known: dict[str, Scenario], name: str, n_runs: int
) -> None:
    count = full_disk_runs(small_bench, known[name], n_runs, seed=7)
    assert count.problems == []
    assert count.n_told + count.n_enough == count.n_runs == n_runs
    assert count.n_told >= 1
    assert count.n_opened_whole == count.n_same_end == n_runs
    assert count.n_lines_strange == 0
