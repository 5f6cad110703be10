"""Every kind of question from the import of a transcript to the JSON of its answer, each in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.app.command_line import Done
from tests.pipeline.app.test_ask_command import shape_of

Echoic = Callable[..., Done]
LINES = [
    (0.0, 4.0, "anna", 90.0, "The budget for the new kitchen is four thousand euros."),
    (5.0, 8.0, "ben", 270.0, "Then we should have the vote on the budget now."),
    (9.0, 12.0, "anna", 90.0, "I would like to leave at five, because my train is early."),
    (13.0, 16.0, "ben", 270.0, "Did you hear the alarm in the cellar this morning?"),
    (17.0, 20.0, "anna", 90.0, "Yes, and after the break we talk about the cellar door."),
]


@pytest.fixture
def memory(echoic: Echoic, tmp_path: Path) -> Path:
    file = tmp_path / "talk.jsonl"
    rows = [{"start_s": a, "end_s": b, "speaker": who, "azimuth_deg": where, "text": text} for a, b, who, where, text in LINES]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ("--memory", tmp_path / "m", "--started-at", "2026-11-22T10:00:00+01:00", "--config", "configs/minimal.yaml")
    assert echoic("import", file, *arguments).code == 0
    return tmp_path / "m"


def test_kinds_of_question(echoic: Echoic, memory: Path) -> None:
    asked: list[tuple[tuple[str, ...], str, str]] = [
        (("Who said that?",), "who", "This goes on from an earlier question"),
        (("What did the person on my left say about the budget?", "--facing", "0"), "what", "four thousand"),
        (("When did anna say she would leave?",), "when", "leave at five"),
        (("And where was that?",), "where", "90 degrees"),
        (("Play me that.",), "play", "leave at five"),
        (("What did they say after that?",), "catch_up", "cellar"),
        (("Who talked about the budget, and where in the room?",), "who", "270 degrees"),
        (("What came first, the vote or the break?",), "order", "The vote came first."),
        (("How often was the budget mentioned?",), "count", "2 lines of 2 talkers"),
        (("How long did they talk about the budget?",), "duration", "talked about it for"),
        (("Who spoke most?",), "duration", "spoke most, for"),
        (("Did anybody mention the alarm?",), "did_anybody", "Yes: "),
        (("Catch me up in 30 seconds",), "catch_up", "talk"),
        (("budget?",), "what", "four thousand"),
        (("What was said on my left?",), "unservable", "--facing DEG"),
        (("What did ana say about the budget?",), "what", "No talker is called ana. Did you mean anna?"),
        (("What was said tomorrow?",), "unservable", "has not come yet"),
    ]
    for arguments, intent, says in asked:
        done = echoic("ask", *arguments, "--memory", memory, "--json")
        assert (done.code, done.err) == (0, ""), arguments
        shape_of(done.json)
        assert done.json["intent"] == intent, arguments
        assert says in done.json["answer"], (arguments, done.json["answer"])


def test_what_is_erased_leaves_nothing_to_go_on_from(echoic: Echoic, memory: Path) -> None:
    assert not echoic("ask", "Did anybody mention the alarm?", "--memory", memory, "--json").json["abstained"]
    assert (memory / "recalled" / "asked.json").is_file()
    assert echoic("forget", "--speaker", "anna", "--memory", memory, "--yes").code == 0
    assert not (memory / "recalled" / "asked.json").exists()
    assert echoic("ask", "Who said that?", "--memory", memory, "--json").json["abstained"]


def test_what_is_missing_in_the_asked_time_is_told(echoic: Echoic, memory: Path) -> None:
    (session,) = echoic("sessions", "--memory", memory, "--json").json
    assert echoic("forget", "--session", session["id"], "--from", "+9", "--to", "+12", "--memory", memory, "--yes").code == 0
    answer = echoic("ask", "What was said between +0 and +20?", "--memory", memory, "--json").json
    assert [(gap["session"], gap["reason"]) for gap in answer["gaps"]] == [(session["id"], "forgotten")]
    assert "Not everything was heard: 0:08 to 0:12 is missing (forgotten)." in answer["answer"]
    assert echoic("ask", "What was said between +13 and +20?", "--memory", memory, "--json").json["gaps"] == []


def test_no_such_facing(echoic: Echoic, memory: Path) -> None:
    done = echoic("ask", "What was said on my left?", "--facing", "nan", "--memory", memory)
    assert (done.code, done.err) == (2, "echoic: --facing is nan; give the azimuth that you face in degrees, such as 90\n")
