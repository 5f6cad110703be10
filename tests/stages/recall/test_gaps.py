from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.packets import nanoseconds
from stages.memory.rows import GapRow, SessionRow
from stages.recall.gaps import gap_note, gaps_inside, merged_gaps, merged_spans

ONE = {"s": SessionRow("s", "x", datetime(2026, 3, 2, 10, 0, tzinfo=UTC), 0, "uma8", True)}


def _gap(start_s: float, end_s: float, reason: str = "unreadable", session: str = "s") -> GapRow:
    return GapRow(session, nanoseconds(start_s), nanoseconds(end_s), reason)


def test_pieces_of_one_loss_are_one_gap() -> None:
    pieces = [_gap(second, second + 1.0) for second in range(4, 61)]
    assert merged_gaps(pieces) == [_gap(4.0, 61.0)]
    assert gap_note(merged_gaps(pieces), ONE) == "Not everything was heard: 0:04 to 1:01 is missing (unreadable)."


def test_other_reasons_and_sessions_and_real_pauses_stay_apart() -> None:
    gaps = [_gap(0.0, 1.0), _gap(1.0, 2.0, "dropped"), _gap(2.0, 3.0), _gap(1.0, 2.0, session="other")]
    assert merged_gaps(gaps) == gaps[:3] + gaps[3:]
    # A loss of another reason in between does not split one.
    assert merged_gaps([_gap(0.0, 1.0), _gap(0.5, 0.6, "dropped"), _gap(1.0, 2.0)]) == [_gap(0.0, 2.0), _gap(0.5, 0.6, "dropped")]


def test_more_than_any_number_of_gaps_are_kept_and_cut_to_what_was_asked() -> None:
    gaps = [_gap(2.0 * n, 2.0 * n + 1.0) for n in range(200)]
    assert len(gaps_inside(gaps, [("s", 0, nanoseconds(1000.0))])) == 200
    assert gaps_inside(gaps, [("s", nanoseconds(2.5), nanoseconds(4.25))]) == [_gap(2.5, 3.0), _gap(4.0, 4.25)]
    assert gaps_inside(gaps, [("other", 0, nanoseconds(1000.0))]) == []


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (_gap(12.9, 12.932), "32 ms at 0:12 is missing (unreadable)"),
        (_gap(12.9, 14.4), "1.5 s at 0:12 is missing (unreadable)"),
        (_gap(12.0, 14.0, "not a number"), "0:12 to 0:14 is missing (samples that were no numbers)"),
    ],
)
def test_lengths_and_reasons_in_words(gap: GapRow, words: str) -> None:
    assert gap_note([gap], ONE) == f"Not everything was heard: {words}."


def test_what_is_near_the_evidence_is_told_first_and_the_rest_is_summed() -> None:
    gaps = [_gap(5.0, 5.5), *(_gap(1000.0 + 100.0 * n, 1040.0 + 100.0 * n) for n in range(5))]
    assert gap_note(gaps, ONE, [("s", 0, nanoseconds(4.0))]) == (
        "Not everything was heard: 500 ms at 0:05 is missing (unreadable); 16:40 to 17:20 is missing (unreadable); "
        "18:20 to 19:00 is missing (unreadable); and 3 more stretches, 2 min in all."
    )
    assert gap_note([_gap(0.0, 5.0)], {**ONE, "other": ONE["s"]}) == (
        "Not everything was heard: 0:00 to 0:05 of session s is missing (unreadable)."
    )


def test_spans_are_merged_by_session() -> None:
    assert merged_spans([("b", 0, 5), ("a", 4, 9), ("a", 0, 5)]) == [("a", 0, 9), ("b", 0, 5)]
