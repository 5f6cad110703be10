"""How long people talked, and who did so most, in a small room of two conversations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from stages.answer.extractive import Extractive
from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.rows import LineRow
from stages.recall.answers import Answer
from stages.recall.keyword_recall import KeywordRecall
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.small_rooms import STARTED, Ask, asking

ROOF = (
    (0.0, "Anna", "t1", "The roof of the school leaks again, right above the stage."),
    (5.0, "Ben", "t2", "Then the roofer has to come before the winter."),
    (10.0, "Anna", "t1", "He wants nine thousand euros for the whole roof, with new tiles and gutters."),
    (16.0, "Ben", "t2", "For a roof of that size this is cheap."),
)
TRIP = (
    (1.0, "Carl", "t3", "We take the ferry to the island on Saturday morning."),
    (6.0, "Dora", "t4", "Is the ferry big enough for our bicycles?"),
    (11.0, "Carl", "t3", "Yes, bicycles are free on the ferry."),
)
LATER = (
    (60.0, "Ben", "t2", "My cousin has two cats and a parrot."),
    (64.0, "Anna", "t1", "The parrot once shouted at me from a tree, for an hour or so, until he came."),
)


@pytest.fixture
def ask(encoder: MinilmOnnx) -> Iterator[Ask]:
    rows = [
        line_row(text, start_s, track=track, speaker=who, event=event)
        for event, lines in (("e-roof", ROOF), ("e-trip", TRIP), ("e-later", LATER))
        for start_s, who, track, text in lines
    ]
    with asking(encoder, {"s": rows}) as found:
        yield found


def _quoted(answer: Answer) -> set[str]:
    assert all(evidence.utterance in answer.retrieved for claim in answer.claims for evidence in claim.evidence)
    return {evidence.speaker for claim in answer.claims for evidence in claim.evidence}


def test_how_long_a_topic_was_talked_about(ask: Ask) -> None:
    answer = ask("How long did they talk about the roof?")
    assert (answer.intent, answer.abstained, len(answer.claims)) == ("duration", False, 1)
    # The last line has nine words of 0.4 s.
    assert answer.text.startswith("Anna and Ben talked about it for 20 seconds (0:00-0:19). At 0:")
    assert _quoted(answer) == {"Anna", "Ben"}
    assert ask("How long did they talk about the ferry?").text.startswith("Carl and Dora talked about it for 13 seconds (0:01-0:13).")


def test_how_long_somebody_spoke(ask: Ask) -> None:
    answer = ask("How long did Anna talk about the roof?")
    assert answer.text.startswith("Anna (30 degrees) spoke about it for 10 seconds in 2 lines. At 0:10")
    assert _quoted(answer) == {"Anna"}
    assert ask("How long did Anna speak?").text.startswith("Anna (30 degrees) spoke for 17 seconds in 3 lines.")
    assert ask("How long did Anna speak between +0 and +4?").text.startswith("Anna (30 degrees) spoke for 4 seconds in 1 line.")


def test_who_spoke_most_and_least(ask: Ask) -> None:
    answer = ask("Who spoke most?")
    assert answer.text.startswith("Anna (30 degrees) spoke most, for 17 seconds in 3 lines; Ben (30 degrees) for 10 seconds, ")
    assert _quoted(answer) == {"Anna", "Ben", "Carl", "Dora"}
    assert ask("Who talked the most about the ferry?").text.startswith(
        "Carl (30 degrees) spoke most about it, for 7 seconds in 2 lines; Dora"
    )
    assert ask("Who talked least?").text.startswith("Dora (30 degrees) spoke least, for 3 seconds in 1 line; Carl")


def test_silence_is_no_talk_and_an_earlier_moment_knows_less(ask: Ask) -> None:
    # 0:00-0:19 and 1:00-1:10.
    assert ask("How long did they talk?").text.startswith(
        "Anna, Carl, Ben and Dora talked for 30 seconds in all, 2 times (0:00-0:19 and 1:00-1:10)."
    )
    assert ask("Who spoke most?", at=STARTED + timedelta(seconds=9)).text.startswith(
        "Anna (30 degrees) spoke most, for 4 seconds in 1 line; Carl"
    )


def test_without_an_encoder_words_tell_what_a_talk_is_about(kitchen: Asker) -> None:
    recall = KeywordRecall(kitchen.memory, Extractive())
    answer = recall.ask("How long did they talk about the roof?", now=kitchen.now)
    assert answer.text.startswith("speaker-3 and speaker-4 talked about it for 22 seconds (0:39-1:01).")


def test_what_was_just_answered_needs_no_name(ask: Ask) -> None:
    assert "Nothing was answered lately" in ask("How long did they talk about it?").text
    ask("Did anybody mention the ferry?")
    assert ask("How long did they talk about it?").text.startswith("Carl and Dora talked about it for 13 seconds")


def test_a_long_talk_on_one_topic_is_not_told_as_a_short_one(encoder: MinilmOnnx) -> None:
    parts = ("boiler", "pump", "radiator", "valve", "pipe", "burner")
    said = (
        "The {0} of the heating is older than the {1}.",
        "Did you ask the plumber about the heating and its {0}?",
        "A new {0} for the heating costs more than a {1}.",
        "The {0} makes a noise whenever the heating goes on.",
    )
    rows = [
        line_row(
            said[place % 4].format(parts[place % 6], parts[place * place % 5]),
            5.0 * place,
            track=f"t{place % 2}",
            speaker=("Anna", "Tom")[place % 2],
            event=f"e-{place // 12}",
        )
        for place in range(480)
    ]
    with asking(encoder, {"s": rows}) as ask:
        answer = ask("How long did they talk about the heating?")
    match = re.match(r"(?:Anna and Tom|Tom and Anna) talked about it for at least (\d+) minutes", answer.text)
    # It was 40 minutes.
    assert match is not None
    assert 20 <= int(match[1]) <= 40
    assert answer.claims[0].confidence < 0.7


def test_without_a_topic_only_their_own_conversations_count(ask: Ask) -> None:
    # While Anna and Ben talked about the roof, Carl and Dora talked about the ferry.
    assert ask("How long did Anna and Ben talk?").text.startswith("Anna and Ben talked for 30 seconds in all, 2 times (0:00-0:19 and 1:00")
    assert ask("How long did Carl and Dora talk?").text.startswith("Carl and Dora talked for 13 seconds (0:01-0:13).")
    assert ask("How long did Ben and Dora talk?").text.startswith("Ben and Dora were not heard talking with each other")


def test_without_a_time_it_is_the_latest_session_of_those_who_are_asked_about(encoder: MinilmOnnx) -> None:
    def row(text: str, start_s: float, who: str, session: str, event: str) -> LineRow:
        return line_row(text, start_s, track=f"t-{who}", speaker=who, event=event, session=session)

    both = [
        row("The boiler makes a strange noise again.", 1.0, "Anna", "one", "e-1"),
        row("Then call the plumber.", 5.0, "Ben", "one", "e-1"),
    ]
    apart = [row("I read all morning.", 1.0, "Anna", "two", "e-2"), row("Good for you.", 4.0, "Tom", "two", "e-2")]
    last = [row("The soup is too hot.", 1.0, "Tom", "three", "e-3")]
    with asking(encoder, {"one": both, "two": apart, "three": last}) as ask:
        assert ask("How long did Anna and Ben talk?").text.startswith(
            "This is about what was said in the latest session in which Anna and Ben were heard. Anna and Ben talked for"
        )
        assert "Anna (30 degrees) spoke for 2 seconds in 1 line." in ask("How long did Anna talk?").text
        assert "in the latest session in which Anna was heard." in ask("How long did Anna talk?").text
        assert ask("Who spoke most?").text.startswith("This is about what was said in the latest session. Tom")
        assert ask("Who talked more, Tom or Anna?").text.startswith(
            "This is about what was said in the latest session in which Tom or Anna was heard. Anna (30 degrees) spoke most, for 2 "
            "seconds in 1 line; Tom"
        )


def test_a_length_asked_for_again_is_the_same(encoder: MinilmOnnx) -> None:
    again = (("e-again", 80.0, "Anna", "t1", "The roof again: the roofer called about the tiles of the roof."),)
    rows = [
        line_row(text, start_s, track=track, speaker=who, event=event)
        for event, start_s, who, track, text in (*(("e-roof", *line) for line in ROOF), *(("e-later", *line) for line in LATER[:1]), *again)
    ]
    with asking(encoder, {"s": rows}) as ask:
        answer = ask("How long did they talk about the roof?")
        assert " in all, 2 times (0:00-0:19 and 1:20-1:2" in answer.text
        length = answer.text.split(" (")[0]
        assert ask("How long did they talk about it?").text.startswith(length)
        assert ask("Who spoke most about it?").text.startswith("Anna (30 degrees) spoke most about it, for 15 seconds in 3 lines; Ben")
        assert ask("How long did they talk about it?").text.startswith(length)


def test_whom_somebody_talked_with_is_no_topic(ask: Ask) -> None:
    assert ask("How long did Anna talk to Ben?").text.startswith("Anna and Ben talked for 30 seconds in all, 2 times")
    assert ask("How long did Anna talk about the roof with Ben?").text.startswith("Anna and Ben talked about it for 20 seconds")
    assert ask("How long did they talk with Carl?").text.startswith("Carl and Dora talked for 13 seconds (0:01-0:13).")
    most = ask("Who spoke most with Anna?")
    assert most.text.startswith("Ben (30 degrees) spoke most with Anna, for 10 seconds in 3 lines. At ")
    assert _quoted(most) == {"Ben"}
    assert ask("How long did Anna talk to Carl?").text == "Anna and Carl were not heard talking with each other."
    # A name that nobody has may be part of the topic.
    assert ask("How long did they talk about a trip with Lufthansa?").text.startswith(
        'Nobody was heard talking about "trip with Lufthansa"'
    )


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("How long did the conversation last?", "Anna, Carl, Ben and Dora talked for 30 seconds in all, 2 times"),
        ("How long was the conversation?", "Anna, Carl, Ben and Dora talked for 30 seconds in all, 2 times"),
        ("How long was the conversation with Dora?", "Carl and Dora talked for 13 seconds"),
        ("How many minutes did they talk about the roof?", "Anna and Ben talked about it for 20 seconds"),
        ("Who spoke for the longest time?", "Anna (30 degrees) spoke most, for 17 seconds in 3 lines; Ben"),
        ("Who talked more, Ben or Dora?", "Ben (30 degrees) spoke most, for 10 seconds in 3 lines; Dora (30 degrees) for 3 seconds. At"),
        ("Did Ben or Dora talk less?", "Dora (30 degrees) spoke least, for 3 seconds in 1 line; Ben (30 degrees) for 10 seconds. At"),
        ("Who talked more about the ferry, Dora or Carl?", "Carl (30 degrees) spoke most about it, for 7 seconds in 2 lines; Dora"),
        ("Who talked more, Anna or Emma?", "No talker is called Emma."),
    ],
)
def test_other_ways_to_ask(ask: Ask, text: str, begins: str) -> None:
    answer = ask(text)
    assert answer.intent == "duration"
    assert answer.text.startswith(begins)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("How long did Anna not talk?", "how long they did not"),
        ("How long didn't Anna talk?", "how long they did not"),
        ("How long did nobody talk?", "how long they did not"),
        ("How long did Anna talk to nobody?", "how long they did not"),
        ("How long did Anna, Ben and Carl talk?", "names 3 people (Anna, Ben, Carl)"),
        ("How long did Anna and Ben talk to Carl about the roof?", "names 3 people (Anna, Ben, Carl)"),
        ("How long did Anna talk with Ben and Carl?", "names 3 people (Anna, Ben, Carl)"),
    ],
)
def test_silence_and_three_people_have_no_length(ask: Ask, text: str, why: str) -> None:
    answer = ask(text)
    assert (answer.intent, answer.abstained) == ("unservable", True)
    assert why in answer.text


def test_those_who_are_asked_about_have_to_have_talked_with_each_other(ask: Ask) -> None:
    assert ask("How long did Anna and Ben talk about the roof?").text.startswith("Anna and Ben talked about it for 20 seconds")
    apart = ask("How long did Anna and Carl talk about the roof?")
    assert apart.abstained
    assert apart.text.startswith("Anna and Carl were not heard talking with each other")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("How long did they talk about the volcano?", 'Nobody was heard talking about "volcano".'),
        ("Who talked most about the volcano?", 'Nobody was heard talking about "volcano".'),
        ("How long did Carl talk about the roof?", 'Carl was not heard talking about "roof".'),
        ("How long did Emma talk?", "No talker is called Emma."),
        ("Who spoke most yesterday?", 'Nothing was heard in the asked time ("yesterday").'),
    ],
)
def test_what_nobody_said_has_no_length(ask: Ask, text: str, why: str) -> None:
    answer = ask(text)
    assert answer.abstained
    assert answer.text.startswith(why)
