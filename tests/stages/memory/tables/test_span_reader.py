from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Gap, nanoseconds
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.tables.row_writer import utc_ns
from stages.memory.vectors import stored_vectors
from tests.stages.memory.made import ENCODER, STARTED_AT, line, session_row


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    """Two sessions with a line every ten seconds of the first minute, the second one an hour later."""
    made = LongTermMemory(ENCODER)
    made.start()
    for session in ("s1", "s2"):
        made.begin_session(session_row(session))
        made.add_lines(session, [line(f"words number {place} of {session}", 10.0 * place, 4.0) for place in range(6)], nanoseconds(54.0))
    made.correct_start("s2", STARTED_AT + timedelta(hours=1))
    yield made
    made.stop()


def spans(*parts: tuple[str, float, float]) -> list[tuple[str, int, int]]:
    return [(session, nanoseconds(start_s), nanoseconds(end_s)) for session, start_s, end_s in parts]


def test_the_lines_of_spans_are_those_that_each_span_alone_has(memory: LongTermMemory) -> None:
    asked = spans(("s2", 12.0, 31.0), ("s1", 43.9, 45.0), ("s1", 44.0, 50.0))
    alone = [row for session, start, end in asked for row in memory.lines(session, start_ns=start, end_ns=end, words=False)]
    assert [row.start_ns // NS_PER_S for row in alone] == [10, 20, 30, 40]
    assert memory.spans.lines(asked, None) == alone


def test_a_line_that_reaches_into_two_spans_comes_once(memory: LongTermMemory) -> None:
    found = memory.spans.lines(spans(("s1", 10.0, 11.0), ("s1", 12.0, 21.0)), None)
    assert [row.start_ns // NS_PER_S for row in found] == [10, 20]


def test_copies_and_what_had_not_ended_by_then_are_left_out(memory: LongTermMemory) -> None:
    memory.add_lines("s1", [line("a copy", 11.0, 2.0, "t2", copy_of="s1-t1-10000")], nanoseconds(54.0))
    found = memory.spans.lines(spans(("s1", 0.0, 60.0)), utc_ns(STARTED_AT) + nanoseconds(24.0))
    assert [row.start_ns // NS_PER_S for row in found] == [0, 10, 20]


def test_vectors_come_with_their_lines_and_faded_ones_are_zeros(memory: LongTermMemory) -> None:
    gone = memory.lines("s1")[1].id
    with memory.findings.database.writing() as connection:
        stored_vectors.drop(connection, connection.execute("SELECT n FROM lines WHERE id = ?", (gone,)).fetchone())
    rows, vectors = memory.spans.lines_and_vectors(spans(("s1", 0.0, 30.0)), None, ENCODER.dimension)
    assert list(vectors) == [row.id for row in rows]
    assert np.array_equal(np.stack(list(vectors.values())), memory.vectors([row.id for row in rows]))
    assert not vectors[gone].any()
    assert np.allclose(np.linalg.norm(vectors[rows[0].id]), 1.0)


def test_gaps_are_those_of_the_spans_in_their_order(memory: LongTermMemory) -> None:
    for session, start_s in (("s1", 5.0), ("s1", 40.0), ("s2", 5.0), ("s2", 50.0)):
        memory.add_gap(session, Gap(pts_ns=nanoseconds(start_s), duration_ns=nanoseconds(2.0), reason="dropped"))
    asked = spans(("s2", 6.0, 50.0), ("s1", 0.0, 2.0**31))
    expected = [("s2", 5), ("s1", 5), ("s1", 40)]
    assert [(gap.session, gap.start_ns // NS_PER_S) for gap in memory.spans.gaps(asked, None)] == expected
    assert [(gap.session, gap.start_ns // NS_PER_S) for gap in memory.spans.gaps(asked, utc_ns(STARTED_AT) + nanoseconds(7.0))] == [
        ("s1", 5)
    ]


def test_how_far_each_session_is_stored_is_read_at_once(memory: LongTermMemory) -> None:
    memory.set_passed("s2", nanoseconds(70.0))
    assert memory.spans.passed_ns() == {name: memory.passed_ns(name) for name in ("s1", "s2")} == {"s1": 54 * 10**9, "s2": 70 * 10**9}


def test_sessions_in_which_somebody_was_heard_near_a_bearing(memory: LongTermMemory) -> None:
    asked = spans(("s1", 0.0, 60.0), ("s2", 0.0, 60.0))
    with memory.findings.database.writing() as connection:
        connection.execute("UPDATE lines SET azimuth_deg = 350.0")
        connection.execute("UPDATE lines SET azimuth_deg = 200.0 WHERE session = 's2' AND start_ns > 0")
    assert memory.spans.with_talkers_near(asked, 3.0, 15.0, None) == {"s1", "s2"}
    assert memory.spans.with_talkers_near(spans(("s1", 0.0, 60.0), ("s2", 5.0, 60.0)), 3.0, 15.0, None) == {"s1"}
    assert memory.spans.with_talkers_near(asked, 6.0, 15.0, None) == frozenset()
    assert memory.spans.with_talkers_near(asked, 200.0, 15.0, utc_ns(STARTED_AT)) == frozenset()
