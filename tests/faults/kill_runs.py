"""A command is killed with -9 at random moments, from its start to its end; after each the memory must be what was promised."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.session import SessionReader
from tests.faults.fault_bench import FaultBench, Scenario
from tests.faults.memory_dump import Dump, Row, stored_lines

_AGAIN = 0.3
MOST_LOST_S = 1.0


@dataclass
class KillCount:
    """What the kills of one scenario came to. `n_again` are kills of a run that went on after a kill."""

    n_kills: int = 0
    n_in_time: int = 0
    n_again: int = 0
    n_refused: int = 0
    n_opened_whole: int = 0
    n_lines_seen: int = 0
    n_lines_lost: int = 0
    n_lines_strange: int = 0
    most_audio_lost_s: float = 0.0
    n_ended: int = 0
    n_same_end: int = 0
    problems: list[str] = field(default_factory=list)


def kill_runs(bench: FaultBench, scenario: Scenario, n_kills: int, seed: int) -> KillCount:
    """Kill a scenario's command `n_kills` times, about every fourth time also the run that goes on; what came of it."""
    moments = random.Random(f"{scenario.name} {seed}")
    unbroken = bench.unbroken(scenario)
    count = KillCount()
    while count.n_kills < n_kills:
        bench.restore(scenario)
        _kill(bench, scenario, moments.uniform(0.0, unbroken.lasts_s), count)
        while count.n_kills < n_kills and moments.random() < _AGAIN:
            count.n_again += 1
            _kill(bench, scenario, moments.uniform(0.0, unbroken.lasts_s), count)
        problems = bench.ended(scenario)
        count.n_ended += 1
        count.n_same_end += not problems
        count.problems += [f"{scenario.name}, given again after a kill: {text}" for text in problems]
    return count


def _kill(bench: FaultBench, scenario: Scenario, moment_s: float, count: KillCount) -> None:
    process = bench.begin(scenario.command)
    time.sleep(moment_s)
    seen, heard = stored_lines(bench.memory), frames(bench.memory)
    count.n_in_time += process.kill()
    count.n_kills += 1
    count.n_lines_seen += len(seen)
    where = f"{scenario.name}, killed {moment_s:.3f} s after its start"
    _compare_lines(bench.unbroken(scenario).after, scenario, (seen, stored_lines(bench.memory)), count, where)
    left = frames(bench.memory)
    for name, (n_frames, rate_hz) in heard.items():
        lost_s = (n_frames - left.get(name, (0, rate_hz))[0]) / rate_hz
        count.most_audio_lost_s = max(count.most_audio_lost_s, lost_s)
        if lost_s > MOST_LOST_S:
            count.problems.append(f"{where}: {lost_s:.2f} s of recording {name} are gone")
    problems = bench.examined(scenario)
    count.n_refused += problems is None
    count.n_opened_whole += problems == []
    count.problems += [f"{where}: {text}" for text in problems or ()]


def _compare_lines(truth: Dump, scenario: Scenario, lines: tuple[dict[str, Row], dict[str, Row]], count: KillCount, where: str) -> None:
    """What a reader saw before the kill is there after it, unchanged; and there is nothing that the unbroken run does not have."""
    seen, left = lines
    wanted = truth.lines()
    lost = [name for name in seen if name not in left and (not scenario.takes_lines or name in wanted)]
    changed = [name for name in seen if name in left and left[name] != seen[name] and not scenario.takes_lines]
    strange = [name for name in left if left[name] != wanted.get(name) and not scenario.takes_lines]
    count.n_lines_lost += len(lost) + len(changed)
    count.n_lines_strange += len(strange)
    for what, names in (("were lost", lost), ("changed", changed), ("are none of the unbroken run's", strange)):
        if names:
            count.problems.append(f"{where}: {len(names)} lines {what}: {names[:3]}")


def frames(memory: Path) -> dict[str, tuple[int, int]]:
    """How many frames of each recording are there, and their rate."""
    found = {}
    for folder in sorted((memory / "sessions").glob("*")):
        if (folder / "session.json").is_file():
            with SessionReader(folder) as reader:
                found[folder.name] = (reader.frames, reader.info.sample_rate_hz)
    return found
