"""The daemon's sleep begins by itself, in quiet and on a schedule; the clock is the test's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.app import sleeping
from pipeline.app.sleeping import Sleeping
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.sleeper import Sleeper
from stages.memory.sleeping.sleep import SleepStep
from tests.stages.memory.made_sleep import opened, say

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved; it counts who looks."""

    def __init__(self) -> None:
        self.now = NOON
        self.n_looks = 0

    def __call__(self) -> datetime:
        self.n_looks += 1
        return self.now

    def set(self, seconds: float) -> None:
        """So long after noon; the watching thread has seen it when this returns."""
        self.now = NOON + timedelta(seconds=seconds)
        # A round looks at the clock once more than the watch does: of four looks, two are the watch's and begin after the clock was set.
        enough, until = self.n_looks + 4, time.monotonic() + 30.0
        while self.n_looks < enough:
            assert time.monotonic() < until, "nobody looks at the clock any more"
            time.sleep(0.001)


class Step(SleepStep):
    """A step that notes when it works; `each` gives how much it did, for the number of the call."""

    name = "noting"

    def __init__(self, each: Callable[[int], int] = lambda _: 0, *, waits: bool = False) -> None:
        self.each, self.waits = each, waits
        self.moments_s: list[float] = []

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - as a step has it
        self.moments_s.append(at_ns / 1e9 - NOON.timestamp())
        return self.each(len(self.moments_s))


class OneStep(Sleeper):
    """Sleep as its settings say, with one step."""

    def __init__(self, step: Step, **settings: float | tuple[str, ...]) -> None:
        super().__init__(**settings)  # type: ignore[arg-type] # names and types are those of Sleeper
        self.step = step

    def steps(self, *, at_once: bool = False) -> list[SleepStep]:  # noqa: ARG002 - as a sleeper has it
        return [self.step]


Watch = Callable[[Sleeper], Sleeping]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("pipeline.app.times.now", made)
    monkeypatch.setattr(sleeping, "_LOOK_S", 0.001)
    return made


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    made = opened()
    say(made, 0, "the ferry leaves on saturday", 1.0)
    yield made
    made.stop()


@pytest.fixture
def watch(memory: LongTermMemory, clock: Clock) -> Iterator[Watch]:
    """Begin to watch over the memory."""
    begun: list[Sleeping] = []

    def start(sleeper: Sleeper) -> Sleeping:
        begun.append(Sleeping(memory, sleeper))
        begun[-1].start()
        clock.set(0.0)
        return begun[-1]

    yield start
    for entry in begun:
        entry.stop()


def test_it_sleeps_when_it_has_been_quiet_for_long_enough_and_once_until_something_is_new(
    memory: LongTermMemory, clock: Clock, watch: Watch
) -> None:
    step = Step()
    watch(OneStep(step, quiet_s=60.0, every_min=0.0))
    clock.set(59.0)
    assert step.moments_s == []
    clock.set(60.0)
    assert step.moments_s == [60.0]
    clock.set(600.0)
    assert step.moments_s == [60.0]
    say(memory, 1, "we paint that wooden fence", 30.0)
    clock.set(601.0)
    clock.set(659.0)
    assert step.moments_s == [60.0]
    clock.set(661.0)
    assert step.moments_s == [60.0, 661.0]


def test_whoever_speaks_puts_quiet_off(memory: LongTermMemory, clock: Clock, watch: Watch) -> None:
    step = Step()
    watch(OneStep(step, quiet_s=60.0, every_min=0.0))
    for number, second in enumerate((50.0, 100.0, 150.0), 1):
        say(memory, number, f"the ferry number {number} leaves", 30.0 * number)
        clock.set(second)
    assert step.moments_s == []
    clock.set(211.0)
    assert step.moments_s == [211.0]


def test_a_clock_that_is_set_back_does_not_keep_it_awake(clock: Clock, watch: Watch) -> None:
    step = Step()
    watch(OneStep(step, quiet_s=60.0, every_min=0.0))
    clock.set(-3600.0)
    clock.set(-3541.0)
    assert step.moments_s == []
    clock.set(-3540.0)
    assert step.moments_s == [-3540.0]


def test_it_sleeps_on_its_schedule_whoever_speaks(memory: LongTermMemory, clock: Clock, watch: Watch) -> None:
    step = Step()
    watch(OneStep(step, quiet_s=86_400.0, every_min=10.0, at_times=("12:25",)))
    for minute in range(1, 36):
        say(memory, minute, f"the ferry number {minute} leaves", 30.0 * minute)
        clock.set(60.0 * minute)
    # At 12:25 by the clock, and then ten minutes after that.
    assert step.moments_s == [600.0, 1200.0, 1500.0, 2100.0]


def test_a_round_in_quiet_ends_when_a_line_comes_and_is_taken_up_again(memory: LongTermMemory, clock: Clock, watch: Watch) -> None:
    def each(call: int) -> int:
        if call == 2:
            say(memory, 1, "we paint that wooden fence", 30.0)
        return int(call < 6)

    step = Step(each)
    watch(OneStep(step, quiet_s=60.0, every_min=0.0))
    clock.set(60.0)
    assert step.moments_s == [60.0] * 2
    clock.set(119.0)
    assert step.moments_s == [60.0] * 2
    clock.set(179.0)
    assert step.moments_s == [60.0] * 2 + [179.0] * 4


def test_a_round_on_the_schedule_goes_on_while_somebody_speaks(memory: LongTermMemory, clock: Clock, watch: Watch) -> None:
    def each(call: int) -> int:
        say(memory, call, f"the ferry number {call} leaves", 30.0 * call)
        return int(call < 6)

    step = Step(each)
    watch(OneStep(step, quiet_s=86_400.0, every_min=10.0))
    clock.set(600.0)
    assert step.moments_s == [600.0] * 6


def test_what_cannot_be_done_yet_is_tried_again_a_minute_later(clock: Clock, watch: Watch) -> None:
    step = Step(waits=True)
    watch(OneStep(step, quiet_s=1.0, every_min=0.0))
    clock.set(10.0)
    clock.set(69.0)
    assert step.moments_s == [10.0]
    clock.set(70.0)
    assert step.moments_s == [10.0, 70.0]


def test_a_round_with_much_to_do_goes_on_in_the_same_quiet(clock: Clock, watch: Watch) -> None:
    step = Step(lambda call: 16 if call < 8 else 0)
    watch(OneStep(step, quiet_s=1.0, every_min=0.0, most=32, items=16))
    for _ in range(4):
        clock.set(10.0)
    assert step.moments_s == [10.0] * 8


def test_stop_ends_the_round_that_runs(clock: Clock, watch: Watch) -> None:
    step = Step(lambda call: int(call < 5_000))
    begun = watch(OneStep(step, quiet_s=1.0, every_min=0.0, most=1_000_000))
    clock.now = NOON + timedelta(seconds=10)
    until = time.monotonic() + 30.0
    while not step.moments_s:
        assert time.monotonic() < until
        time.sleep(0.0001)
    begun.stop()
    assert len(step.moments_s) < 5_000
