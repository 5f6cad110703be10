"""A command meets a disk that fills up at random places; it must say so, leave nothing half-done, and go on once there is room."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.fault_bench import FaultBench, Scenario, is_clear, told
from tests.faults.memory_dump import stored_lines

_WORDS = ("make room", "disk is full")


class NoSmallDiskError(RuntimeError):
    """This machine lets nobody mount a small disk."""


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A disk of its own in RAM, mounted at a folder. Raises NoSmallDiskError where this may not be done."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "none", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NoSmallDiskError(f"there is no mount here: {error}") from error
    if done.returncode != 0:
        raise NoSmallDiskError(f"mounting a tmpfs is not allowed here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=True)


@dataclass
class FullDiskCount:
    """What a full disk did to one scenario. `n_enough` are runs for which the room was enough after all."""

    n_runs: int = 0
    n_told: int = 0
    n_enough: int = 0
    n_opened_whole: int = 0
    n_lines_strange: int = 0
    n_same_end: int = 0
    problems: list[str] = field(default_factory=list)


def full_disk_runs(bench: FaultBench, scenario: Scenario, n_runs: int, seed: int) -> FullDiskCount:
    """Leave the command a random part of the room that it needs, `n_runs` times; the bench's memory lies on a small disk."""
    shares = random.Random(f"{scenario.name} {seed}")
    unbroken = bench.unbroken(scenario)
    ballast = bench.memory.parent / "ballast"
    count = FullDiskCount()
    for place in range(n_runs):
        ballast.unlink(missing_ok=True)
        bench.restore(scenario)
        # One run in each part, so that early and late moments are both met; a write-ahead log needs more than what stays.
        share = (place + shares.random()) / n_runs
        _fill(ballast, round(share * max(unbroken.grows_bytes, 300_000) * 1.2))
        where = f"{scenario.name}, {share:.2f} of the room that it needs"
        _one_run(bench, scenario, count, where)
        ballast.unlink()
        wanted = unbroken.after.lines()
        if not scenario.takes_lines:
            strange = [name for name, row in stored_lines(bench.memory).items() if row != wanted.get(name)]
            count.n_lines_strange += len(strange)
            count.problems += [f"{where}: {len(strange)} lines are none of the unbroken run's: {strange[:3]}"] if strange else []
        problems = bench.examined(scenario)
        count.n_opened_whole += not problems
        count.problems += [f"{where}, with room again: {text}" for text in problems or ()]
        problems = bench.ended(scenario)
        count.n_same_end += not problems
        count.problems += [f"{where}, given again with room: {text}" for text in problems]
    return count


def _one_run(bench: FaultBench, scenario: Scenario, count: FullDiskCount, where: str) -> None:
    done = bench.give(scenario.command)
    count.n_runs += 1
    if done.code == 0:
        count.n_enough += 1
    elif done.code == 1 and is_clear(done) and any(word in done.err for word in _WORDS):
        count.n_told += 1
    else:
        count.problems.append(f"{where}: {told(done)}")


def _fill(ballast: Path, free_bytes: int) -> None:
    """Take all room of a disk but so much."""
    found = os.statvfs(ballast.parent)
    size = found.f_bavail * found.f_frsize - free_bytes
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(size, 1))
