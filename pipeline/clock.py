"""The session clock: how much time a session has seen, live or in a replay at any speed; and the time on the wall."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

from pipeline.packets import NS_PER_S


class SessionClock:
    """Runs from `start` on, `speed` times as fast as the world. With speed 0 it does not pace at all.

    `now_ns` is any clock that never goes back.
    """

    def __init__(self, speed: float = 1.0, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.speed = speed
        self._now_ns = now_ns
        self._started_ns: int | None = None
        self._origin_ns = 0

    def start(self, pts_ns: int = 0) -> None:
        """Run from now on; the session time of this moment is `pts_ns`."""
        self._started_ns = self._now_ns()
        self._origin_ns = pts_ns

    def now_ns(self) -> int:
        """The session time of this moment."""
        if self._started_ns is None:
            return self._origin_ns
        return self._origin_ns + round((self._now_ns() - self._started_ns) * self.speed)

    def wait_until(self, pts_ns: int, stopped: threading.Event) -> bool:
        """Wait for a session time; at once with speed 0. False where `stopped` was set before it came."""
        while self.speed > 0 and (left_ns := pts_ns - self.now_ns()) > 0:
            if stopped.wait(left_ns / self.speed / NS_PER_S):
                return False
        return not stopped.is_set()


def wall_clock() -> datetime:
    """The time now, with its offset from UTC."""
    return datetime.now().astimezone()


def elapsed_ns() -> int:
    """A clock that never goes back, to measure how long something takes."""
    return time.monotonic_ns()
