"""What numbers count, in questions and in lines."""

from __future__ import annotations

import pytest

from stages.recall.measures import measured_in, measures_said, only_others


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("How many weeks will she be away?", "I have to stay at home for seven weeks."),
        ("How old is the dog?", "He is eleven years already."),
        ("How high is the hedge?", "It is nine feet by now."),
        ("How much is the rent?", "They want eleven hundred euros with heating."),
        ("What temperature does the oven need?", "I bake it at two hundred and thirty degrees."),
        ("What was the number of guests?", "There were 40 guests in the end."),
    ],
)
def test_a_number_of_what_is_asked_for_fits(question: str, line: str) -> None:
    measure = measured_in(question)
    assert measure is not None
    assert measure & measures_said(line)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("How many hours does it take in the oven?", "I bake it at two hundred and thirty degrees."),
        ("How many dollars is a lesson?", "She has three lessons a week."),
        ("How heavy was the fish?", "We were out there for six hours."),
    ],
)
def test_a_number_of_something_else_does_not(question: str, line: str) -> None:
    measure = measured_in(question)
    assert measure is not None
    assert measures_said(line)
    assert not measure & measures_said(line)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("How much flour do we need?", "We need five hundred grams of flour."),
        ("How much milk is in the fridge?", "Two litres of milk are in the fridge."),
        ("How much money did they raise?", "We raised three thousand euros."),
        ("How much rope do we have?", "Our rope is 30 feet."),
        ("How much longer does it take?", "It takes another twenty minutes."),
        ("How much rent do they pay?", "They pay nine hundred euros a month."),
        ("How much is the rent?", "They want seven hundred a month for it."),
        ("How much rent do they pay?", "It is seven hundred per month."),
    ],
)
def test_how_much_of_a_thing_comes_in_units(question: str, line: str) -> None:
    measure = measured_in(question)
    assert measure is None or not only_others(measure, measures_said(line))


def test_what_a_number_is_told_for_is_not_what_it_counts() -> None:
    assert measures_said("She has three lessons a week.") == {"lesson"}
    assert measures_said("Seven hundred a month, or twenty each day.") == frozenset()
    assert measures_said("It takes two weeks.") == {"week"}


@pytest.mark.parametrize("question", ["Who is the surgeon?", "How did it go?", "Which number is it?", "How does it work?"])
def test_a_question_for_no_measure_has_none(question: str) -> None:
    assert measured_in(question) is None


def test_a_line_without_a_number_measures_nothing() -> None:
    assert measures_said("The weeks went by and nobody knew.") == frozenset()
    assert measures_said("One week more.") == frozenset()


@pytest.mark.parametrize(
    ("question", "line", "other"),
    [
        ("How long will they be paying back the money?", "The interest on the loan is four percent.", True),
        ("How many storeys will the building have?", "The rent is nine hundred and fifty euros.", True),
        ("How old is Biscuit?", "He weighs nine kilos by now.", True),
        ("In how many hours do they hope to finish?", "The notice says seventy-five minutes.", False),
        ("How many thousand dollars does the department get?", "We get seventy thousand dollars.", False),
        ("How much time do the pupils have?", "The exam lasts seventy-five minutes.", False),
        ("How many people came?", "We counted forty guests.", False),
        ("How many tiles did the storm tear off?", "They counted again and it was forty.", False),
    ],
)
def test_numbers_of_other_units_alone_are_no_answer(question: str, line: str, other: bool) -> None:
    measure = measured_in(question)
    assert measure is not None
    assert only_others(measure, measures_said(line)) == other
