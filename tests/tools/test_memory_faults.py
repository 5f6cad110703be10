"""The tables of the fault harness's counts."""

from __future__ import annotations

from pathlib import Path

from tests.faults.damage_runs import DamageCount
from tests.faults.full_disk_runs import FullDiskCount
from tests.faults.kill_runs import KillCount
from tests.faults.light_room import LightRoom
from tests.faults.scenarios import scenarios
from tools.memory_faults import damage_table, disk_table, kill_table, kills_of, total


def test_all_kills_are_shared_out() -> None:
    known = scenarios(LightRoom(*(Path(name) for name in "abcde")))
    assert sum(kills_of(scenario, known, 100) for scenario in known) == 100
    assert min(kills_of(scenario, known, 100) for scenario in known) >= 100 // len(known)


def test_counts_are_added_up_and_of_the_audio_the_most_is_told() -> None:
    one = KillCount(n_kills=3, n_opened_whole=3, most_audio_lost_s=0.25, problems=["a"])
    two = KillCount(n_kills=2, n_opened_whole=1, most_audio_lost_s=0.5, problems=["b", "c"])
    both = total([one, two])
    assert (both.n_kills, both.n_opened_whole, both.most_audio_lost_s, both.problems) == (5, 4, 0.5, ["a", "b", "c"])


def test_every_table_has_as_many_cells_in_each_row() -> None:
    tables = (
        kill_table({"replay": KillCount(n_kills=3)}),
        disk_table({"replay": FullDiskCount(n_runs=3)}),
        damage_table({"graph": DamageCount(n_runs=3)}),
    )
    for table in tables:
        rows = list(table)
        assert len({row.count("|") for row in rows}) == 1
        assert "| 3 |" in rows[2]
