"""Files of each kind are cut short, emptied, and bits in them flipped."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.cut_short import at_rest, killed
from tests.faults.damage_runs import DAMAGES, KINDS, Damage, FileKind, Start, break_file, damage_runs
from tests.faults.fault_bench import FaultBench, Scenario

N_RUNS = 1
GROWING = {"write-ahead log", "growing segment"}


@pytest.fixture(scope="module")
def resting(bench: FaultBench, known: dict[str, Scenario], tmp_path_factory: pytest.TempPathFactory) -> Start:
    return at_rest(bench, known["replay into an old memory"], tmp_path_factory.mktemp("resting") / "memory")


@pytest.fixture(scope="module")
def growing(bench: FaultBench, known: dict[str, Scenario], tmp_path_factory: pytest.TempPathFactory) -> Start:
    return killed(bench, known["replay into an old memory"], tmp_path_factory.mktemp("growing") / "memory", least_s=5.0)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_damaged_is_repaired_or_told(bench: FaultBench, resting: Start, growing: Start, kind: FileKind) -> None:
    count = damage_runs(bench, growing if kind.name in GROWING else resting, kind, N_RUNS, seed=7)
    assert count.problems == []
    assert count.n_runs == count.n_told + count.n_harmless + count.n_unchecked == N_RUNS


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_file_is_another(tmp_path: Path, damage: Damage) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 40)
    break_file(path, damage, random.Random(3))
    data = path.read_bytes()
    assert data != bytes(range(256)) * 40
    assert (len(data) < 10240) == (damage in {"emptied", "cut short"})
