from __future__ import annotations

from stages.recall.diversity import spread_out
from tests.stages.recall.line_rows import line_row


def test_what_stands_beside_a_chosen_line_waits_but_another_conversation_does_not() -> None:
    lines = [
        line_row("a", 0.0, track="t1"),
        line_row("b", 1.0, track="t1"),
        line_row("c", 1.0, track="t2"),
        line_row("d", 300.0, track="t1"),
    ]
    a, b, c, d = (line.id for line in lines)
    scores = {a: 3.0, b: 2.9, c: 2.0, d: 1.0}
    order = spread_out(lines, scores, {a: 0, b: 0, c: 1, d: 0})
    assert [line.text for line in order] == ["a", "c", "d", "b"]


def test_no_lines_have_an_order() -> None:
    assert spread_out([], {}, {}) == []
