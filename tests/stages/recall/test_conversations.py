from __future__ import annotations

from collections.abc import Sequence

from stages.memory.rows import LineRow
from stages.recall.conversations import GOOD_PART, conversations
from tests.stages.recall.line_rows import line_row


def _tracks(lines: Sequence[LineRow], least_shared: float) -> list[set[str]]:
    return [{line.track for line in talk} for talk in conversations(lines, least_shared)]


def test_tracks_that_share_an_event_are_one_conversation() -> None:
    lines = [
        line_row("a", 0.0, track="t1", event="e1"),
        line_row("b", 1.0, track="t2", event="e1"),
        line_row("c", 1.5, track="t3", event="e2"),
        line_row("d", 2.0, track="t2", event="e3"),
        line_row("e", 3.0, track="t4"),
        line_row("f", 4.0, track="t1", session="z", event="e9"),
    ]
    groups = conversations(reversed(lines))
    assert [[line.text for line in group] for group in groups] == [["a", "b", "d"], ["c"], ["e"], ["f"]]


def test_those_who_only_shared_an_event_at_the_beginning_do_not_talk_with_each_other() -> None:
    said = [
        ("t1", "begin"),
        ("t3", "begin"),
        ("t2", "begin"),
        ("t4", "begin"),
        *[("t1", "left"), ("t3", "right"), ("t2", "left"), ("t4", "right")] * 3,
    ]
    lines = [line_row("so it is", float(place), track=track, event=event) for place, (track, event) in enumerate(said)]
    assert _tracks(lines, 0.0) == [{"t1", "t2", "t3", "t4"}]
    assert _tracks(lines, GOOD_PART) == [{"t1", "t2"}, {"t3", "t4"}]


def test_who_says_little_belongs_to_those_with_whom_they_say_it() -> None:
    lines = [
        line_row("so it is", float(place), track=track, event=event)
        for place, (track, event) in enumerate([("t1", "e")] * 9 + [("t2", "e")])
    ]
    lines += [line_row("so it is", 20.0 + place, track="t1", event="f") for place in range(9)]
    assert _tracks(lines, 0.9) == [{"t1", "t2"}]


def test_nothing_makes_no_conversation() -> None:
    assert conversations([]) == []
