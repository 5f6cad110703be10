from __future__ import annotations

import pytest

from stages.memory.rows import Hit
from stages.recall.ranking import conversations, fused
from tests.stages.recall.line_rows import line_row


def test_fusion_adds_reciprocal_ranks() -> None:
    scores = fused([[Hit("a", 0.9), Hit("b", 0.8)], [Hit("b", 12.0), Hit("c", 3.0)]])
    assert scores == {"a": pytest.approx(1 / 61), "b": pytest.approx(1 / 62 + 1 / 61), "c": pytest.approx(1 / 62)}


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
