"""The part of sleep in which a memory keeps its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stages.memory.bounds import LEAVING, Excess, excess
from stages.memory.disk.leaving import Item, LeavingStore
from stages.memory.sleeping.sleep import SleepStep

if TYPE_CHECKING:
    from stages.memory.disk.space import Space
    from stages.memory.long_term_memory import LongTermMemory

_NEVER_NS = -(2**62)


class KeepBounds(SleepStep):
    """Brings the stores of a memory under the bounds that its config declares (`Bounds`).

    What lies on the disk is measured and listed once, however many calls it takes, so a sleep costs as much as what leaves in it.
    """

    name = "keep bounds"

    def __init__(self) -> None:
        self._round: _Round | None = None

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:
        """Remove at most `limit` files, or segments of recordings; how many went, 0 when every bound is kept, or no more may leave."""
        while True:
            found, self._round = self._round, None
            is_new = found is None
            found = found or _Round(memory.space, at_ns)
            n_gone = found.drop(limit)
            if n_gone == limit:
                self._round = found
            if n_gone or is_new:
                return n_gone


class _Round:
    """First leaves what is older than it may be, then the oldest of what takes more than it may."""

    def __init__(self, space: Space, at_ns: int) -> None:
        self._space = space
        kept_ns = {name: space.bounds.kept_ns(name) for name in LEAVING}
        self._tasks = [_Task(store, before_ns=at_ns - kept_ns[name]) for name, store in space.stores().items() if kept_ns[name]]
        self._measured: Excess | None = None
        self._n_gone = 0

    def drop(self, limit: int) -> int:
        """Remove at most `limit`; how many went, fewer once nothing is left to do."""
        n_gone = 0
        while n_gone < limit:
            if not self._tasks and self._measured is None:
                self._measure()
            if not self._tasks:
                break
            task = self._tasks[0]
            items = task.due(limit - n_gone)
            if items:
                task.store.drop(items)
                self._space.dropped({item.folder for item in items})
                n_gone += len(items)
            else:
                self._tasks.pop(0)
        self._n_gone += n_gone
        if n_gone < limit and not self._n_gone and self._measured is not None:
            self._space.tell_over(self._measured)
        return n_gone

    def _measure(self) -> None:
        """After what is too old has gone, see what is still too much."""
        stores = self._space.stores()
        self._measured = excess(self._space.used(), self._space.bounds) if stores else Excess()
        left = self._measured
        self._tasks = [_Task(store, n_bytes=left.of(name)) for name, store in stores.items() if left.of(name)]


@dataclass
class _Task:
    """What must leave one store: everything since before a moment, and the oldest until so many bytes have gone."""

    store: LeavingStore
    before_ns: int = _NEVER_NS
    n_bytes: int = 0

    def due(self, n_items: int) -> list[Item]:
        """The next that must leave, at most so many."""
        found = []
        for item in self.store.oldest(n_items):
            if item.since_ns > self.before_ns and self.n_bytes <= 0:
                break
            found.append(item)
            self.n_bytes -= item.n_bytes
        return found
