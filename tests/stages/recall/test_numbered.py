"""Things of one kind that are told apart by a number."""

from __future__ import annotations

import pytest

from stages.recall.numbered import gives_another, numbers_said


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("Who is in bed six?", {"bed": {"6"}}),
        ("When does bus number 12 leave?", {"bus": {"12"}}),
        ("The number 12 bus leaves at nine.", {"bus": {"12"}}),
        ("The twelve bus is late.", {"bus": {"12"}}),
        ("Rooms four and five, and gate 23b.", {"room": {"4", "5"}, "gate": {"23b"}}),
        ("Read chapter twenty-three by Monday.", {"chapter": {"23"}}),
        ("I live at number nine.", {"number": {"9"}}),
        ("The bus twelve minutes later was full.", {}),
        ("Beds four, five and six are empty.", {"bed": {"4", "5", "6"}}),
        ("Tables one, two, and twenty, three chairs each.", {"table": {"1", "2", "20", "3"}}),
        ("It was moved from room 214 to room 300.", {"room": {"214", "300"}}),
        ("Bed six, the old one, is free.", {"bed": {"6"}}),
        ("I was in bed. Six people came.", {}),
        ("There are six beds in that room.", {}),
        ("It takes rooms four to nine.", {}),
        ("The train ten past six is gone, and so is the one bus.", {}),
        ("We had five eggs in bed at six.", {}),
    ],
)
def test_what_has_which_number(text: str, things: dict[str, set[str]]) -> None:
    assert numbers_said(text) == things


@pytest.mark.parametrize(
    ("question", "line", "another"),
    [
        ("Who is in bed six?", "Bed seven, Lindqvist, no penicillin.", True),
        ("Who is in bed 6?", "Bed six is Lindqvist.", False),
        ("Who is in bed five?", "Bed five is empty, bed seven too.", False),
        ("Who is in bed five?", "Beds four and five are empty.", False),
        ("Who is in bed five?", "Nobody yet, they are sending somebody.", False),
        ("Where does bus 12 go?", "The fourteen bus goes to the harbour.", True),
        ("Where does bus 12 go?", "It goes from platform two.", False),
        ("Who sits at table nine?", "Tables one to nine are the choir.", False),
        ("Who is empty?", "Bed seven is empty.", False),
    ],
)
def test_a_line_that_gives_another_number_alone_is_of_another_thing(question: str, line: str, another: bool) -> None:
    assert gives_another(numbers_said(question), line) == another


def test_a_number_that_is_said_of_the_thing_later_may_correct_the_other() -> None:
    asked, line = numbers_said("Does the train leave from platform nine?"), "It leaves from platform four."
    assert not gives_another(asked, line, ["Really?", "No, it leaves from platform nine."])
    assert gives_another(asked, line, ["The bus leaves at nine, from bay nine."])
