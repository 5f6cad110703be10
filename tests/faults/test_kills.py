"""Commands that write are killed with -9: a small part of what `python -m tools.memory_faults` does a hundred times."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.fault_bench import FaultBench, Scenario
from tests.faults.kill_runs import MOST_LOST_S, kill_runs

KILLS = [("replay", 3), ("import", 2), ("consolidate", 2), ("reindex", 1), ("forget", 2)]


@pytest.fixture(scope="module")
def in_time() -> Iterator[list[int]]:
    """How many kills of each scenario met a command that still ran; of all together at least one must have."""
    counts: list[int] = []
    yield counts
    if len(counts) == len(KILLS):
        assert sum(counts) >= 1, "no command was killed while it still ran, so these tests have shown nothing"


@pytest.mark.parametrize(("name", "n_kills"), KILLS)
def test_a_command_killed_at_any_moment_leaves_a_whole_memory_and_ends_the_same(
    bench: FaultBench, known: dict[str, Scenario], in_time: list[int], name: str, n_kills: int
) -> None:
    count = kill_runs(bench, known[name], n_kills, seed=7)
    assert count.problems == []
    assert count.n_kills == n_kills
    in_time.append(count.n_in_time)
    assert count.n_opened_whole + count.n_refused == n_kills
    assert count.n_lines_lost == count.n_lines_strange == 0
    assert count.most_audio_lost_s <= MOST_LOST_S
    assert count.n_same_end == count.n_ended >= 1
