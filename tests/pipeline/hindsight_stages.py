"""Stages that tell what was only known in the end, for the tests of the runner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.packets import Packet
from pipeline.stage import Emit, In, Out, Stage
from tests.pipeline.sample_stages import Number


@dataclass(frozen=True, kw_only=True)
class Sum(Packet):
    """What numbers came to, told once they are all there."""

    in_hindsight: ClassVar[bool] = True
    value: int


class Adder(Stage):
    """Adds up all numbers and tells the sum at the end: until then it may still end at 0."""

    number = In(Number)
    sums = Out(Sum)

    def __init__(self) -> None:
        self._sum = 0

    def on_number(self, number: Number) -> Iterable[Emit[Any]]:
        self._sum += number.value
        return ()

    def promise(self, pts_ns: int) -> int:  # noqa: ARG002 - whatever has passed, the sum is still open
        return 0

    def flush(self) -> Iterator[Emit[Any]]:
        yield self.sums(Sum(pts_ns=0, duration_ns=1, value=self._sum))


class SumSink(Stage):
    """Keeps sums."""

    sum = In(Sum)

    def __init__(self) -> None:
        self.seen: list[int] = []

    def on_sum(self, packet: Sum) -> Iterable[Emit[Any]]:
        self.seen.append(packet.value)
        return ()
