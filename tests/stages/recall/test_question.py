from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from stages.recall.question import Question, parse
from stages.recall.time_phrase import Moments
from tests.stages.recall.room_memory import load_rooms

NOW = datetime(2026, 3, 2, 10, 45, tzinfo=timezone(timedelta(hours=1)))
MOMENTS = Moments(NOW, NOW - timedelta(minutes=5), NOW - timedelta(minutes=45))
NAMES = ["Anna", "Project Manager", "speaker-1"]


def _parsed(text: str) -> Question:
    return parse(text, MOMENTS, lambda: NAMES)


@pytest.mark.parametrize("file", ["rooms.yaml", "held_out.yaml"])
def test_the_intent_of_every_question_of_the_rooms(file: str) -> None:
    for room in load_rooms(file):
        for question in room.questions:
            assert _parsed(question["ask"]).intent == question["intent"], question["ask"]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Catch me up", "catch_up"),
        ("What happened in the last two minutes?", "catch_up"),
        ("What did people talk about?", "catch_up"),
        ("Summarise the conversation about dogs", "catch_up"),
        ("What was said between +10 and +40?", "catch_up"),
        ("How often did they mention the alarm?", "count"),
        ("How many people talked about the budget?", "count"),
        ("How many people were here?", "count"),
        ("How many people have complained about the noise?", "count"),
        ("How many people asked about the stage?", "count"),
        ("How many people were in the conversation?", "count"),
        ("How many people did you hear?", "count"),
        ("How many people are going on the trip?", "what"),
        ("How many people will be present at the wedding?", "what"),
        ("How many people in the village speak Welsh?", "what"),
        ("How many people are there in the band?", "what"),
        ("How many people play in the band that they talked about?", "what"),
        ("How many dogs does Maria have?", "what"),
        ("Where was the conversation about the museum?", "where"),
        ("What time does the train leave?", "when"),
        ("Why is Anna moving?", "what"),
        ("volcano", "what"),
        ("What else was going on during the dog conversation?", "missed"),
        ("What did I miss?", "missed"),
        ("While I was following the conversation about dogs, what did I miss?", "missed"),
        ("Tell me what they said about the budget", "what"),
        ("Did the others hear about the alarm?", "did_anybody"),
        ("What were the others talking about?", "missed"),
        ("What did the other group discuss?", "missed"),
        ("Who was talking at the other table?", "missed"),
        ("What was going on elsewhere?", "missed"),
        ("Anything missed?", "missed"),
        ("OK, what was missed?", "missed"),
        ("Was anything missed?", "missed"),
        ("What parts of the conversation were missed?", "missed"),
        ("What did I and my wife both miss?", "missed"),
        ("What did the others want?", "missed"),
        ("Who were the others?", "missed"),
        ("What went on elsewhere?", "missed"),
        ("Who was at the other table?", "missed"),
        ("What else came up?", "missed"),
        ("What else was important?", "missed"),
        ("What did Clara say about the other hall?", "what"),
        ("Who said the other hall has no heating?", "who"),
        ("Which train was missed?", "what"),
        ("Who are the two others living with Ludo?", "who"),
        ("How often were they discussing the dog?", "count"),
        ("Tell me what I missed", "missed"),
        ("What was wrong with the other knee?", "what"),
        ("Who has the other key?", "who"),
        ("What else is there for supper?", "what"),
        ("How often does the flatmate sleep elsewhere?", "what"),
        ("Why did Tom miss the train?", "what"),
        ("What sort of person is Miss Okoye?", "what"),
        ("How often do the plants need water?", "what"),
        ("How many times a week is the class?", "what"),
        ("How often did the alarm come up?", "count"),
    ],
)
def test_intents(text: str, intent: str) -> None:
    assert _parsed(text).intent == intent


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("What did I miss while I was following the conversation about dogs?", "dogs"),
        ("While I was listening to the puppy talk, what did the others discuss?", "puppy"),
        ("What did I miss while I was in the budget discussion?", "budget"),
        ("What was going on elsewhere while they talked about dogs?", "dogs"),
        ("What else was said during the discussion of the school trip?", "school trip"),
        ("What did I miss while we were talking about the stars and planets?", "stars planets"),
    ],
)
def test_the_topic_that_was_followed(text: str, topic: str) -> None:
    attended = _parsed(text).attended
    assert attended is not None
    assert attended.topic == topic


def test_followed_by_bearing_speaker_and_time() -> None:
    question = _parsed("What did I miss while I was listening to the people at 90 degrees between +10 and +20?")
    assert question.attended is not None
    assert question.attended.azimuth_deg == 90.0
    assert question.window is not None
    assert question.window.end == MOMENTS.session_start + timedelta(seconds=20)  # type: ignore[operator] # MOMENTS has a session
    speaker = _parsed("What did I miss while I was talking to speaker two?").attended
    assert speaker is not None
    assert speaker.speaker == "speaker-2"
    named = _parsed("What did I miss while I was talking to Anna?").attended
    assert named is not None
    assert named.speaker == "Anna"


def test_constraints_leave_the_topic() -> None:
    question = _parsed("What did speaker-4 say about the tickets at 210 degrees?")
    assert (question.speaker, question.azimuth_deg, question.terms) == ("speaker-4", 210.0, ("ticket",))
    assert question.gist == "tickets"
    assert _parsed("When did Anna say she would leave?").speaker == "Anna"
    assert _parsed("What did the project manager say about costs?").speaker == "Project Manager"
    assert _parsed("What did Paul say about costs?").speaker == "Paul"


@pytest.mark.parametrize(
    ("text", "about_speech"),
    [
        ("What did the test say about the allergy?", False),
        ("What does the new contract say about holidays?", False),
        ("What did his letter tell them about the house?", False),
        ("What did Anna's letter say about the house?", False),
        ("What did the sign on the door say about dogs?", False),
        ("What did the letter from the council tell them about the park?", False),
        ("What did the old test results say about it?", False),
        ("What did the doctor say about the allergy?", False),
        ("What did my lawyer say about the contract?", False),
        ("What did the shop say about the printer?", True),
        ("What did the girl with the letter say about it?", True),
        ("What did the others say about the test?", True),
        ("What did the Hendersons say about the test?", True),
        ("What did they say about the test?", True),
    ],
)
def test_what_a_letter_or_a_doctor_tells_is_a_fact_and_what_talkers_said_is_talk(text: str, about_speech: bool) -> None:
    assert _parsed(text).about_speech is about_speech


def test_a_name_that_is_talked_about_is_no_constraint() -> None:
    question = _parsed("Why is Anna moving to Leeds?")
    assert question.speaker is None
    assert question.names == ("anna", "leed")


@pytest.mark.parametrize("text", ["Who has been told about the roof?", "Who had just said something about the roof?"])
def test_a_word_between_the_verbs_is_no_talker(text: str) -> None:
    assert _parsed(text).speaker is None


def test_further_aspects_and_the_kind_of_fact() -> None:
    question = _parsed("Who talked about the budget, and where in the room?")
    assert question.aspects == ("where",)
    assert question.about_speech
    assert _parsed("How much does the car cost?").wants_amount
    assert _parsed("When does the bus leave?").wants_time
    assert not _parsed("When did they talk about the bus?").wants_time


@pytest.mark.parametrize(
    "text",
    [
        "What speaks for going to Crete?", "Who taught the parrot to talk?", "What does she want to discuss with the bank?",
        "Until when does he have to decide about the room?", "Why are they not on speaking terms?",
        "Is something wrong with one of the clocks?",
    ],
)  # fmt: skip
def test_a_fact_about_talking_is_a_fact(text: str) -> None:
    question = _parsed(text)
    assert not question.about_speech
    assert question.refusal is None


@pytest.mark.parametrize(
    "text", ["Who wants to talk about the budget?", "What was decided about the budget?", "Anything new about the budget?"]
)
def test_what_was_talked_about_is_a_topic(text: str) -> None:
    assert _parsed(text).about_speech


def test_whether_somebody_told_a_fact_asks_for_the_fact() -> None:
    question = _parsed("Did anybody say when the bus leaves?")
    assert (question.intent, question.aspects, question.about_speech) == ("did_anybody", ("when",), False)
    assert question.gist == "bus leaves"
    assert question.wants_time
    assert _parsed("Did anybody mention the bus?").about_speech


@pytest.mark.parametrize(
    ("text", "azimuth_deg"),
    [
        ("What was said on the right for a minute?", 300.0),
        ("What was said on my right too?", 300.0),
        ("What does the person on my left need?", 120.0),
        ("What did the woman on my left buy?", 120.0),
        ("What happened on my left again?", 120.0),
        ("Who is on the left there?", 120.0),
        ("What did the people at the left table discuss?", 120.0),
        ("What did the left side talk about?", 120.0),
        ("What was said to my right-hand side?", 300.0),
    ],
)
def test_left_and_right_of_the_asker_are_sides(text: str, azimuth_deg: float) -> None:
    assert parse(text, MOMENTS, facing_deg=30.0).azimuth_deg == azimuth_deg


@pytest.mark.parametrize(
    "text",
    [
        "When did she hurt the left knee?",
        "What is the right code of the phone?",
        "Who sits on the right chair?",
        "What was the right answer?",
        "Is the left or the right ear infected?",
    ],
)
def test_left_and_right_of_a_thing_are_no_sides(text: str) -> None:
    question = _parsed(text)
    assert (question.refusal, question.azimuth_deg) == (None, None)


def test_what_will_be_was_told_before() -> None:
    for text in (
        "Who cooks this evening?",
        "Which dish is on the table this evening?",
        "Why can't the roofer come tonight?",
        "Who comes tomorrow?",
        "What do we have to do tomorrow?",
        "What is closed this evening?",
        "Who is still invited this evening?",
    ):
        question = _parsed(text)
        assert (question.refusal, question.window) == (None, None), text
        assert question.terms, text
    assert _parsed("Who has to be told tonight?").refusal is None
    for text in (
        "What was said this evening?",
        "What did Anna say about the budget this evening?",
        "What will they do tonight?",
        "Who talks tomorrow?",
        "What should have been said tomorrow?",
        "Who fetched the puppy this evening?",
        "What is said this evening?",
        "What's happened this evening?",
        "Who broke the vase after +9000?",
    ):
        assert "has not come yet" in str(_parsed(text).refusal), text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("What did I miss while I was on the phone?", "Echoic cannot tell when you were on the phone; give the time"),
        ("What did the person on my left say?", "Echoic does not know which way you face; give the bearing in degrees"),
        ("Delete everything", "This asks Echoic to do something, and it can only answer."),
        ("¿Qué dijeron sobre el volcán?", "The question seems to be in Spanish."),
        ("犬について何を話しましたか", "The question seems to be in another language than English."),
        ("  ?!", "The question is empty."),
        ("dog " * 201, "The question has 201 words; at most 200 are read."),
    ],
)
def test_what_cannot_be_served_says_why(text: str, reason: str) -> None:
    question = _parsed(text)
    assert question.intent == "unservable"
    assert question.refusal is not None
    assert question.refusal.startswith(reason)


def test_an_absence_with_a_time_is_served() -> None:
    question = _parsed("What did I miss while I was at lunch between 12 and half past?")
    assert question.intent == "missed"
    assert question.window is not None


@pytest.mark.parametrize("text", ["", "?", "while", "between and", "at", "+", "speaker-", "what " * 150, "\x00", "“”"])
def test_no_question_breaks_the_parser(text: str) -> None:
    assert isinstance(_parsed(text), Question)


def test_one_thing_that_somebody_said_is_asked_for_however_dull_its_words_are() -> None:
    asked = parse("When did Anna say on which day they got together?", MOMENTS, lambda: ["Anna"])
    assert (asked.speaker, asked.gist, asked.about_speech) == ("Anna", "day", False)
    # Here nothing is asked for but what she said.
    assert parse("What did Anna say?", MOMENTS, lambda: ["Anna"]).gist == ""


@pytest.mark.parametrize(
    ("said", "azimuth_deg"), [("-150 degrees", 210.0), ("minus 150 degrees", 210.0), ("360 degrees", 0.0), ("210.5 degrees", 210.5)]
)
def test_bearings_in_either_way_of_counting(said: str, azimuth_deg: float) -> None:
    question = _parsed(f"What was said about the tickets at {said}?")
    assert (question.azimuth_deg, question.gist) == (azimuth_deg, "tickets")


@pytest.mark.parametrize(
    "text",
    [
        "What did the person at 500 degrees say?",
        "Who talked about the tickets at -200 degrees?",
        "What did I miss while I was listening to the people at 400 degrees?",
    ],
)
def test_a_bearing_that_is_none_is_refused(text: str) -> None:
    question = _parsed(text)
    assert question.intent == "unservable"
    assert question.refusal is not None
    assert question.refusal.startswith("There is no bearing of ")
    assert question.refusal.endswith(" degrees: bearings go from 0 to 360 degrees, or from -180 to 180")


@pytest.mark.parametrize(
    ("text", "tolerance_deg"),
    [
        ("What did the person at 210 degrees say?", None),
        ("Who talked at 210 degrees?", None),
        ("What did the people at 210 degrees talk about?", 25.0),
        ("Who talked somewhere around 210 degrees?", 25.0),
    ],
)
def test_a_group_sits_on_both_sides_of_its_bearing(text: str, tolerance_deg: float | None) -> None:
    assert _parsed(text).azimuth_tolerance_deg == tolerance_deg


def test_the_first_hour_of_what_will_be_is_no_time_of_the_session() -> None:
    question = _parsed("Who has the key in the first hour?")
    assert (question.window, question.gist) == (None, "key first")
    assert _parsed("What was said about the key in the first hour?").window is not None
