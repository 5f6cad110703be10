"""What the memory comes through, counted, as Markdown for BENCHMARKS.md: kills with -9, a full disk, damaged files.

    python -m tools.memory_faults [--kills 100] [--full-disks 24] [--damages 12] [--seed 7] [--work FOLDER]

It runs the harness of tests/faults with more of everything; some minutes on two cores. A full disk needs to be allowed to mount a
small tmpfs. The exit code is 1 where anything did not hold; what, is told below the tables.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

from tests.faults.cut_short import at_rest, killed
from tests.faults.damage_runs import KINDS, DamageCount, damage_runs
from tests.faults.fault_bench import FaultBench, Scenario
from tests.faults.full_disk_runs import FullDiskCount, NoSmallDiskError, full_disk_runs, small_disk
from tests.faults.kill_runs import KillCount, kill_runs
from tests.faults.light_room import make_room
from tests.faults.scenarios import scenarios

_DISK_BYTES = 64 * 2**20
_DAMAGED = "replay into an old memory"
_GROWING_S = 33.0


def kills_of(scenario: Scenario, known: Sequence[Scenario], n_kills: int) -> int:
    """How many of all kills are a scenario's: as many for each, and what is left over for the first."""
    each, left = divmod(n_kills, len(known))
    return each + (left if scenario is known[0] else 0)


def kill_table(counts: dict[str, KillCount]) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| killed with -9 during | kills | while it ran | of a run that went on | opens, doctor clean | told how to end it |" + (
        " lines read before | lost or changed | doubled or strange | most audio lost | ended as if never killed |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for name, count in [*counts.items(), ("all", total(list(counts.values())))]:
        yield (
            f"| {name} | {count.n_kills} | {count.n_in_time} | {count.n_again} | {count.n_opened_whole} | {count.n_refused} |"
            f" {count.n_lines_seen} | {count.n_lines_lost} | {count.n_lines_strange} | {count.most_audio_lost_s:.2f} s |"
            f" {count.n_same_end} of {count.n_ended} |"
        )


def disk_table(counts: dict[str, FullDiskCount]) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| disk full during | runs | told (exit 1) | room enough | doctor clean with room | strange lines | ended as if never full |"
    yield "|---|---|---|---|---|---|---|"
    for name, count in counts.items():
        yield (
            f"| {name} | {count.n_runs} | {count.n_told} | {count.n_enough} | {count.n_opened_whole} | {count.n_lines_strange} |"
            f" {count.n_same_end} |"
        )


def damage_table(counts: dict[str, DamageCount]) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| emptied, cut, a bit flipped, a page overwritten | runs | told | repaired or harmless |" + (
        " only where no checksum is | silent | unclear |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name, count in counts.items():
        yield (
            f"| {name} | {count.n_runs} | {count.n_told} | {count.n_harmless} | {count.n_unchecked} |"
            f" {count.n_silent} | {count.n_unclear} |"
        )


def total(counts: Sequence[KillCount]) -> KillCount:
    """All counts added up; of the audio, the most."""
    made = KillCount()
    for entry in fields(KillCount):
        values = [getattr(count, entry.name) for count in counts]
        if entry.name == "problems":
            made.problems = [text for value in values for text in value]
        else:
            setattr(made, entry.name, max(values) if entry.name == "most_audio_lost_s" else sum(values))
    return made


def main() -> int:
    """Run everything and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--full-disks", type=int, default=24)
    parser.add_argument("--damages", type=int, default=12, help="of each kind of file, in each of two memories")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--work", type=Path, help="a folder to work in; default: a temporary one")
    parser.add_argument("--only", help="a scenario, to look at it alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="echoic-faults-") as temporary:
        work = given.work or Path(temporary)
        known = [scenario for scenario in scenarios(make_room(work / "room")) if given.only in (None, scenario.name)]
        problems: list[str] = []
        bench = FaultBench(work / "bench")
        kills = {}
        for scenario in known:
            kills[scenario.name] = kill_runs(bench, scenario, kills_of(scenario, known, given.kills), given.seed)
            _progress(f"{scenario.name}: {kills[scenario.name].n_kills} kills")
        problems += total(list(kills.values())).problems
        print("\n".join(kill_table(kills)), end="\n\n")
        disks: dict[str, FullDiskCount] = {}
        try:
            for scenario in known if given.full_disks else []:
                with small_disk(work / "disk", _DISK_BYTES) as disk:
                    small = FaultBench(work / "small", disk / "memory")
                    disks[scenario.name] = full_disk_runs(small, scenario, max(1, given.full_disks // len(known)), given.seed)
                problems += disks[scenario.name].problems
                _progress(f"{scenario.name}: {disks[scenario.name].n_runs} full disks")
            print("\n".join(disk_table(disks)), end="\n\n")
        except NoSmallDiskError as error:
            print(f"No full disk: {error}", end="\n\n")
        damages: dict[str, DamageCount] = {}
        for scenario in known if given.damages else []:
            if scenario.name != _DAMAGED:
                continue
            starts = {
                "at rest": at_rest(bench, scenario, work / "resting"),
                "cut short": killed(bench, scenario, work / "growing", _GROWING_S),
            }
            for kind in KINDS:
                for state, start in starts.items():
                    count = damage_runs(bench, start, kind, given.damages, given.seed)
                    if count.n_runs:
                        damages[f"{kind.name}, {state}"] = count
                        problems += count.problems
                _progress(f"{kind.name} damaged")
        if damages:
            print("\n".join(damage_table(damages)), end="\n\n")
        print(f"{len(problems)} promises did not hold." if problems else "Everything that is promised held.")
        for text in problems:
            print(f"- {text}")
    return 1 if problems else 0


def _progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
