"""The daemon's sleep goes on whatever one of its steps meets with."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.app import sleeping
from pipeline.app.sleeping import Sleeping
from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.sleeper import Sleeper
from stages.memory.sleeping.sleep import SleepStep
from tests.stages.memory.made import ENCODER, line, session_row

FAILURES: dict[str, Callable[[], object]] = {
    "arithmetic": lambda: int(float("inf")),
    "division": lambda: 1 // int("0"),
    "key": lambda: {"here": 1}["gone"],
    "type": lambda: len(7),  # type: ignore[arg-type] # what a damaged row brings
    "attribute": lambda: None.text,  # type: ignore[attr-defined] # what a missing row brings
    "disk": lambda: Path("/nowhere/at/all").read_bytes(),
    "database": lambda: sqlite3.connect(":memory:").execute("SELECT x"),
    "depth": lambda: json.loads("[" * 200_000),
    "memory": lambda: bytearray(2**62),
    "import": lambda: __import__("no_such_module_at_all"),
}


class FailsOnce(SleepStep):
    """A step that fails when it is first called, and has nothing to do after that."""

    name = "fails once"

    def __init__(self, fail: Callable[[], object]) -> None:
        self.n_calls = 0
        self._fail = fail

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - a step is called so
        self.n_calls += 1
        if self.n_calls == 1:
            self._fail()
        return 0


class OneStep(Sleeper):
    """Sleep with one step, as soon as there is something new."""

    def __init__(self, step: SleepStep) -> None:
        super().__init__(quiet_s=1.0, every_min=0.0)
        self.quiet_ns = 0
        self._step = step

    def steps(self, *, at_once: bool = False) -> list[SleepStep]:  # noqa: ARG002 - as Sleeper has it
        return [self._step]


def wait_for(is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20.0
    while not is_so() and time.monotonic() < until:
        time.sleep(0.01)
    return is_so()


@pytest.mark.parametrize("kind", FAILURES)
def test_sleep_goes_on_at_the_next_occasion_whatever_a_step_meets_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    monkeypatch.setattr(sleeping, "_LOOK_S", 0.01)
    monkeypatch.setenv("ECHOIC_TRACEBACK", "1")
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("the ferry leaves", 1.0)], 2 * NS_PER_S)
    step = FailsOnce(FAILURES[kind])
    sleep = Sleeping(memory, OneStep(step))
    sleep.start()
    try:
        assert wait_for(lambda: step.n_calls == 1)
        time.sleep(0.1)
        assert step.n_calls == 1, "nothing is new, so the same failure is not met again and again"
        memory.add_lines("s1", [line("dogs bark", 3.0)], 5 * NS_PER_S)
        assert wait_for(lambda: step.n_calls == 2)
    finally:
        sleep.stop()
        memory.stop()
    said = capsys.readouterr().err
    assert (said.count("sleep was given up until there is something new: "), said.count("in work\n")) == (1, 1)
