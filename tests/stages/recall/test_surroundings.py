"""Lines around others: the same as a reading of each stretch gives, and each stretch read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from pipeline.packets import Float32Array, nanoseconds
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.rows import LineRow
from stages.memory.tables.span_reader import Span, SpanReader
from stages.recall.gaps import merged_spans
from stages.recall.surroundings import Surroundings
from tests.stages.recall.room_memory import load_rooms, remember


class WatchedReader(SpanReader):
    """Reads as always, and keeps what it was asked for."""

    def __init__(self, memory: LongTermMemory) -> None:
        self._inner = memory.spans
        self.asked: list[Span] = []

    def lines(self, spans: Sequence[Span], at_ns: int | None) -> list[LineRow]:
        self.asked += spans
        return self._inner.lines(spans, at_ns)

    def lines_and_vectors(self, spans: Sequence[Span], at_ns: int | None, dimension: int) -> tuple[list[LineRow], dict[str, Float32Array]]:
        self.asked += spans
        return self._inner.lines_and_vectors(spans, at_ns, dimension)


@pytest.fixture(scope="module")
def memory(encoder: MinilmOnnx) -> Iterator[LongTermMemory]:
    memory = LongTermMemory(encoder)
    memory.start()
    for room in load_rooms("rooms.yaml"):
        remember(room, memory, encoder)
    yield memory
    memory.stop()


def test_lines_around_are_those_of_the_stretches_whether_read_now_or_before(memory: LongTermMemory) -> None:
    around = Surroundings(memory.spans, None, memory.encoder.dimension)
    every = memory.lines(words=False)
    for reach_s in (60.0, 15.0, 3.0):
        for first in range(0, len(every), 7):
            some = every[first : first + 3]
            reach_ns = nanoseconds(reach_s)
            spans = merged_spans((line.session, line.start_ns - reach_ns, line.end_ns + reach_ns) for line in some)
            lines, vectors = around.of(some, reach_ns)
            expected, theirs = memory.spans.lines_and_vectors(spans, None, memory.encoder.dimension)
            assert [line.id for line in lines] == [line.id for line in expected]
            assert list(vectors) == [line.id for line in lines]
            assert all((vectors[name] == theirs[name]).all() for name in vectors)


def test_a_stretch_within_one_that_was_read_is_not_read_again(memory: LongTermMemory) -> None:
    reader = WatchedReader(memory)
    around = Surroundings(reader, None, None)
    line = memory.lines(words=False)[5]
    wide, vectors = around.of([line], nanoseconds(60.0))
    assert not vectors
    assert len(reader.asked) == 1
    near, _ = around.of([line], nanoseconds(5.0))
    assert len(reader.asked) == 1
    assert line in near
    assert len(near) < len(wide)
    around.of([line], nanoseconds(90.0))
    assert len(reader.asked) == 2
