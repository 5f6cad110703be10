from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.recall.terms import (
    content_terms,
    content_words,
    coverage,
    edit_distance,
    forms,
    has_amount,
    has_number,
    holds,
    is_irregular,
    nearest,
    numbers,
    roots,
    same_word,
    stem,
    stems,
    tokens,
)


def test_tokens_keep_names_with_numbers_whole() -> None:
    assert tokens("Speaker-2 said: it's 10 o'clock!") == ["speaker-2", "said", "it's", "10", "o'clock"]


@given(st.text(alphabet="aeinst-'2 .,Σİ\n"))
def test_what_stands_between_spaces_has_the_stems_of_the_text(text: str) -> None:
    assert [root for word in text.lower().split() for root in roots(word)] == [stem(token) for token in tokens(text)]


def test_the_forms_of_a_stem_are_itself_and_slips_of_it() -> None:
    words = {"budget", "budgat", "bridget", "budgets1", "tender", "tenders", "bus"}
    assert forms("budget", words) == {"budget", "budgat"}
    assert forms("bus", {"bus", "but", "bust"}) == {"bus"}
    assert forms("", words) == frozenset()


def test_two_words_may_stand_between_two_spaces() -> None:
    assert roots("(well-known)") == ("well", stem("known"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dog", "dogs"),
        ("puppy", "puppies"),
        ("leave", "leaves"),
        ("leave", "leaving"),
        ("agree", "agreed"),
        ("run", "running"),
        ("train", "training"),
        ("bus", "buses"),
        ("rise", "rises"),
        ("steal", "stolen"),
        ("child", "children"),
        ("seven", "7"),
        ("dress", "dresses"),
    ],
)
def test_forms_of_one_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("roof", "roofer"), ("car", "card"), ("plane", "plan"), ("station", "state")])
def test_different_words_have_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_content_is_what_a_question_is_about() -> None:
    assert content_words("When did somebody talk about the school trip?") == ("school", "trip")
    assert content_terms("What did they say about the dogs and the dog?") == ("dog",)
    assert content_terms("the new car", drop={"new"}) == ("car",)


def test_a_recognisers_small_slips_are_allowed_in_long_words() -> None:
    assert same_word("volcano", "vulcano")
    assert not same_word("cat", "car")
    assert not same_word(stem("storm"), stem("story"))
    assert not same_word("1000", "10000")
    assert holds("lighthous", stems("the old lighthause"))
    assert coverage(("bus", "museum"), stems("the bus came")) == 0.5
    assert coverage((), stems("the bus came")) == 1.0


def test_numbers_are_digits_however_they_were_said() -> None:
    assert numbers("seven dogs, 30 children and speaker-2") == {"7", "30"}
    assert has_amount("nine hundred pounds")
    assert not has_amount("only one of them, on Friday")
    assert has_number("at the end of May")
    assert has_number("on Friday")
    assert not has_number("he may come")


def test_the_nearest_name_is_guessed_only_when_it_is_near() -> None:
    assert nearest("Ana", ["Bert", "Anna"]) == "Anna"
    assert nearest("speaker-9", ["speaker-1", "speaker-2"]) == "speaker-1"
    assert nearest("Maximilian", ["Bert", "Anna"]) is None


@given(st.text("abcd", max_size=8), st.text("abcd", max_size=8), st.text("abcd", max_size=8))
def test_edit_distance_is_a_metric(one: str, other: str, third: str) -> None:
    assert edit_distance(one, other) == edit_distance(other, one)
    assert (edit_distance(one, other) == 0) == (one == other)
    assert edit_distance(one, third) <= edit_distance(one, other) + edit_distance(other, third)


def test_a_hearing_in_court_is_something_to_ask_for_and_a_conversation_is_not() -> None:
    assert content_words("When did they say when the hearing was?") == ("hearing",)
    assert content_words("Who talked about the conversation?") == ()


def test_what_leaves_and_what_buses_there_are_is_no_form_of_the_past() -> None:
    assert [word for word in ("left", "met", "leaves", "buses", "children") if is_irregular(word)] == ["left", "met"]
    assert stem("leaves") == stem("left")
