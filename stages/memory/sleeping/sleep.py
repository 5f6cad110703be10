"""Sleep: a memory put in order while nobody speaks, in small steps that may be cut short anywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stages.memory.memory_errors import MemorySettingsError

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_ITEMS = 16
_MOST_ITEMS = 1024


class SleepStep(ABC):
    """One kind of work that is done in sleep.

    It commits whole items, may be killed between or inside any call, goes on where it stopped, and finds its work by an index (never by
    reading the whole memory). One that stops while something is still due (it may not be done yet, or a model does not answer) says so
    in `waits`. One whose items are small says in `light` how many of them weigh as much as one of another step.
    """

    name: str
    waits: bool = False
    light: int = 1

    @abstractmethod
    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:
        """Do at most `limit` items in one transaction; how many were done; 0 when nothing is left to do.

        `at_ns` is the moment of the sleep, nanoseconds since 1970 in UTC.
        """


@dataclass(frozen=True)
class Slept:
    """What a sleep has done: items by the name of the step, in the order of the steps; `finished` says whether nothing is left."""

    done: dict[str, int]
    finished: bool

    @property
    def n_items(self) -> int:
        """Items of all steps together."""
        return sum(self.done.values())


def sleep(
    memory: LongTermMemory,
    steps: Sequence[SleepStep],
    at_ns: int,
    *,
    items: int = _ITEMS,
    most: int | None = None,
    go_on: Callable[[], bool] = lambda: True,
    told: Callable[[str, int], None] = lambda _name, _done: None,
) -> Slept:
    """Let each step work until nothing is left, in their order, `items` at a time.

    `most` bounds the items of each step, so that one with much to do doesn't keep the others from theirs. `go_on` is asked before
    each call: sleep ends where it says no. `told` hears the name of the step and how much it has done. Raises MemorySettingsError
    for `items` out of bounds, and whatever a step raises: what was committed stays.
    """
    if not 1 <= items <= _MOST_ITEMS:
        raise MemorySettingsError(f"sleep: items must be 1 to {_MOST_ITEMS}, found {items}")
    done: dict[str, int] = {}
    finished = True
    for step in steps:
        done[step.name] = 0
        told(step.name, 0)
        while True:
            allowed = step.light * items if most is None else min(step.light * items, step.light * most - done[step.name])
            if allowed <= 0:
                finished = False
                break
            if not go_on():
                return Slept(done, False)
            n_done = step.work(memory, at_ns, allowed)
            if n_done == 0:
                finished = finished and not step.waits
                break
            done[step.name] += n_done
            told(step.name, done[step.name])
    return Slept(done, finished)
