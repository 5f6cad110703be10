"""The session clock, with time that the test moves."""

from __future__ import annotations

import threading
import time

import pytest

from pipeline.clock import SessionClock, wall_clock
from pipeline.testing import FakeClock


def test_runs_from_where_it_was_started() -> None:
    world = FakeClock(5_000)
    clock = SessionClock(now_ns=world)
    assert clock.now_ns() == 0
    clock.start(pts_ns=100)
    world.advance(50)
    assert clock.now_ns() == 150


@pytest.mark.parametrize(("speed", "expected"), [(2.0, 2_000), (0.5, 500), (0.0, 0)])
def test_speed(speed: float, expected: int) -> None:
    world = FakeClock()
    clock = SessionClock(speed, world)
    clock.start()
    world.advance(1_000)
    assert clock.now_ns() == expected


def test_waits_until_a_session_time() -> None:
    clock = SessionClock(speed=10.0)
    clock.start()
    begin = time.monotonic_ns()
    assert clock.wait_until(500_000_000, threading.Event())
    assert 50_000_000 <= time.monotonic_ns() - begin < 5_000_000_000


def test_a_stop_ends_the_wait() -> None:
    clock = SessionClock()
    clock.start()
    stopped = threading.Event()
    threading.Timer(0.02, stopped.set).start()
    begin = time.monotonic_ns()
    assert not clock.wait_until(60 * 10**9, stopped)
    assert time.monotonic_ns() - begin < 20 * 10**9


def test_speed_0_never_waits() -> None:
    clock = SessionClock(speed=0)
    clock.start()
    stopped = threading.Event()
    assert clock.wait_until(10**15, stopped)
    stopped.set()
    assert not clock.wait_until(0, stopped)


def test_wall_clock_has_an_offset() -> None:
    assert wall_clock().utcoffset() is not None
