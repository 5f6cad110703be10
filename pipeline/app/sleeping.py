"""The daemon's sleep: a thread that puts the memory in order while nobody speaks, and when a schedule says so."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.app import times
from pipeline.app.console import say
from pipeline.app.failures import message
from pipeline.graph import Graph
from pipeline.stage import Resource
from stages.memory.row_writer import utc_ns
from stages.memory.sleep import Slept, sleep
from stages.memory.sleeper import Sleeper

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_LOOK_S = 1.0


def sleeper_of(graph: Graph) -> tuple[str | None, Sleeper]:
    """The name of a graph's Sleeper, or None, and one with the default settings for a graph without."""
    return next(iter(graph.stages_of(Sleeper)), None), Sleeper()


def sleeper_among(resources: Mapping[str, Resource], name: str | None, plain: Sleeper) -> Sleeper:
    """The Sleeper among a graph's resources, or the one with the default settings."""
    found = resources.get(name) if name is not None else None
    return found if isinstance(found, Sleeper) else plain


class Sleeping:
    """Sleeps beside a daemon that listens. Rounds come one at a time, whoever asks; each transaction in them is short.

    In quiet a round ends at once when somebody speaks: when a line has come, or `stop` is asked for.
    """

    def __init__(self, memory: LongTermMemory, sleeper: Sleeper) -> None:
        self._memory = memory
        self._sleeper = sleeper
        self._one_at_a_time = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="echoic-sleep", daemon=True)

    def start(self) -> None:
        """Begin to watch for quiet."""
        self._thread.start()

    def stop(self) -> None:
        """End the round that runs, after its transaction."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def round(self, quiet_since_ns: int | None = None) -> Slept:
        """Sleep once, at most `most` items a step; with `quiet_since_ns` only while no later line comes."""
        with self._one_at_a_time:
            now_ns = utc_ns(times.now())
            slept = sleep(
                self._memory,
                self._sleeper.steps(),
                now_ns,
                items=self._sleeper.items,
                most=self._sleeper.most,
                go_on=lambda: not self._ending.is_set() and quiet_since_ns in (None, self._last_line_ns()),
            )
            if slept.finished and slept.n_items:
                self._memory.tend_index()
            return slept

    def _last_line_ns(self) -> int:
        with self._memory.findings.database.reading() as connection:
            return int(connection.execute("SELECT coalesce(max(ended_at_ns), 0) FROM lines").fetchone()[0])

    def _newest(self) -> tuple[int, int]:
        """The end of the last line and the number of the newest event: what changes when there is something new."""
        with self._memory.findings.database.reading() as connection:
            newest = connection.execute("SELECT coalesce(max(rowid), 0) FROM events").fetchone()[0]
        return self._last_line_ns(), int(newest)

    def _watch(self) -> None:
        slept_after = newest = (-1, -1)
        scheduled: datetime = times.now()
        while not self._ending.wait(_LOOK_S):
            now = times.now()
            try:
                newest = self._newest()
                if self._sleeper.is_due(scheduled, now):
                    scheduled = now
                    self.round()
                elif newest != slept_after and utc_ns(now) - newest[0] >= self._sleeper.quiet_ns and self.round(newest[0]).finished:
                    slept_after = newest
            except (OSError, RuntimeError, ValueError) as error:
                # Listening goes on, whatever sleep met with.
                slept_after = newest
                say(f"sleep was given up until there is something new: {message(error)}")
