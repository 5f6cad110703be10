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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Who was talking at 210 degrees?", "Carla was heard at 210 degrees, first at 0:02, last at 0:12."),
        (
            "Who was around 215 degrees?",
            "Carla was heard at 210 degrees, first at 0:02, last at 0:12; David was heard at 230 degrees, first at 0:07, last at 0:17.",
        ),
        ("Where was speaker-9?", "speaker-9 was heard at 30 degrees, at 0:14."),
        ("Who is speaker-9?", 'speaker-9 has no name yet. speaker-9 was heard at 30 degrees, at 0:14. The first words: "Me neither."'),
    ],
)
def test_who_was_where_is_one_sentence(encoder: MinilmOnnx, text: str, told: str) -> None:
    other = line_row("Me neither.", 14.0, track="t9", speaker="speaker-9", azimuth_deg=30.0, event="e1")
    with asking(encoder, {"s": [*PARTY, other]}) as ask:
        answer = ask(text)
    assert (answer.text, len(answer.claims)) == (told, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Who is David and where is he sitting?", "David was heard at 230 degrees, first at 0:07, last at 0:17. The first words: "),
        ("Where was David and who is he?", "David was heard at 230 degrees, first at 0:07, last at 0:17."),
        ("Who is speaker-9 and where was he?", "speaker-9 has no name yet. speaker-9 was heard at 30 degrees, at 0:14. The first words: "),
    ],
)
def test_who_and_where_at_once_is_one_sentence(encoder: MinilmOnnx, text: str, told: str) -> None:
    other = line_row("Me neither.", 14.0, track="t9", speaker="speaker-9", azimuth_deg=30.0, event="e1")
    with asking(encoder, {"s": [*PARTY, other]}) as ask:
        answer = ask(text)
    assert answer.text.startswith(told)
    assert len(answer.claims) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Who is Carla?", 'Carla was heard at 210 degrees, first at 0:02, last at 0:12. The first words: "We have to settle'),
        ("Where was Carla?", "Carla was heard at 210 degrees, first at 0:02, last at 0:12."),
        ("Where is David sitting?", "David was heard at 230 degrees, first at 0:07, last at 0:17."),
    ],
)
def test_who_has_a_name_is_told_as_well_as_who_has_none(encoder: MinilmOnnx, text: str, told: str) -> None:
    with asking(encoder, {"s": PARTY}) as ask:
        assert ask(text).text.startswith(told)


def test_what_somebody_told_of_a_talker_goes_before_where_they_were_heard(encoder: MinilmOnnx) -> None:
    told = line_row("David is in the garden.", 22.0, track="t1", speaker="Carla", azimuth_deg=210.0, event="e1")
    with asking(encoder, {"s": [*PARTY, told]}) as ask:
        assert "David is in the garden." in ask("Where is David?").text
        assert ask("Where is the band?").abstained


def test_who_moved_is_told_with_both_places(encoder: MinilmOnnx) -> None:
    places = ((0.0, 210.0), (30.0, 90.0))
    said = [line_row("I sit here now.", at_s, track="t1", speaker="speaker-1", azimuth_deg=deg, event="e1") for at_s, deg in places]
    with asking(encoder, {"s": said}) as ask:
        assert ask("Where was speaker-1?").text == "speaker-1 was heard at 210 degrees, first at 0:00, last at 0:30 at 90 degrees."


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
