from __future__ import annotations

import pytest

from stages.answer.corrections import correction_of, takes_nothing_back
from stages.answer.extractive import Extractive
from stages.recall.material import Found, Material
from tests.stages.answer.materials import SESSIONS, question
from tests.stages.recall.line_rows import line_row

FOUR = line_row("The shop needs four days for the wheel", 10.0, event="s-e")
SIX = line_row("Actually they said six days, I mixed it up", 40.0, event="s-e")


def test_the_last_line_that_takes_a_value_back_corrects_it() -> None:
    five = line_row("Sorry, five days", 30.0, event="s-e")
    assert correction_of(FOUR, (FOUR, five, SIX)) == SIX


def test_another_number_alone_corrects_nothing() -> None:
    assert correction_of(FOUR, (FOUR, line_row("The ticket was six dollars", 20.0, event="s-e"))) is None


def test_the_same_value_said_again_and_what_is_much_later_correct_nothing() -> None:
    again = line_row("Actually it is four days", 20.0, event="s-e")
    late = line_row("Actually they said six days", 80.0, event="s-e")
    assert correction_of(FOUR, (FOUR, again, late)) is None


def test_the_same_person_with_another_value_for_the_same_thing_corrects_it_without_saying_so() -> None:
    anew = line_row("The wheel takes them nine days, the man told me", 30.0, event="s-e")
    assert correction_of(FOUR, (FOUR, anew)) == anew
    somebody = line_row(anew.text, 30.0, track="t2", event="s-e")
    assert correction_of(FOUR, (FOUR, somebody)) is None


def test_what_is_counted_otherwise_replaces_nothing() -> None:
    assert correction_of(FOUR, (FOUR, line_row("With the wheel it was nine euros, to be exact", 30.0, event="s-e"))) is None


def test_a_time_is_corrected_however_it_is_told() -> None:
    eight = line_row("The ferry leaves at eight o'clock on Saturday", 1.0)
    seven = line_row("Careful, the timetable has changed: the ferry leaves at half past seven", 18.0)
    assert correction_of(eight, (eight, seven)) == seven


def test_a_day_is_corrected_by_a_day() -> None:
    monday = line_row("We meet on Monday", 1.0)
    friday = line_row("No wait, on Friday", 8.0)
    assert correction_of(monday, (monday, friday)) == friday


def test_a_day_of_the_month_is_corrected_by_another() -> None:
    june = line_row("The wedding is on the twenty-sixth of June", 1.0)
    moved = line_row("They had to postpone it, so it was moved: the wedding is on the third of June", 20.0)
    assert correction_of(june, (june, moved)) == moved
    same = line_row("So the wedding is on the twenty-sixth of June", 20.0)
    assert correction_of(june, (june, same)) is None


def test_the_same_person_who_counts_the_same_things_anew_corrects_it_but_not_by_a_unit() -> None:
    traps = line_row("I have put up three traps behind the stove", 1.0)
    more = line_row("My wife has added some, there are six traps now", 20.0)
    assert correction_of(traps, (traps, more)) == more
    price = line_row("The lesson costs thirty dollars", 1.0)
    other = line_row("I paid ninety dollars to the dentist", 20.0)
    assert correction_of(price, (price, other)) is None


def test_a_claim_goes_on_with_what_holds_and_does_not_repeat_it() -> None:
    found = tuple(Found(line, 1.0, 0.9, 1.0, (line,), (line,), (FOUR, SIX)) for line in (FOUR, SIX))
    claims = Extractive().compose(question("How many days does the shop need?"), Material(found=found, sessions=SESSIONS))
    assert [claim.text for claim in claims] == [
        'At 0:10, speaker-1 (30 degrees) said: "The shop needs four days for the wheel" '
        'That was taken back: at 0:40, speaker-1 (30 degrees) corrected it: "Actually they said six days, I mixed it up"'
    ]
    assert [entry.text for entry in claims[0].evidence] == [FOUR.text, SIX.text]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("We meet on Tuesday at the library.", "No wait, not Tuesday, Thursday."),
        ("The train leaves at 8:15 from platform two.", "I was wrong about the train, it is 8:45."),
        ("The meeting is on Monday.", "It is on Wednesday after all."),
        ("The ticket costs 40 euros.", "Sorry, 45."),
        ("Our budget is 12,000 dollars.", "Actually the budget is $15,000."),
        ("The class starts at nine.", "It has been moved to ten."),
        ("There are twelve chairs.", "Eleven, actually."),
        ("Emma will bring the cake.", "It was Clara, not Emma."),
        ("We sit in the garden.", "Not in the garden, in the kitchen, it is too cold."),
        ("The party is at Noah's house.", "No, at Olga's house."),
        ("It opens at nine in the morning.", "Sorry, I was wrong, it opens at nine in the evening."),
        ("The loan is at 2.5 percent.", "Sorry, it is 5.2 percent."),
        ("My niece weighs six pounds.", "I read it again, she weighs eight pounds, it is a new scale."),
    ],
)
def test_what_is_replaced_is_taken_back(old: str, new: str) -> None:
    line, later = line_row(old, 1.0), line_row(new, 12.0)
    assert correction_of(line, (line, later)) == later


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The ticket costs 40 euros.", "And the meal costs 45 euros."),
        ("The ticket costs 40 euros.", "The meal costs 45 euros."),
        ("The ticket costs 40 euros.", "No, I do not like the three of them."),
        ("I will come on Friday.", "I will also come on Saturday, no problem."),
        ("I will come on Friday.", "Wait, did you call Anna on Monday?"),
        ("We have the court at seven o'clock.", "Not quite, they counted again and it was forty tiles."),
        ("Will you come on Friday?", "No, on Saturday."),
        ("My son Tom is seven years old.", "My daughter Lisa is nine years old."),
        ("The small room costs ten euros a night.", "The large room costs twenty euros a night."),
        ("The train on Monday leaves at nine.", "The train on Tuesday leaves at ten."),
        ("We need two eggs for the dough.", "We need three eggs for the cream."),
        ("The meeting is on Monday.", "Actually, I have a dentist on Tuesday."),
        ("The shop closes at 9 pm.", "Sorry, it closes at 21:00."),
        ("Everybody sat there in coats last night.", "Sorry, I misread my diary: the plumber is coming on Thursday."),
    ],
)
def test_what_only_has_another_value_takes_nothing_back(old: str, new: str) -> None:
    line, later = line_row(old, 1.0), line_row(new, 12.0)
    assert correction_of(line, (line, later)) is None


def test_a_correction_is_one_of_the_line_that_it_is_most_like() -> None:
    hearing = line_row("The trial is on Monday", 1.0)
    wedding = line_row("The wedding is on Saturday", 12.0)
    moved = line_row("They have put it off, the trial is on Friday", 20.0)
    assert correction_of(hearing, (hearing, wedding, moved)) == moved
    assert correction_of(wedding, (hearing, wedding, moved)) is None


def test_a_denial_finds_what_it_denies_although_another_line_has_a_name() -> None:
    son = line_row("My son Tom is seven years old", 1.0)
    cake = line_row("Emma brings the cake", 8.0)
    denied = line_row("Not Emma, Clara brings it", 14.0)
    assert correction_of(cake, (son, cake, denied)) == denied


def test_what_holds_after_all_was_not_taken_back() -> None:
    nine = line_row("The ferry leaves at nine", 1.0)
    ten, after_all = line_row("No, ten", 6.0), line_row("Sorry, it is nine after all", 12.0)
    assert correction_of(nine, (nine, ten, after_all)) is None


def test_a_correction_minutes_later_says_what_it_is_about() -> None:
    dentist = line_row("My dentist is on Tuesday", 1.0)
    late = line_row("I was wrong about the dentist, it is on Thursday", 200.0)
    assert correction_of(dentist, (dentist, late)) == late
    assert correction_of(dentist, (dentist, line_row("I was wrong, it is on Thursday", 200.0))) is None
    assert correction_of(dentist, (dentist, line_row(late.text, 400.0))) is None


def test_a_correction_that_was_taken_back_leads_to_what_holds() -> None:
    tuesday = line_row("My dentist is on Tuesday", 1.0)
    thursday = line_row("Sorry, on Thursday", 8.0)
    friday = line_row("No wait, on Friday", 15.0)
    assert correction_of(tuesday, (tuesday, thursday, friday)) == friday
    again = line_row("No, it is on Tuesday after all", 15.0)
    assert correction_of(tuesday, (tuesday, thursday, again)) is None


def test_where_a_topic_came_up_a_quote_that_was_taken_back_goes_on_with_what_holds() -> None:
    found = Found(FOUR, 1.0, 0.9, 1.0, (FOUR,), (FOUR,), (FOUR, SIX))
    claims = Extractive().compose(question("Did anybody talk about the wheel?"), Material(found=(found,), sessions=SESSIONS))
    assert f'corrected it: "{SIX.text}"' in claims[0].text
    assert [entry.text for entry in claims[0].evidence] == [FOUR.text, SIX.text]


@pytest.mark.parametrize(
    ("told", "later"),
    [
        ("The train to Rome leaves at eight.", "Sorry, the party starts at seven, not eight."),
        ("My shift ends at ten on Monday.", "I meant to say, the shop opens at nine, not ten."),
        ("The exam is on the third of May.", "Correction, the concert is on the fifth of May, not the third."),
        ("The parcel weighs five kilos.", "No wait, the baby weighs four kilos."),
    ],
)
def test_what_is_about_something_else_after_a_silence_takes_nothing_back(told: str, later: str) -> None:
    line, between = line_row(told, 0.0), line_row("All right then.", 4.0, track="t2")
    assert correction_of(line, [line, between, line_row(later, 60.0)]) is None


@pytest.mark.parametrize(
    ("told", "later"),
    [
        ("The train to Rome leaves at eight.", "Sorry, the train leaves at seven, not eight."),
        ("The train to Rome leaves at eight.", "No wait, it is seven, not eight."),
        ("The parcel weighs five kilos.", "No wait, I misread the parcel's label, four kilos."),
    ],
)
def test_what_goes_on_with_it_after_a_silence_takes_it_back(told: str, later: str) -> None:
    line, between, after = line_row(told, 0.0), line_row("All right then.", 4.0, track="t2"), line_row(later, 55.0)
    assert correction_of(line, [line, between, after]) == after


FELL = line_row("No, absolutely not. Always two people with him, he fell on Monday.", 25.0, event="s-e")
SWAP = line_row("Can you swap with me on Sunday, by the way?", 36.0, track="t2", event="s-e")


def test_a_no_that_answers_another_question_takes_nothing_back() -> None:
    echoed = line_row("Sunday? No, I'm at my cousin's wedding.", 42.0, event="s-e")
    plain = line_row("No, on Sunday I'm away.", 42.0, event="s-e")
    assert correction_of(FELL, (FELL, echoed)) is None
    assert correction_of(FELL, (FELL, SWAP, plain)) is None
    assert correction_of(FELL, (FELL, plain)) == plain


def test_a_question_of_what_was_said_may_be_answered_with_what_holds_instead() -> None:
    asked = line_row("So he fell on Monday?", 29.0, track="t2", event="s-e")
    instead = line_row("No, on Sunday.", 31.0, event="s-e")
    assert correction_of(FELL, (FELL, asked, instead)) == instead
    sorry = line_row("No. Sorry, it was Sunday.", 42.0, event="s-e")
    assert correction_of(FELL, (FELL, SWAP, sorry)) == sorry
    friday = line_row("She can go home on Friday.", 10.0, event="s-e")
    thursday = line_row("Friday? No, they said she goes home on Thursday.", 14.0, track="t2", event="s-e")
    assert correction_of(friday, (friday, thursday)) == thursday


def test_a_choice_of_what_a_line_offers_takes_nothing_of_it_back() -> None:
    places = line_row("There's the little chapel, or the canteen on the ground floor.", 1.0, event="s-e")
    cold = line_row("Not the chapel, it's freezing in there.", 6.0, track="t2", event="s-e")
    assert correction_of(places, (places, cold)) is None
    chapel = line_row("We meet in the little chapel.", 1.0, event="s-e")
    assert correction_of(chapel, (chapel, cold)) == cold
    lunch = line_row("For lunch we have soup or salad.", 1.0, event="s-e")
    assert takes_nothing_back(cold, places, (places, cold))
    assert not takes_nothing_back(line_row("Wait, the soup is off.", 6.0, track="t2", event="s-e"), lunch, (lunch,))
    hours = line_row("We meet at seven or at eight o'clock.", 1.0, event="s-e")
    nine = line_row("Sorry, not at eight o'clock, at nine o'clock.", 6.0, event="s-e")
    assert correction_of(hours, (hours, nine)) == nine
