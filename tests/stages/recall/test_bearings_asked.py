"""Who is meant by a bearing, end to end."""

from __future__ import annotations

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.small_rooms import asking

PARTY = [
    line_row("We have to settle the budget for the summer party.", 2.0, track="t1", speaker="Carla", azimuth_deg=210.0, event="e1"),
    line_row("The band alone wants nine hundred euros.", 7.0, track="t2", speaker="David", azimuth_deg=230.0, event="e1"),
    line_row("Then we take the DJ instead of the band.", 12.0, track="t1", speaker="Carla", azimuth_deg=210.0, event="e1"),
    line_row("The DJ is fine with me.", 17.0, track="t2", speaker="David", azimuth_deg=230.0, event="e1"),
]


def test_of_two_who_sit_close_the_nearer_one_is_meant(encoder: MinilmOnnx) -> None:
    with asking(encoder, {"s": PARTY}) as ask:
        told = ask("Who talked at 210 degrees?").text
        assert ("Carla" in told, "David" in told) == (True, False)
        about = ask("Who talked about the DJ at 230 degrees?").text
        assert ("Carla" in about, "David" in about) == (False, True)
        both = ask("What did the people at 210 degrees talk about?").text
        assert ("Carla" in both, "David" in both) == (True, True)


def test_where_nobody_sits_at_the_bearing_those_near_it_are_meant(encoder: MinilmOnnx) -> None:
    with asking(encoder, {"s": PARTY}) as ask:
        assert "Carla" in ask("Who talked at 190 degrees?").text


@pytest.mark.parametrize("text", ["What did speaker-1 say at 210 degrees?", "What did speaker-1 say about the dog at 210 degrees?"])
def test_who_was_never_heard_at_the_bearing_is_refused_with_where_they_were(kitchen: Asker, text: str) -> None:
    answer = kitchen.ask(text)
    assert (answer.abstained, answer.text) == (True, "speaker-1 was heard at 30 degrees, not at 210 degrees.")
    assert answer.retrieved


def test_a_talker_on_the_other_side_is_refused_with_where_they_were(kitchen: Asker) -> None:
    # Who faces 120 degrees has 210 on the left.
    answer = kitchen.ask("What did speaker-1 say on my left?")
    assert answer.text == "speaker-1 was heard at 30 degrees, not between 165 and 255 degrees."
