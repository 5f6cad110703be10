"""The daemon's sleep: a thread that puts the memory in order while nobody speaks, and when a schedule says so."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.app import times
from pipeline.app.console import say
from pipeline.app.failures import message, show_traceback
from pipeline.graph import Graph
from pipeline.packets import NS_PER_S
from pipeline.stage import Resource
from stages.memory.sleeper import Sleeper
from stages.memory.sleeping.sleep import Slept, sleep
from stages.memory.tables.row_writer import utc_ns

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_LOOK_S = 1.0
_AGAIN_NS = 60 * NS_PER_S
"""What is due but cannot be done yet is tried again after so long."""
_FAILURES = (
    OSError,
    RuntimeError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
    EOFError,
    MemoryError,
    sqlite3.Error,
)
"""How a step may fail: by the disk, a model, or rows that are damaged in a way that nobody thought of."""


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

    def round(self, quiet_since: int | None = None) -> Slept:
        """Sleep once, at most `most` items a step; with `quiet_since` (the number of the last line) only while no other line comes."""
        with self._one_at_a_time:
            now_ns = utc_ns(times.now())
            slept = sleep(
                self._memory,
                self._sleeper.steps(),
                now_ns,
                items=self._sleeper.items,
                most=self._sleeper.most,
                go_on=lambda: not self._ending.is_set() and quiet_since in (None, self._newest()[0]),
            )
            if slept.finished and slept.n_items:
                self._memory.tend_index()
            return slept

    def _newest(self) -> tuple[int, int]:
        """The numbers of the newest line and event: what changes when there is something new."""
        with self._memory.findings.database.reading() as connection:
            query = "SELECT (SELECT coalesce(max(n), 0) FROM lines), (SELECT coalesce(max(rowid), 0) FROM events)"
            n_line, n_event = connection.execute(query).fetchone()
        return int(n_line), int(n_event)

    def _watch(self) -> None:
        # Quiet is told by when a line was stored, not by when its words were said: an import may lie in the future.
        newest = self._newest()
        slept_after = (-1, -1)
        scheduled: datetime = times.now()
        spoke_ns, again_ns = utc_ns(scheduled), 0
        while not self._ending.wait(_LOOK_S):
            now = times.now()
            now_ns = utc_ns(now)
            try:
                before, newest = newest, self._newest()
                spoke_ns = now_ns if newest[0] != before[0] else min(spoke_ns, now_ns)
                if self._sleeper.is_due(scheduled, now):
                    scheduled = now
                    self.round()
                elif newest != slept_after and now_ns - spoke_ns >= self._sleeper.quiet_ns and now_ns >= again_ns:
                    slept = self.round(newest[0])
                    if slept.finished:
                        slept_after = newest
                    elif not slept.n_items:
                        again_ns = now_ns + _AGAIN_NS
            except _FAILURES as error:
                # Listening goes on, whatever sleep met with.
                slept_after = newest
                show_traceback(error)
                say(f"sleep was given up until there is something new: {message(error)}")
