"""One memory that commands work on while things go wrong, and what it must be like afterwards."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.app.failures import CALLER, WORK
from tests.faults.memory_dump import Dump, dump
from tests.faults.warm_process import WarmProcess, run
from tests.pipeline.app.command_line import Done


class PromiseBrokenError(AssertionError):
    """Something that was promised does not hold even where nothing went wrong; the message says what."""


@dataclass(frozen=True)
class Scenario:
    """`command` is what is disturbed, on a memory that `before` have made; {memory} stands for its directory.

    `takes_lines` says that the command is meant to take lines away. `may_refuse` is what a memory says that can only be opened
    once the command has been given again. `transient` names tables that hold only what the command itself goes on with.
    """

    name: str
    before: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    takes_lines: bool = False
    may_refuse: str = ""
    transient: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unbroken:
    """What a scenario comes to when nothing happens: the memory before and after, and how long it takes."""

    before: Dump
    after: Dump
    lasts_s: float
    grows_bytes: int


class FaultBench:
    """Runs commands on the memory `memory`. It is always at the same path, since a session keeps the paths of its graph."""

    def __init__(self, folder: Path, memory: Path | None = None) -> None:
        self._folder = folder
        self.memory = memory or folder / "memory"
        self._unbroken: dict[str, Unbroken] = {}

    def give(self, command: Sequence[str]) -> Done:
        """Run a command to its end."""
        return run(self._folder / "output", *self._filled(command))

    def begin(self, command: Sequence[str]) -> WarmProcess:
        """Begin a command."""
        return WarmProcess(self._folder / "output", *self._filled(command))

    def restore(self, scenario: Scenario) -> None:
        """Bring the memory back to what it is before a scenario's command."""
        shutil.rmtree(self.memory, ignore_errors=True)
        start = self._start(scenario)
        if start.is_dir():
            shutil.copytree(start, self.memory)

    def unbroken(self, scenario: Scenario) -> Unbroken:
        """What the command comes to when nothing happens. Raises PromiseBrokenError where it comes to something else the second time."""
        if scenario.name not in self._unbroken:
            self._prepare(scenario)
            self.restore(scenario)
            before, n_bytes = dump(self.memory), _bytes_of(self.memory)
            self._unbroken[scenario.name] = found = self._run_unbroken(scenario, before, n_bytes)
            self.restore(scenario)
            again = self._run_unbroken(scenario, before, n_bytes)
            if differences := found.after.differences(again.after):
                raise PromiseBrokenError(f"{scenario.name}: two unbroken runs differ: {differences}")
            if again.lasts_s < found.lasts_s:
                self._unbroken[scenario.name] = again
        return self._unbroken[scenario.name]

    def examined(self, scenario: Scenario) -> list[str] | None:
        """What is wrong with the memory now: it must open, and doctor must find it whole. None where it refuses as it may."""
        if not (self.memory / "memory.sqlite").is_file():
            # A run that was stopped before it had made anything has left nothing to open.
            return []
        listed = self.give(("sessions", "--memory", "{memory}"))
        if listed.code == CALLER and scenario.may_refuse and scenario.may_refuse in listed.err:
            return None
        problems = [] if listed.code == 0 else [f"sessions: {told(listed)}"]
        done = self.give(("doctor", "--memory", "{memory}"))
        return problems if done.code == 0 else [*problems, f"doctor: {told(done)}"]

    def ended(self, scenario: Scenario) -> list[str]:
        """Give the command again: in what it comes to something else than if nothing had happened."""
        done = self.give(scenario.command)
        if done.code != 0:
            return [f"given again: {told(done)}"]
        found, wanted = dump(self.memory), self.unbroken(scenario).after
        return found.without(scenario.transient).differences(wanted.without(scenario.transient))

    def _prepare(self, scenario: Scenario) -> None:
        start = self._start(scenario)
        shutil.rmtree(self.memory, ignore_errors=True)
        shutil.rmtree(start, ignore_errors=True)
        for command in scenario.before:
            done = self.give(command)
            if done.code != 0:
                raise PromiseBrokenError(f"{scenario.name}: {' '.join(command)}: {told(done)}")
        if self.memory.is_dir():
            shutil.copytree(self.memory, start)

    def _run_unbroken(self, scenario: Scenario, before: Dump, n_bytes: int) -> Unbroken:
        begun_s = time.monotonic()
        done = self.give(scenario.command)
        lasts_s = time.monotonic() - begun_s
        if done.code != 0:
            raise PromiseBrokenError(f"{scenario.name}, undisturbed: {told(done)}")
        return Unbroken(before, dump(self.memory), lasts_s, _bytes_of(self.memory) - n_bytes)

    def _start(self, scenario: Scenario) -> Path:
        return self._folder / f"start-{scenario.name.replace(' ', '-')}"

    def _filled(self, command: Sequence[str]) -> list[str]:
        return [part.replace("{memory}", str(self.memory)) for part in command]


def told(done: Done) -> str:
    """How a command ended, for messages."""
    return f"exit {done.code}: {done.out[:500]} {done.err[-500:]}"


def is_clear(done: Done) -> bool:
    """Whether a failed command said what is wrong as our commands do: an exit code of ours, and no error of nobody."""
    return done.code in {CALLER, WORK} and "Traceback" not in done.err and "ECHOIC_TRACEBACK" not in done.err and "echoic: " in done.err


def _bytes_of(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
