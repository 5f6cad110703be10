from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.tables.row_writer import utc_ns
from stages.memory.words.term_counts import counts_of, lengths_of, tokens
from stages.memory.words.word_scores import scored_until
from tests.stages.memory.counted_steps import counted_steps
from tests.stages.memory.made import ENCODER, STARTED_AT, line, session_row

WORDS = ["ferry", "ferries", "Meeting", "meet", "don't", "Größe", "会议", "well-known", "a"]


@pytest.mark.parametrize(
    ("word", "made"),
    [("ferries", ("ferri",)), ("Meeting", ("meet",)), ("don't", ("don", "t")), ("—", ()), ("\x00", ()), ('NEAR("', ("near",))],
)
def test_a_word_becomes_what_the_index_of_words_holds(word: str, made: tuple[str, ...]) -> None:
    assert tokens(word) == made


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), min_size=1, max_size=12), st.integers(0, 13))
def test_words_are_counted_as_a_highlight_marks_them(said: list[list[str]], last: int) -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line(" ".join(words), 2 * place) for place, words in enumerate(said)], 100 * NS_PER_S)
    marked = (
        "SELECT rowid, length(highlight(lines_fts, 0, char(1), '')) - length(text) FROM lines_fts WHERE lines_fts MATCH ? AND rowid <= ?"
    )
    with memory.findings.database.reading() as connection:
        for word in WORDS:
            terms = tokens(word)
            wanted = dict(connection.execute(marked, (f'"{word}"', last)).fetchall())
            if len(terms) == 1:
                assert counts_of(connection, terms[0], last) == wanted
        rows = list(range(1, len(said) + 1))
        assert lengths_of(connection, rows) == {row: sum(len(tokens(word)) for word in said[row - 1]) for row in rows}
    memory.stop()


def test_words_of_later_lines_are_not_read() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("ferry" if place else "ferry ferry", 2 * place) for place in range(3000)], 7000 * NS_PER_S)
    with memory.findings.database.reading() as connection, counted_steps(connection, 10) as steps:
        assert counts_of(connection, "ferri", 2) == {1: 2, 2: 1}
    memory.stop()
    assert steps.count < 1000


def test_lines_that_were_stored_early_and_said_late_have_no_score() -> None:
    """Imports come in any order: the line of the later session has the smaller number."""
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("the ferry is late", 500), line("the ferry, the ferry", 1)], 600 * NS_PER_S)
    at_ns = utc_ns(STARTED_AT) + 100 * NS_PER_S
    with memory.findings.database.reading() as connection:
        assert [row for row, _ in scored_until(connection, ["ferry"], 0, 2, at_ns)] == [2]
        assert {row for row, _ in scored_until(connection, ["ferry"], 0, 2, at_ns + 1000 * NS_PER_S)} == {1, 2}
        assert [row for row, _ in scored_until(connection, ["ferry"], 2, 2, at_ns)] == [2]
    memory.stop()
