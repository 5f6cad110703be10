"""One graph running over one session: watched from the main thread, so that Ctrl-C and SIGTERM end it in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from pipeline.runner import Runner, StageFailedError

_TICK_S = 0.2


class Stop:
    """Set by Ctrl-C or SIGTERM; a second Ctrl-C raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def asked(self) -> bool:
        """Whether the run should end."""
        return self._event.is_set()

    def ask(self) -> None:
        """Ask for the end, from any thread."""
        self._event.set()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        del number, frame
        if self._event.is_set():
            raise KeyboardInterrupt
        self._event.set()


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """SIGINT and SIGTERM ask for the end while the block runs."""
    stop = Stop()
    before = {number: signal.signal(number, stop.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_to_end(runner: Runner, stop: Stop, tick: Callable[[], None], *, flush: bool) -> bool:
    """Run a graph until its sources end; False when it was asked to stop before.

    With `flush` what was captured still flows into the memory before the end (live: the session ends there). Without, the
    graph is torn down at once and goes on later from what the memory has (replay: the recording has all of it).
    Raises StageFailedError, KeyboardInterrupt, what `tick` raised, or what the start of a stage raised; nothing runs on after it.
    """
    runner.start()
    ending = False
    try:
        while not runner.wait(_TICK_S):
            tick()
            if stop.asked and not ending:
                ending = True
                runner.stop() if flush else runner.abort()
    except StageFailedError:
        # The runner has ended and closed everything before it says this.
        raise
    except BaseException:
        # Also what a progress bar or a health report raises: no thread may go on without anybody to watch it.
        runner.abort()
        with suppress(StageFailedError):
            runner.wait()
        raise
    return not ending
