from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, SessionRow
from stages.memory.tables.row_writer import utc_ns
from stages.memory.words.word_scores import last_row_until
from tests.stages.memory.counted_steps import counted_steps
from tests.stages.memory.made import ENCODER, STARTED_AT

DAY_NS = 86_400 * NS_PER_S


def store(memory: LongTermMemory, session: str, started_at: datetime, n_lines: int) -> None:
    """A session with one line a second, all of the same vector."""
    rows = [
        LineRow(f"{session}-{second}", session, "t1", second * NS_PER_S, (second + 1) * NS_PER_S, None, None, None, "words", (), 0.9, "en")
        for second in range(n_lines)
    ]
    vector = np.zeros((1, ENCODER.dimension), dtype=np.float32)
    vector[0, 0] = 1.0
    memory.begin_session(SessionRow(session, "x", started_at, 0, "none", complete=False))
    memory.add_rows(session, rows, np.repeat(vector, n_lines, axis=0), rows[-1].end_ns)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-9, 9), st.sampled_from([1, 3, 400, 1023, 1024, 1500])), min_size=1, max_size=4),
    st.integers(-9, 9),
    st.lists(st.integers(-10, 20), min_size=1, max_size=6),
)
def test_the_last_line_of_then_is_found_whatever_came_in_whatever_order(
    imports: list[tuple[int, int]], moved_days: int, days: list[int]
) -> None:
    """Sessions of other days come in any order, and one is moved to another day."""
    memory = LongTermMemory(ENCODER)
    memory.start()
    for place, (day, n_lines) in enumerate(imports):
        store(memory, f"s{place}", STARTED_AT + timedelta(days=day), n_lines)
    memory.correct_start("s0", STARTED_AT + timedelta(days=moved_days))
    with memory.findings.database.reading() as connection:
        for day in days:
            at_ns = utc_ns(STARTED_AT) + day * DAY_NS + 100 * NS_PER_S
            (wanted,) = connection.execute("SELECT coalesce(max(n), 0) FROM lines WHERE ended_at_ns <= ?", (at_ns,)).fetchone()
            assert last_row_until(connection, at_ns) == wanted
    memory.stop()


def test_a_moment_in_a_large_memory_reads_few_rows() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    store(memory, "s", STARTED_AT, 20_000)
    with memory.findings.database.reading() as connection, counted_steps(connection) as steps:
        assert last_row_until(connection, utc_ns(STARTED_AT) + 50 * NS_PER_S) == 50
    memory.stop()
    assert steps.count < 20_000
