from __future__ import annotations

from collections.abc import Sequence

from stages.memory.rows import LineRow
from stages.recall.talks import talks
from tests.stages.recall.line_rows import line_row


def _said(start_s: float, event: str | None, *tracks: str) -> list[LineRow]:
    """Lines of two seconds, one after the other."""
    return [line_row("one two three four five", start_s + 2.5 * n, track=track, event=event) for n, track in enumerate(tracks)]


def _tracks(lines: Sequence[LineRow]) -> list[list[str]]:
    return [sorted({line.track for line in talk}) for talk in talks(lines)]


def test_events_of_the_same_people_follow_each_other_beside_those_of_others() -> None:
    ours = [*_said(0, "e1", "a", "b", "a"), *_said(8, "e3", "b", "a", "b", "a")]
    theirs = [*_said(1, "e2", "c", "d", "c"), *_said(9, "e4", "d", "c")]
    assert talks([*theirs, *ours]) == [ours, theirs]


def test_long_silence_ends_a_conversation() -> None:
    early, late = _said(0, "e1", "a", "b", "a"), _said(45, "e2", "a", "b")
    assert talks([*early, *late]) == [early, late]
    assert talks([*early, *_said(30, "e2", "a", "b")]) == [[*early, *_said(30, "e2", "a", "b")]]


def test_who_is_counted_to_a_wrong_event_goes_with_their_own_people() -> None:
    """Before it is known who talks with whom, one event holds lines of two conversations."""
    mixed = [*_said(0, "e1", "a", "b", "a"), line_row("one two", 3.0, track="c", event="e1")]
    ours = _said(10, "e2", "b", "a", "b")
    theirs = _said(8, "e3", "d", "c", "d", "c")
    assert _tracks([*mixed, *ours, *theirs]) == [["a", "b"], ["c", "d"]]


def test_somebody_who_says_little_stays_in_their_conversation() -> None:
    lines = [*_said(0, "e1", "a", "b", "c", "a", "b"), *_said(14, "e2", "a", "b", "a"), *_said(23, "e3", "b", "c", "b")]
    assert _tracks(lines) == [["a", "b", "c"]]


def test_who_is_in_no_other_event_stays_in_theirs() -> None:
    assert _tracks([*_said(0, "e1", "a", "b", "c", "c"), *_said(12, "e2", "a", "b", "a", "b")]) == [["a", "b", "c"]]


def test_lines_without_an_event_go_on_where_their_track_was_heard() -> None:
    ours, theirs = _said(0, "e1", "a", "b", "a"), _said(0.5, "e2", "c", "d", "c")
    loose = [*_said(10, None, "b"), *_said(10.5, None, "d"), *_said(13, None, "e")]
    assert _tracks([*ours, *theirs, *loose]) == [["a", "b"], ["c", "d"], ["e"]]
    assert len(talks([*ours, *theirs, *loose])[0]) == 4


def test_sessions_are_apart_and_nothing_makes_no_conversation() -> None:
    here, there = line_row("one two", 0.0, event="e1"), line_row("one two", 1.0, session="t", event="e2")
    assert talks([there, here]) == [[here], [there]]
    assert talks([]) == []
