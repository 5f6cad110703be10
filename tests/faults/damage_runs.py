"""Files of a memory are cut short, and bits in them flipped; whatever is broken must be repaired or told, never passed over in silence."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.faults.fault_bench import FaultBench, Scenario, is_clear, told
from tests.faults.memory_dump import Dump, dump
from tests.pipeline.app.command_line import Done

Damage = Literal["emptied", "cut short", "one bit flipped", "page overwritten"]
Then = Literal["same", "ends", "goes on"]
DAMAGES: tuple[Damage, ...] = ("emptied", "cut short", "one bit flipped", "page overwritten")
CHECKED = ("lines", "lines verbatim", "vectors")
"""The tables whose rows have checksums."""
_PAGE_BYTES = 4096
_READS: tuple[tuple[str, ...], ...] = (
    ("sessions", "--memory", "{memory}"),
    ("events", "--memory", "{memory}"),
    ("ask", "When does the ferry leave?", "--memory", "{memory}"),
)


@dataclass(frozen=True)
class FileKind:
    """Files of one kind; `paths` is a pattern below the memory.

    `then` is what must be true where doctor finds nothing: the memory is the "same" as before, or "ends" as if nothing had happened
    once the command is given again, or at least "goes on" with it. `growing` is that for a memory whose session still grows: what stands
    at the end of such a file may always be missing. `again` is the command that goes on with it, where that isn't the scenario's own.
    """

    name: str
    paths: str
    then: Then = "same"
    growing: Then | None = None
    again: tuple[str, ...] = ()


KINDS = (
    FileKind("database", "memory.sqlite"),
    # A log that ends early is one that was written no further: the memory is as it was before, and hearing goes on from there.
    FileKind("write-ahead log", "memory.sqlite-wal", "ends"),
    FileKind("settings", "memory.yaml"),
    FileKind("graph", "graph.yaml"),
    FileKind("vector index", "index/*"),
    FileKind("vector index of a level", "index/*/*"),
    # A recall that is lost costs a line a little strength, which nobody can tell; sleep takes up the others.
    FileKind("recalls", "recalled/*", "goes on", again=("consolidate", "--memory", "{memory}")),
    FileKind("audio of a line", "lines/*/*.flac"),
    FileKind("recorded segment", "sessions/*/audio/*.flac"),
    # What was appended last may always be missing after a crash.
    FileKind("growing segment", "sessions/*/audio/*.au", "goes on"),
    FileKind("session's own words", "sessions/*/session.json"),
    FileKind("gaps", "sessions/*/gaps.jsonl", growing="goes on"),
    FileKind("clip", "clips/*"),
)


@dataclass
class DamageCount:
    """What damage to one kind of file came to.

    `n_harmless` is what changed nothing that is read, such as unused bytes, or was repaired. `n_unchecked` changed something that
    has no checksum because it is made from what has one: the text of an event, the average of a voice.
    """

    n_runs: int = 0
    n_harmless: int = 0
    n_told: int = 0
    n_unchecked: int = 0
    n_silent: int = 0
    n_unclear: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Start:
    """A memory to be damaged, and the scenario whose command made it. With `is_growing` that command was killed."""

    scenario: Scenario
    folder: Path
    is_growing: bool


def damage_runs(bench: FaultBench, start: Start, kind: FileKind, n_runs: int, seed: int) -> DamageCount:
    """Damage a file of a kind `n_runs` times, each in a fresh copy of a memory, and look at what the commands say then."""
    chance = random.Random(f"{kind.name} {start.is_growing} {seed}")
    first = chance.randrange(len(DAMAGES))
    count = DamageCount()
    _restore(bench.memory, start.folder)
    whole = dump(bench.memory)
    for place in range(n_runs):
        _restore(bench.memory, start.folder)
        paths = sorted(path for path in bench.memory.glob(kind.paths) if path.is_file() and path.stat().st_size)
        if not paths:
            return count
        path = chance.choice(paths)
        damage = DAMAGES[(first + place) % len(DAMAGES)]
        break_file(path, damage, chance)
        _look(bench, start, kind, count, whole, f"{path.relative_to(bench.memory)} {damage}")
    return count


def break_file(path: Path, damage: Damage, chance: random.Random) -> None:
    """Damage a file at a random place."""
    data = bytearray(path.read_bytes())
    if damage == "emptied":
        data = bytearray()
    elif damage == "cut short":
        del data[chance.randrange(len(data)) :]
    elif damage == "one bit flipped":
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    else:
        first = chance.randrange(len(data)) // _PAGE_BYTES * _PAGE_BYTES
        data[first : first + _PAGE_BYTES] = chance.randbytes(len(data[first : first + _PAGE_BYTES]))
    path.write_bytes(data)


def _look(bench: FaultBench, start: Start, kind: FileKind, count: DamageCount, whole: Dump, where: str) -> None:
    count.n_runs += 1
    for command in _READS:
        done = bench.give(command)
        if not _is_fine(done):
            count.n_unclear += 1
            count.problems.append(f"{where}: {command[0]}: {told(done)}")
    doctor = bench.give(("doctor", "--memory", "{memory}"))
    if doctor.code != 0:
        count.n_told += 1
        if not is_clear(doctor):
            count.n_unclear += 1
            count.problems.append(f"{where}: doctor: {told(doctor)}")
        return
    then = (start.is_growing and kind.growing) or kind.then
    if then == "goes on":
        _go_on(bench, kind.again or start.scenario.command, count, where)
        return
    if then == "ends":
        differences = bench.ended(start.scenario)
    else:
        found = dump(bench.memory)
        differences = found.differences(whole)
        if differences and not found.only(CHECKED).differences(whole.only(CHECKED)):
            count.n_unchecked += 1
            return
    if differences:
        count.n_silent += 1
        count.problems += [f"{where}: doctor finds nothing, but {text}" for text in differences]
    else:
        count.n_harmless += 1


def _go_on(bench: FaultBench, command: tuple[str, ...], count: DamageCount, where: str) -> None:
    """Give a command: it ends, or says why it cannot, and doctor finds the memory whole, or says what is damaged."""
    dones = [bench.give(command), bench.give(("doctor", "--memory", "{memory}"))]
    unclear = [told(done) for done in dones if not _is_fine(done)]
    count.n_unclear += len(unclear)
    count.problems += [f"{where}, given again: {text}" for text in unclear]
    if any(done.code != 0 for done in dones):
        count.n_told += 1
    else:
        count.n_harmless += 1


def _is_fine(done: Done) -> bool:
    return done.code == 0 or is_clear(done)


def _restore(memory: Path, start: Path) -> None:
    shutil.rmtree(memory, ignore_errors=True)
    shutil.copytree(start, memory)
