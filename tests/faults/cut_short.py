"""Memories to be damaged: one at rest, and one whose replay was killed, so that it has a write-ahead log and a segment that grows."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.faults.damage_runs import Start
from tests.faults.fault_bench import FaultBench, PromiseBrokenError, Scenario, told
from tests.faults.kill_runs import frames


def at_rest(bench: FaultBench, scenario: Scenario, folder: Path) -> Start:
    """The memory as a scenario's command leaves it, after a sleep, which makes the index of each level, with an answer's clips cut."""
    bench.unbroken(scenario)
    bench.restore(scenario)
    for command in (
        scenario.command,
        ("consolidate", "--memory", "{memory}"),
        ("ask", "When does the ferry leave?", "--memory", "{memory}"),
    ):
        done = bench.give(command)
        if done.code != 0:
            raise PromiseBrokenError(f"{scenario.name}: {command[0]}: {told(done)}")
    return Start(scenario, _copied(bench.memory, folder), is_growing=False)


def killed(bench: FaultBench, scenario: Scenario, folder: Path, least_s: float) -> Start:
    """The memory as it is when the command is killed after it has recorded so many seconds."""
    bench.unbroken(scenario)
    for _ in range(10):
        bench.restore(scenario)
        process = bench.begin(scenario.command)
        while process.is_running() and not any(n_frames > least_s * rate_hz for n_frames, rate_hz in frames(bench.memory).values()):
            time.sleep(0.002)
        process.kill()
        if list(bench.memory.glob("sessions/*/audio/*.au")):
            return Start(scenario, _copied(bench.memory, folder), is_growing=True)
    raise PromiseBrokenError(f"{scenario.name}: in ten runs none was caught while it recorded")


def _copied(memory: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(memory, folder)
    return folder
