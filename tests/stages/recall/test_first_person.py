"""Facts about talkers, who speak of themselves as "I"."""

from __future__ import annotations

import pytest

from stages.recall.first_person import as_own
from tests.stages.recall.room_memory import Asker


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


def test_what_a_talker_says_of_themselves_is_found(kitchen: Asker) -> None:
    kitchen.memory.speakers.rename("speaker-4", "Dora")
    answer = kitchen.ask("When did Dora book the show?")
    assert [evidence.speaker for evidence in answer.claims[0].evidence] == ["Dora"]
    assert "eleven o'clock" in answer.text


def test_what_others_say_of_themselves_is_no_answer(kitchen: Asker) -> None:
    kitchen.memory.speakers.rename("speaker-1", "Anna")
    assert kitchen.ask("When did Anna book the show?").abstained
