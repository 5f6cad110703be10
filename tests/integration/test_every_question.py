"""Every kind of question to a day of transcripts: from `import` as users run it to the JSON of `ask --json`, and of POST /ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import asked, echoic
from tests.pipeline.app.command_line import http
from tests.pipeline.app.served import serving, without_times

# Who sits where, facing 120 degrees: Carl and Dora on the left (210), Anna and Ben on the right (30).
PLACES = {"Anna": 30.0, "Ben": 60.0, "Carl": 200.0, "Dora": 230.0}
ASKED_AT = "2026-11-22T13:20:00+01:00"
YESTERDAY = (
    (0, "Carl", "The choir sings in the church of Saint Mary on Monday evening."),
    (6, "Dora", "I will bring my sister to the choir, she loves to sing."),
)
MORNING = (
    (0, "Anna", "Our dog ran away in the park, and he is only one year old."),
    (1, "Carl", "The class goes to the science museum on Friday."),
    (6, "Ben", "Dogs always find their way home, mine came back after an hour."),
    (7, "Dora", "The bus to the museum leaves at half past eight."),
    (12, "Anna", "The dog stood in front of the house and was barking for his dinner."),
    (13, "Carl", "And the tickets for the museum are six euros for each child."),
    (1200, "Dora", "The budget for the new kitchen is four thousand euros."),
    (1206, "Carl", "Then we should have the vote on the budget now."),
    (1212, "Dora", "I vote for the oak kitchen."),
    (1260, "Anna", "I would like to leave at five, because my train is early."),
    (1266, "Ben", "Then I drive you to the station in my new car."),
    (1267, "Dora", "The cellar door is broken and has to be repaired."),
    (1272, "Anna", "That is kind, I have two heavy suitcases with me."),
    (1300, "Ben", "Did you hear the alarm in the cellar this morning?"),
    (1306, "Anna", "Yes, it was only the smoke of the burnt toast."),
    (3000, "Carl", "Let us have a break, I need a coffee."),
    (3004, "Dora", "I will fetch the cake from the fridge then."),
)
AFTERNOON = (
    (0, "Ben", "The plumber repairs the heating in the bathroom on Wednesday."),
    (6, "Anna", "Good, because the bathroom has been cold for a week."),
    (420, "Carl", "A parcel for the neighbour lies under the stairs."),
    (426, "Dora", "I will carry the parcel over to him after dinner."),
)
FACING = ("--facing", "120")

Row = tuple[str, str, tuple[str, ...], set[str] | None]
# What is asked, one after the other; the intent; what the answer says; and who is quoted.
ROWS: tuple[Row, ...] = (
    ("What did I miss while I was following the conversation about dogs?", "missed", ("As you said", "museum"), {"Carl", "Dora"}),
    ("What did I miss while I was on the phone?", "missed", ("You had declared that you were away (on the phone", "cake"), None),
    ("What did I miss in the last five minutes?", "missed", ("parcel",), None),
    ("What did I miss between ten and half past?", "missed", ("museum", "leave at five"), None),
    ("What did I miss since lunch?", "missed", ("heating", "parcel"), None),
    ("What was said yesterday?", "catch_up", ("choir",), {"Carl", "Dora"}),
    ("Catch me up in 30 seconds", "catch_up", (), None),
    ("Catch me up in two minutes", "catch_up", (), None),
    ("Catch me up in full", "catch_up", ("heating", "parcel"), None),
    ("Who talked about the budget, and where in the room?", "who", ("Carl", "Dora", "200 degrees", "230 degrees"), {"Carl", "Dora"}),
    ("When did Anna say she would leave?", "when", ("leave at five", "10:21:00 on 22 November 2026"), {"Anna"}),
    ("What did the person on my left say after that?", "what", ("cellar door",), {"Dora"}),
    ("Did anybody mention the alarm?", "did_anybody", ("Yes: ", "alarm in the cellar"), {"Ben"}),
    ("Who said that?", "who", ("Ben", "60 degrees"), None),
    ("And where was that?", "where", ("60 degrees",), None),
    ("What came first, the vote or the break?", "order", ("The vote came first.", "10:20:06", "10:50:00"), {"Carl"}),
    ("How long did they talk about the museum?", "duration", ("Carl and Dora talked about it for 17 seconds (0:01",), {"Carl", "Dora"}),
    ("Who talked most about the budget?", "duration", ("Dora (230 degrees) spoke most about it, for",), {"Carl", "Dora"}),
    ("How long did Anna speak this afternoon?", "duration", ("Anna (30 degrees) spoke for 4 seconds in 1 line.",), {"Anna"}),
    ("How long did they talk about the submarine?", "duration", ('Nobody was heard talking about "submarine".',), set()),
    ("How often was the budget mentioned?", "count", ("2 lines of 2 talkers",), {"Carl", "Dora"}),
    ("Play me that.", "play", ("four thousand euros",), {"Carl", "Dora"}),
    ("What did Anna say about the suitcases?", "what", ("two heavy suitcases",), {"Anna"}),
    ("What else did she say?", "what", ('"she" is read as Anna', "burnt toast"), {"Anna"}),
    ("What did Carl say about the tickets?", "what", ("six euros",), {"Carl"}),
    ("What did he say then?", "what", ('"he" is read as Carl', "vote on the budget"), {"Carl"}),
    ("When does the bus leave?", "when", ("half past eight",), {"Dora"}),
    ("What did they answer?", "what", ("tickets for the museum",), {"Carl"}),
    ("What was said about the tickets and about the submarine?", "what", ("six euros", 'talking about "submarine".'), {"Carl"}),
    ("When does the bus leave, and how much are the tickets?", "when", ("half past eight", "six euros"), None),
    ("When will Anna leave?", "when", ("leave at five",), {"Anna"}),
    ("What was the last thing Dora said yesterday?", "what", ("my sister",), {"Dora"}),
    ("Who spoke yesterday?", "who", ("2 people were heard: Carl (200 degrees) and Dora (230 degrees).",), {"Carl", "Dora"}),
    ("What did Carl and Dora talk about yesterday?", "what", ("choir",), {"Carl", "Dora"}),
    ("Who won the football match?", "who", ("The nearest thing heard",), set()),
    ("What did Paul say about the budget?", "what", ("No talker is called Paul.",), set()),
    ("What was said tomorrow?", "unservable", ("has not come yet",), set()),
    ("What happened in the last five minutes yesterday?", "unservable", ("have no moment in common",), set()),
    ("Was wurde heute über den Hund gesagt?", "unservable", ("German",), set()),
    ("dog?", "what", ("Our dog ran away in the park",), None),
)  # fmt: skip


@pytest.fixture(scope="module")
def memory(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sessions of two days, and an absence that was declared."""
    assert weights.is_dir()
    folder = tmp_path_factory.mktemp("day")
    for name, day, lines in (
        ("choir", "2026-11-21T16:00", YESTERDAY),
        ("morning", "2026-11-22T10:00", MORNING),
        ("noon", "2026-11-22T13:10", AFTERNOON),
    ):
        rows = [
            {"start_s": at, "end_s": at + 0.38 * len(text.split()), "speaker": who, "azimuth_deg": PLACES[who], "text": text}
            for at, who, text in lines
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        echoic("import", folder / f"{name}.jsonl", "--memory", folder / "m", "--started-at", f"{day}:00+01:00")
    on_the_phone = ("--reason", "on the phone", "--from", "2026-11-22T10:49:00+01:00", "--to", "2026-11-22T10:51:00+01:00")
    echoic("attend", "--away", *on_the_phone, "--memory", folder / "m")
    return folder / "m"


@pytest.fixture(scope="module")
def answers(memory: Path) -> dict[str, dict[str, Any]]:
    """The JSON of `echoic ask`, asked one after the other in processes of their own as far as the memory can tell."""
    return {question: asked(question, memory, "--at", ASKED_AT, *FACING) for question, *_ in ROWS}


def _evidence(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [evidence for claim in answer["claims"] for evidence in claim["evidence"]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_kind_of_question(answers: dict[str, dict[str, Any]], row: Row) -> None:
    question, intent, says, speakers = row
    answer = answers[question]
    assert answer["intent"] == intent, answer["answer"]
    assert [piece for piece in says if piece not in answer["answer"]] == [], answer["answer"]
    assert answer["abstained"] == (speakers == set()), answer["answer"]
    if speakers is not None:
        assert {evidence["speaker"] for evidence in _evidence(answer)} == speakers, answer["answer"]
    for evidence in _evidence(answer):
        assert evidence["azimuth_deg"] == PLACES[evidence["speaker"]]
        assert evidence["utterance"] in answer["retrieved"]


def test_what_was_followed_and_by_what_it_is_known(answers: dict[str, dict[str, Any]]) -> None:
    topic = answers["What did I miss while I was following the conversation about dogs?"]
    absence = answers["What did I miss while I was on the phone?"]
    assert {entry["source"] for entry in topic["attended"]} == {"question"}
    assert {entry["source"] for entry in absence["attended"]} == {"declared"}
    assert topic["missed"]
    assert absence["missed"]


def test_a_catch_up_is_as_long_as_it_may_be(answers: dict[str, dict[str, Any]]) -> None:
    words = [len(answers[f"Catch me up {how}"]["answer"].split()) for how in ("in 30 seconds", "in two minutes", "in full")]
    assert words[0] <= 75
    assert words[0] <= words[1] <= words[2]


def test_the_same_through_http(memory: Path, answers: dict[str, dict[str, Any]]) -> None:
    with serving(memory) as url:
        for question, *_ in ROWS:
            status, answer = http(f"{url}/ask", {"question": question, "at": ASKED_AT, "facing": 120})
            assert status == 200
            assert without_times(answer) == without_times(answers[question]), question
