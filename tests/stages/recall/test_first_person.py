"""Facts about talkers, who speak of themselves as "I"."""

from __future__ import annotations

import pytest

from stages.memory.text_encoder import TextEncoder
from stages.recall.first_person import as_own, as_told
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.small_rooms import asking


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("When will Anna leave?", ("Anna", "When will I leave?")),
        ("Where does Anna live?", ("Anna", "Where do I live?")),
        ("How old is Anna's dog?", ("Anna", "How old is my dog?")),
        ("Is Anna coming with her dog?", ("Anna", "am I coming with my dog?")),
        ("Where did Anna meet Ben?", None),
        ("When does the bus leave?", None),
    ],
)
def test_a_question_as_its_talker_would_ask_it(text: str, own: tuple[str, str] | None) -> None:
    assert as_own(text, ["Anna", "Ben"]) == own


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("When did Anna say she would leave?", "When will I leave?"),
        ("Where did Anna say that she had put her key?", "Where have I put my key?"),
        ("How old did Anna say she is?", "How old am I?"),
        ("What hurts Anna?", "What hurts me?"),
        ("Where is Anna?", "Where am I?"),
        ("Who gave the book to Anna on Monday?", "Who gave the book to me on Monday?"),
        ("When did Anna say Ben would leave?", None),
        ("When did Anna say what the tooth had cost?", None),
        ("What did Anna say about the ferry?", None),
        ("When did they say it would start?", None),
    ],
)
def test_what_a_talker_told_as_they_would_ask_for_it(text: str, told: str | None) -> None:
    assert as_told(text, "Anna") == told


def test_what_a_talker_says_of_themselves_is_found(kitchen: Asker) -> None:
    kitchen.memory.speakers.rename("speaker-4", "Dora")
    answer = kitchen.ask("When did Dora book the show?")
    assert [evidence.speaker for evidence in answer.claims[0].evidence] == ["Dora"]
    assert "eleven o'clock" in answer.text


def test_what_others_say_of_themselves_is_no_answer(kitchen: Asker) -> None:
    kitchen.memory.speakers.rename("speaker-1", "Anna")
    assert kitchen.ask("When did Anna book the show?").abstained


@pytest.mark.parametrize(
    ("said", "is_of_anna"), [("My sister is well. She's moving to Canada in May.", False), ("I'm well. I'm moving to Canada in May.", True)]
)
def test_what_talkers_say_of_others_is_not_of_themselves(encoder: TextEncoder, said: str, is_of_anna: bool) -> None:
    lines = [line_row(said, 1.0, speaker="Anna", event="e1"), line_row("How nice.", 5.0, track="t2", speaker="Ben", event="e1")]
    with asking(encoder, {"s": lines}) as ask:
        assert ask("Will Anna move to Canada?").abstained != is_of_anna
