"""How much work SQLite does: a measure that no busy machine changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Steps:
    """So many steps of SQLite's machine, in units of `every`."""

    every: int
    n_times: int = 0

    @property
    def count(self) -> int:
        return self.every * self.n_times


@contextmanager
def counted_steps(connection: sqlite3.Connection, every: int = 100) -> Iterator[Steps]:
    """Count what a connection does; it rises with each row that is read."""
    steps = Steps(every)

    def tick() -> None:
        steps.n_times += 1

    connection.set_progress_handler(tick, every)
    try:
        yield steps
    finally:
        connection.set_progress_handler(None, 0)
