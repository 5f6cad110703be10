from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow, SessionRow
from stages.recall.context_scope import beside, nearest_lines
from stages.recall.scope import Scope
from tests.stages.recall.line_rows import line_row

LENGTH_S = 6.0 * 3600.0
SCOPE = Scope(
    spans={"s": (0, nanoseconds(LENGTH_S))},
    sessions={"s": SessionRow("s", "x", datetime(2026, 3, 2, 8, 0, tzinfo=UTC), nanoseconds(LENGTH_S), "mono", True)},
)
TALK = [line_row("one two three", 5.0 * n, track=f"t{1 + n % 2}", event=f"e{n // 60}") for n in range(int(LENGTH_S / 5.0))]
MOST = 4000
"""So many lines of a span are read at most."""


def _lines_in(session: str, span: tuple[int, int]) -> Sequence[LineRow]:
    return [line for line in TALK if line.session == session and line.start_ns < span[1] and line.end_ns > span[0]][:MOST]


def _told(cited: LineRow, *, before: bool) -> list[LineRow]:
    near = beside(SCOPE, [cited], before=before, open_ended=False, lines_in=_lines_in)
    return [] if near is None else nearest_lines(near, before=before, lines_in=_lines_in)


def test_late_in_a_long_session_what_was_said_before_is_what_was_said_right_before() -> None:
    assert len(TALK) > MOST
    assert _told(TALK[-1], before=True) == TALK[-4:-1]
    assert _told(TALK[-5], before=False) == TALK[-4:-1]


def test_what_lies_more_than_an_hour_away_is_found_where_nothing_is_nearer() -> None:
    scope = Scope(spans=SCOPE.spans, sessions=SCOPE.sessions, speaker="Anna")
    anna = line_row("one two three", 2.0, track="t9", speaker="Anna")

    def lines_in(session: str, span: tuple[int, int]) -> Sequence[LineRow]:
        return [line for line in (anna, *_lines_in(session, span)) if line.end_ns > span[0]]

    near = beside(scope, [TALK[-1]], before=True, open_ended=False, lines_in=lines_in)
    assert near is not None
    assert nearest_lines(near, before=True, lines_in=lines_in) == [anna]


@pytest.mark.parametrize("before", [False, True])
def test_all_that_was_said_after_or_before_is_searched_and_ten_minutes_of_it_are_read(before: bool) -> None:
    read: list[tuple[int, int]] = []

    def lines_in(session: str, span: tuple[int, int]) -> Sequence[LineRow]:
        read.append(span)
        return _lines_in(session, span)

    cited = TALK[len(TALK) // 2]
    near = beside(SCOPE, [cited], before=before, open_ended=True, lines_in=lines_in)
    assert near is not None
    at = TALK.index(cited)
    allowed = [line for line in TALK if near.allows(line)]
    assert allowed == (TALK[:at] if before else TALK[at + 1 :])
    assert sum(end - start for start, end in read) <= nanoseconds(600.0)


def test_who_is_not_heard_for_an_hour_is_searched_for_in_all_that_was_said_after() -> None:
    read: list[tuple[int, int]] = []
    scope = replace(SCOPE, speaker="Anna")
    anna = line_row("one two three", LENGTH_S - 10.0, track="t9", speaker="Anna")

    def lines_in(session: str, span: tuple[int, int]) -> Sequence[LineRow]:
        read.append(span)
        return [line for line in [*_lines_in(session, span), anna] if line.start_ns < span[1]]

    near = beside(scope, [TALK[5]], before=False, open_ended=True, lines_in=lines_in)
    assert near is not None
    assert near.allows(anna)
    assert max(end for _, end in read) <= TALK[5].start_ns + nanoseconds(3600.0)
    assert beside(scope, [TALK[-3]], before=False, open_ended=True, lines_in=_lines_in) is None
