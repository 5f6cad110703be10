"""What was followed, declared on the command line and over HTTP, and the answers that go by it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.app.command_line import Done

Echoic = Callable[..., Done]
STARTED = datetime.fromisoformat("2026-11-22T19:00:00+01:00")
DOGS = (
    ("Anna", 30, "My dog Rex ran away in the park yesterday."),
    ("Bob", 75, "Oh no, did you find your dog again?"),
    ("Anna", 30, "Yes, the dog was waiting at home for his dinner."),
    ("Bob", 75, "Dogs always know where their dinner is."),
)
BAKERY = (
    ("Carl", 200, "The bakery on the corner closes in April."),
    ("Dora", 250, "Where will we buy our bread after April?"),
    ("Carl", 200, "The supermarket bakes bread from nine o'clock."),
    ("Dora", 250, "Their bread costs four euros a loaf."),
)


def said(conversation: tuple[tuple[str, int, str], ...], start_s: float) -> list[dict[str, Any]]:
    return [
        {"start_s": start_s + 4.0 * n, "end_s": start_s + 4.0 * n + 3.4, "speaker": who, "azimuth_deg": azimuth, "text": text}
        for n, (who, azimuth, text) in enumerate(conversation)
    ]


@pytest.fixture
def memory(echoic: Echoic, tmp_path: Path) -> Path:
    """Two conversations at once for a quarter of a minute, without a model."""
    rows = sorted([*said(DOGS, 0.0), *said(BAKERY, 1.0)], key=lambda row: row["start_s"])
    (tmp_path / "room.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = echoic(
        *("import", tmp_path / "room.jsonl", "--memory", tmp_path / "m", "--config", "minimal", "--started-at", STARTED.isoformat())
    )
    assert done.code == 0, done.err
    return tmp_path / "m"


def session_of(echoic: Echoic, memory: Path) -> str:
    return str(echoic("sessions", "--memory", memory, "--json").json[0]["id"])


def local(seconds: float) -> str:
    return (STARTED + timedelta(seconds=seconds)).astimezone().isoformat()


def test_declarations_are_made_listed_and_taken_back(echoic: Echoic, memory: Path) -> None:
    session = session_of(echoic, memory)
    done = echoic("attend", "--topic", "dogs", "--from", "+0", "--to", "+8.5", "--memory", memory)
    assert (done.code, done.err) == (0, "")
    assert done.out == (f"attention-1: you followed the talk about dogs, from {local(0)} to {local(8.5)} in session {session}\n")
    away = echoic("attend", "--away", "--reason", "on the phone", "--from", local(9), "--to", local(12), "--memory", memory, "--json")
    assert away.json == [
        {
            "id": "attention-2",
            "kind": "away",
            "from": local(9),
            "to": local(12),
            "session": None,
            "azimuth_deg": None,
            "speaker": None,
            "topic": None,
            "reason": "on the phone",
            "says": "you were away (on the phone)",
        }
    ]
    for option in (("--speaker", "Anna"), ("--azimuth", "200"), ("--nothing",)):
        assert echoic("attend", *option, "--memory", memory).code == 0
    listed = echoic("attend", "--list", "--memory", memory, "--json").json
    assert [(row["id"], row["kind"]) for row in listed] == [
        ("attention-1", "topic"),
        ("attention-2", "away"),
        ("attention-3", "speaker"),
        ("attention-4", "azimuth"),
        ("attention-5", "nothing"),
    ]
    assert (listed[2]["speaker"], listed[2]["to"], listed[3]["azimuth_deg"]) == ("Anna", None, 200.0)
    assert [row["id"] for row in echoic("attend", "--list", "--at", "+5", "--memory", memory, "--json").json] == ["attention-1"]
    assert "you were away (on the phone)" in echoic("attend", "--list", "--memory", memory).out
    cleared = echoic("attend", "--clear", "attention-2", "--memory", memory)
    assert cleared.out == f"attention-2 is taken back: you were away (on the phone), from {local(9)} to {local(12)}\n"
    assert [row["id"] for row in echoic("attend", "--list", "--memory", memory, "--json").json][1] == "attention-3"
    assert echoic("doctor", "--memory", memory).code == 0


def test_a_schedule_declares_several_or_none(echoic: Echoic, memory: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("- {topic: dogs, from: +1, to: 8.5}\n- away: true\n  reason: lunch\n  from: 2026-11-22T19:00:09+01:00\n  to: +12\n")
    done = echoic("attend", "--schedule", plan, "--memory", memory, "--json").json
    assert [(row["kind"], row["from"], row["to"]) for row in done] == [("topic", local(1), local(8.5)), ("away", local(9), local(12))]
    plan.write_text(json.dumps([{"nothing": True, "from": "+1"}, {"speaker": "Ana", "from": "+2"}]))
    refused = echoic("attend", "--schedule", plan, "--memory", memory)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "echoic: speaker 'Ana' is not in this memory; did you mean Anna? `echoic speakers` lists them\n"
    assert len(echoic("attend", "--list", "--memory", memory, "--json").json) == 2


WHAT = "--azimuth DEG, --speaker NAME, --topic TEXT, --nothing or --away; or --schedule FILE, --list, --clear ID"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), f"attend needs to know what: {WHAT}"),
        (("--from", "+1"), "give one of azimuth, speaker, topic, nothing, away: found none of them"),
        (("--topic", "dogs", "--away"), "give one of azimuth, speaker, topic, nothing, away: found topic and away"),
        (("--topic", "dogs", "--reason", "why"), "reason: only an absence (away) has a reason, found it with topic"),
        (("--topic", " "), "topic: found ' '; give it as text that is not empty"),
        (("--topic", "??"), "topic '??': say in words what it is about, such as 'dogs'"),
        (("--speaker", "Ana"), "speaker 'Ana' is not in this memory; did you mean Anna? `echoic speakers` lists them"),
        (("--azimuth", "400"), "azimuth: found 400.0; give degrees from 0 to 360, counter-clockwise from the array's +x"),
        (("--azimuth", "nan"), "azimuth: found nan; give degrees from 0 to 360, counter-clockwise from the array's +x"),
        (
            ("--away", "--from", "+9", "--to", "+4"),
            "to: 2026-11-22 19:00:04+01:00 is not after from, 2026-11-22 19:00:09+01:00; give a later time",
        ),
        (
            ("--away", "--from", "+900"),
            "from: nothing was heard from 2026-11-22 19:15:00+01:00 on: session SESSION goes from 2026-11-22 19:00:00+01:00 to "
            "2026-11-22 19:00:16+01:00 (`echoic sessions`)",
        ),
        (
            ("--away", "--from", "2026-11-22T18:00:00+01:00", "--to", "2026-11-22T18:30:00+01:00"),
            "from: nothing was heard from 2026-11-22 18:00:00+01:00 to 2026-11-22 18:30:00+01:00: its sessions go from "
            "2026-11-22 19:00:00+01:00 to 2026-11-22 19:00:16+01:00 (`echoic sessions`)",
        ),
        (
            ("--away", "--from", "noon"),
            "from: found 'noon'; give a time as ISO 8601, such as 2026-11-22T19:45:00+01:00, or +SECONDS from the session's start, such as "
            "+12.5",
        ),
        (("--nothing", "--session", "x"), "session 'x' is not in this memory; allowed are SESSION (`echoic sessions` lists them)"),
        (("--nothing", "--list"), "attend does one thing at a time: found --list, --nothing"),
        (("--clear", "attention-1", "--schedule", "x"), "attend does one thing at a time: found --clear, --schedule"),
        (("--clear", "attention-1"), "declaration 'attention-1' is not in this memory; there are 0; `echoic attend --list` lists them"),
        (("--nothing", "--at", "+1"), "--at: it belongs to --list; say with --from and --to when you followed something"),
        (("--schedule", "missing.yaml"), "--schedule missing.yaml: No such file or directory"),
    ],
)
def test_what_cannot_be_declared_is_exit_2(echoic: Echoic, memory: Path, arguments: tuple[str, ...], message: str) -> None:
    done = echoic("attend", *arguments, "--memory", memory)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"echoic: {message.replace('SESSION', session_of(echoic, memory)) if '+SECONDS' not in message else message}\n"
    assert echoic("attend", "--list", "--memory", memory, "--json").json == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {topic: dogs, topic: cats}", "--schedule PLAN: line 1: 'topic' stands twice, first in line 1: give each its own name"),
        ("", 'a schedule is a list of declarations, such as [{"away": true, "reason": "lunch", "from": "..."}]'),
        ("topic: dogs", 'a schedule is a list of declarations, such as [{"away": true, "reason": "lunch", "from": "..."}]'),
        ("- dogs", 'entry 1: found \'dogs\'; give an object such as {"topic": "dogs", "from": "+10"}'),
        ("- {nothing: true}\n- {topik: dogs}", "entry 2: found 'topik'; did you mean 'topic'?"),
        ("- {away: lunch}", "entry 1: away: found 'lunch', but it must be true; what it was stands in reason"),
        ("- {nothing: 5}", "entry 1: nothing: found 5, but it must be true"),
        ("- {topic: 42}", "entry 1: topic: found 42; give it as text that is not empty"),
        ("- {azimuth: left}", "entry 1: azimuth: found 'left'; give degrees from 0 to 360, counter-clockwise from the array's +x"),
        (
            "- {away: true, from: 900}",
            "entry 1: from: nothing was heard from 2026-11-22 19:15:00+01:00 on: session SESSION goes from "
            "2026-11-22 19:00:00+01:00 to 2026-11-22 19:00:16+01:00 (`echoic sessions`)",
        ),
    ],
)
def test_a_schedule_that_cannot_be(echoic: Echoic, memory: Path, tmp_path: Path, text: str, message: str) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(text)
    done = echoic("attend", "--schedule", plan, "--memory", memory)
    wanted = message.replace("PLAN", str(plan)).replace("SESSION", session_of(echoic, memory))
    assert (done.code, done.out, done.err) == (2, "", f"echoic: {wanted}\n")


def test_a_memory_in_which_nothing_was_heard(echoic: Echoic, tmp_path: Path) -> None:
    done = echoic("attend", "--nothing", "--memory", tmp_path)
    assert done.code == 2
    assert done.err == f"echoic: --memory {tmp_path}: nothing was heard in it yet, so there is nothing that could be followed\n"


def test_forgetting_a_person_takes_along_what_was_declared_of_them(echoic: Echoic, memory: Path) -> None:
    echoic("attend", "--speaker", "Anna", "--from", "+0", "--memory", memory)
    echoic("attend", "--topic", "bread", "--from", "+1", "--memory", memory)
    done = echoic("forget", "--speaker", "Anna", "--yes", "--memory", memory)
    assert done.code == 0, done.err
    assert "attentions: 1" in done.out
    assert "and 1 declaration of what was followed" in done.out
    assert [row["topic"] for row in echoic("attend", "--list", "--memory", memory, "--json").json] == ["bread"]


def asked(echoic: Echoic, memory: Path, question: str, *more: object) -> dict[str, Any]:
    done = echoic("ask", question, "--memory", memory, "--json", *more)
    assert done.code == 0, done.err
    return dict(done.json)


def speakers_of(answer: dict[str, Any]) -> set[str]:
    return {entry["speaker"] for claim in answer["claims"] for entry in claim["evidence"]}


def test_without_declarations_everything_is_told_as_before(echoic: Echoic, memory: Path) -> None:
    answer = asked(echoic, memory, "What did I miss?")
    assert answer["answer"].startswith("You did not say what you followed, so this is everything that was heard. ")
    assert speakers_of(answer) == {"Anna", "Carl", "Dora"}
    assert (answer["attended"], answer["missed"]) == ([], [])


@pytest.mark.parametrize("followed", [("--topic", "dogs"), ("--speaker", "Anna"), ("--azimuth", "75")])
def test_what_was_missed_goes_by_what_was_declared(echoic: Echoic, memory: Path, followed: tuple[str, str]) -> None:
    echoic("attend", *followed, "--from", "+0", "--memory", memory)
    answer = asked(echoic, memory, "What did I miss?")
    says = echoic("attend", "--list", "--memory", memory, "--json").json[0]["says"]
    assert answer["answer"].startswith(
        f"You had declared that {says} (0:00-0:16). While {says} (30 and 75 degrees, 0:00-0:16), at 200 and 250 degrees two people (Carl "
    )
    assert speakers_of(answer) == {"Carl", "Dora"}
    (attended,) = answer["attended"]
    assert (attended["source"], attended["says"], attended["azimuths_deg"]) == ("declared", says, [30.0, 75.0])
    (lost,) = answer["missed"]
    assert lost["azimuths_deg"] == [200.0, 250.0]
    assert "source" not in lost


def test_as_of_a_moment_only_what_had_begun_counts(echoic: Echoic, memory: Path) -> None:
    echoic("attend", "--topic", "dogs", "--from", "+0", "--memory", memory)
    echoic("attend", "--topic", "bread", "--from", "+9", "--memory", memory)
    assert "bread" not in asked(echoic, memory, "What did I miss?", "--at", "+8.9")["answer"].split("Carl")[0]
    late = asked(echoic, memory, "What did I miss?")["answer"]
    assert late.startswith("You had declared that you followed the talk about dogs (0:00-0:09) and that you followed the talk about bread")


def test_an_absence_is_asked_for_by_its_reason(echoic: Echoic, memory: Path) -> None:
    refused = asked(echoic, memory, "What did I miss while I was on the phone?")
    assert refused["abstained"]
    assert refused["answer"] == (
        'Echoic cannot tell when you were on the phone; give the time, such as "in the last ten minutes" or "between ten and half past", or'
        " declare it: echoic attend --away --from TIME --to TIME"
    )
    echoic("attend", "--away", "--reason", "a call", "--from", "+0", "--to", "+5", "--memory", memory)
    echoic("attend", "--away", "--reason", "lunch", "--from", "+12.5", "--to", "+17", "--memory", memory)
    phone = asked(echoic, memory, "What did I miss while I was on the phone?")
    assert phone["intent"] == "missed"
    assert phone["answer"].startswith("You had declared that you were away (a call, 0:00-0:05). While you were away (a call, 0:00-0:05), ")
    assert "Meanwhile, " in phone["answer"]
    assert {entry["start_s"] for claim in phone["claims"] for entry in claim["evidence"]} <= {0.0, 1.0, 4.0}
    assert [(entry["says"], entry["tracks"]) for entry in phone["attended"]] == [("you were away (a call)", [])]
    part = asked(echoic, memory, "What did I miss about the bakery while I was on the phone?")
    assert speakers_of(part) == {"Carl"}
    assert asked(echoic, memory, "What did I miss from speaker-9 while I was on the phone?")["abstained"]
    lunch = asked(echoic, memory, "What did I miss while I was at lunch?")
    assert {entry["start_s"] for claim in lunch["claims"] for entry in claim["evidence"]} <= {12.0, 13.0}
    away = asked(echoic, memory, "What did I miss while I was away?")
    assert {round(entry["start_s"]) for claim in away["claims"] for entry in claim["evidence"]} > {0, 13}
    asleep = asked(echoic, memory, "What did I miss while I was asleep?")
    assert asleep["answer"].startswith('No absence was declared as "asleep"; this goes by the ones that were declared. You had declared ')


def test_an_absence_in_which_nothing_was_said(echoic: Echoic, memory: Path) -> None:
    echoic("attend", "--away", "--from", "+16.41", "--to", "+17", "--memory", memory)
    echoic("attend", "--away", "--reason", "lunch", "--from", "+3.41", "--to", "+3.99", "--memory", memory)
    answer = asked(echoic, memory, "What did I miss while I was at lunch?")
    assert answer["abstained"]
    assert answer["claims"] == []
    assert answer["answer"] == "Nothing else was heard while you were away (lunch, 0:03-0:03)."


def test_the_questions_own_words_go_before_what_was_declared(echoic: Echoic, memory: Path) -> None:
    echoic("attend", "--topic", "dogs", "--from", "+0", "--memory", memory)
    answer = asked(echoic, memory, "What did I miss while I was following the conversation about bread?")
    assert speakers_of(answer) == {"Anna"}
    assert answer["answer"].startswith(
        'As you said, you followed "the conversation about bread". You had declared that you followed the talk about dogs (0:01-0:16): '
        "your question goes before that. While you followed the conversation about bread (200 and 250 degrees, 0:01-0:16), "
        "at 30 and 75 degrees two people (Anna "
    )
    assert [(entry["source"], entry["says"]) for entry in answer["attended"]] == [
        ("question", 'you followed "the conversation about bread"')
    ]
    same = asked(echoic, memory, "What did I miss while I was following the conversation about dogs?")
    assert same["answer"].startswith('As you said, you followed "the conversation about dogs"; you had declared it too. While you followed')


@pytest.mark.parametrize("name", ["me", "I", "Myself"])
def test_ones_own_voice_tells_what_was_followed(echoic: Echoic, memory: Path, name: str) -> None:
    assert echoic("speakers", "rename", "Anna", name, "--memory", memory).code == 0
    answer = asked(echoic, memory, "What did I miss?")
    assert answer["answer"].startswith(
        "Judging by your own voice, you talked with Bob (75 degrees). While you talked with Bob (75 degrees, 0:00-0:15), "
        "at 200 and 250 degrees two people (Carl "
    )
    assert speakers_of(answer) == {"Carl", "Dora"}
    assert [(entry["source"], entry["says"]) for entry in answer["attended"]] == [("inferred", "you talked with Bob (75 degrees)")]
    # What is declared goes before that.
    echoic("attend", "--speaker", "Carl", "--from", "+0", "--memory", memory)
    assert speakers_of(asked(echoic, memory, "What did I miss?")) == {"Bob"}


def test_a_question_may_ask_for_a_part_of_what_was_missed(echoic: Echoic, memory: Path) -> None:
    echoic("attend", "--away", "--from", "+0", "--memory", memory)
    assert speakers_of(asked(echoic, memory, "What did I miss at 200 degrees?")) == {"Carl", "Dora"}
    assert speakers_of(asked(echoic, memory, "What did I miss about the dog?")) == {"Anna"}
    assert asked(echoic, memory, "What did I miss about volcanoes?")["abstained"]
