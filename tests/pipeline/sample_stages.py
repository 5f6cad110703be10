"""Small stages for the tests of the core: whole classes as users write them, used in graphs through `extra_roots: [tests]`."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pipeline.packets import Gap, Packet
from pipeline.stage import END_NS, Emit, In, Out, Resource, Source, Stage


@dataclass(frozen=True, kw_only=True)
class Number(Packet):
    """A number with a time."""

    value: int


@dataclass(frozen=True, kw_only=True)
class Text(Packet):
    """A text with a time."""

    text: str


class Journal(Resource):
    """Remembers what was written, and whether it is open."""

    def __init__(self, title: str = "", bytes_needed: int = 0) -> None:
        self.title = title
        self.bytes_needed = bytes_needed
        self.entries: list[str] = []
        self.open = False

    def start(self) -> None:
        self.open = True

    def stop(self) -> None:
        self.open = False

    def memory_bytes(self) -> int:
        return self.bytes_needed


class Counter(Source):
    """Counts: packet i lasts from i*step to (i+1)*step nanoseconds."""

    numbers = Out(Number)

    def __init__(self, n: int = 10, step_ns: int = 10, gap_at: int = -1, endless: bool = False, dies_at: int = -1) -> None:
        self.n = n
        self.step_ns = step_ns
        self.gap_at = gap_at
        self.endless = endless
        self.dies_at = dies_at
        self._stop = threading.Event()

    def packets(self) -> Iterator[Emit[Any]]:
        index = 0
        while (self.endless or index < self.n) and not self._stop.is_set():
            if index == self.dies_at:
                raise OSError("the cable was pulled")
            if index == self.gap_at:
                yield self.numbers(Gap(pts_ns=index * self.step_ns, duration_ns=self.step_ns, reason="unreadable"))
            else:
                yield self.numbers(Number(pts_ns=index * self.step_ns, duration_ns=self.step_ns, value=index))
            index += 1

    def interrupt(self) -> None:
        self._stop.set()


class Speaker(Resource):
    """Needs two weight files, one of which may be another."""

    weights: ClassVar[tuple[str, ...]] = ("phonemes.txt", "voice.onnx")

    def __init__(self, speed: float = 1.0, model: str = "voice.onnx") -> None:
        self.speed = speed
        self.model = model


class Sparse(Stage):
    """Lets every k-th number through, late: up to `hold` numbers wait inside."""

    number = In(Number)
    numbers = Out(Number)

    def __init__(self, every: int = 3, hold: int = 0, step_ns: int = 10) -> None:
        self.every = every
        self.hold = hold
        self.delay_ns = hold * step_ns
        self._held: list[Number] = []

    def on_number(self, number: Number) -> Iterator[Emit[Number | Gap]]:
        if number.value % self.every == 0:
            self._held.append(number)
        if number.value % (self.hold + 1) == 0:
            yield from self.flush()

    def on_gap(self, gap: Gap) -> Iterable[Emit[Any]]:  # noqa: ARG002 - only that there is one matters here
        return self.flush()

    def flush(self) -> Iterable[Emit[Number | Gap]]:
        held, self._held = self._held, []
        for number in held:
            yield self.numbers(number)


class Batcher(Stage):
    """Doubles numbers, many at once."""

    number = In(Number)
    numbers = Out(Number)
    max_batch = 4

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def batch_number(self, numbers: list[Number]) -> Iterator[Emit[Number | Gap]]:
        self.sizes.append(len(numbers))
        for number in numbers:
            yield self.numbers(Number(pts_ns=number.pts_ns, duration_ns=number.duration_ns, value=2 * number.value))


class Join(Stage):
    """Writes down two streams of numbers in the order in which they come."""

    dense = In(Number)
    sparse = In(Number)
    texts = Out(Text)

    def __init__(self, journal: Journal, mode: Literal["loud", "quiet"] = "quiet") -> None:
        self.journal = journal
        self.mode = mode
        self.gaps: list[Gap] = []
        self.passed: list[int] = []

    def on_dense(self, number: Number) -> Iterator[Emit[Text | Gap]]:
        yield from self._write(f"dense {number.value}", number)

    def on_sparse(self, number: Number) -> Iterator[Emit[Text | Gap]]:
        yield from self._write(f"sparse {number.value}", number)

    def on_gap(self, gap: Gap) -> Iterable[Emit[Any]]:
        self.gaps.append(gap)
        return ()

    def on_passed(self, pts_ns: int) -> Iterable[Emit[Any]]:
        self.passed.append(pts_ns)
        return ()

    def _write(self, text: str, number: Number) -> Iterator[Emit[Text | Gap]]:
        self.journal.entries.append(text)
        yield self.texts(Text(pts_ns=number.pts_ns, duration_ns=number.duration_ns, text=text.upper() if self.mode == "loud" else text))


class Sink(Stage):
    """Writes numbers into a journal; fails on one of them when told to."""

    number = In(Number)
    lossless = True

    def __init__(self, journal: Journal | None = None, fail_at: int = -1, ratio: float = 1.0) -> None:
        self.journal = journal
        self.fail_at = fail_at
        self.ratio = ratio
        self.gaps: list[Gap] = []
        self.stopped = 0
        self.ended = False
        self.seen: list[int] = []

    def on_number(self, number: Number) -> Iterable[Emit[Any]]:
        if number.value == self.fail_at:
            raise ValueError(f"cannot count to {number.value}")
        self.seen.append(number.value)
        if self.journal is not None:
            self.journal.entries.append(str(number.value))
        return ()

    def on_gap(self, gap: Gap) -> Iterable[Emit[Any]]:
        self.gaps.append(gap)
        return ()

    def on_passed(self, pts_ns: int) -> Iterable[Emit[Any]]:
        self.ended = pts_ns == END_NS
        return ()

    def stop(self) -> None:
        self.stopped += 1


class Backwards(Stage):
    """Breaks the contract: lets a packet go after one that ends later."""

    number = In(Number)
    numbers = Out(Number)

    def on_number(self, number: Number) -> Iterator[Emit[Number | Gap]]:
        if number.value == 5:
            yield self.numbers(Number(pts_ns=0, duration_ns=1, value=-1))
        yield self.numbers(number)
