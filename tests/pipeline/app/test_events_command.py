"""`echoic events --about` and `--linked`: the same JSON, in another order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.memory.hashed_words import HashedWords
from stages.memory.links.link_step import Link
from stages.memory.long_term_memory import LongTermMemory
from tests.pipeline.app.conftest import Echoic

KEYS = ("id", "session", "start_s", "end_s", "surprise", "reason", "tracks", "summary")
TOPICS = ("the ferry to the island leaves on saturday", "painting the old wooden fence", "an apple cake needs three eggs")


@pytest.fixture
def memory(echoic: Echoic, tmp_path: Path) -> Path:
    """Two transcripts on the same three topics, minutes of silence between them, and other people in the second."""
    for number, people in enumerate((("ann", "bob"), ("cara", "dan"))):
        rows = [
            {
                "start_s": 600.0 * place + 5 * turn,
                "end_s": 600.0 * place + 5 * turn + 4,
                "speaker": people[turn % 2],
                "text": f"{topic} {turn}",
            }
            for place, topic in enumerate(TOPICS)
            for turn in range(4)
        ]
        file = tmp_path / f"talk{number}.jsonl"
        file.write_text("\n".join(json.dumps(row) for row in rows))
        started = f"2026-11-2{number}T19:00:00+01:00"
        assert echoic("import", file, "--memory", tmp_path / "m", "--started-at", started, "--config", "minimal").code == 0
    return tmp_path / "m"


def test_events_about_something_come_nearest_first(echoic: Echoic, memory: Path) -> None:
    everything = echoic("events", "--memory", memory, "--json").json
    found = echoic("events", "--memory", memory, "--json", "--about", "When does the ferry leave?", "--most", "2").json
    assert [tuple(row) for row in found] == [KEYS, KEYS]
    assert all(row in everything and "ferry" in row["summary"] for row in found)
    assert {row["session"] for row in found} == {row["session"] for row in everything}
    assert len(echoic("events", "--memory", memory, "--json", "--about", "ferry").json) == len(everything)
    table = echoic("events", "--memory", memory, "--about", "apple cake").out
    assert table.index("apple") < table.index("ferry")


def test_about_holds_to_session_level_and_time(echoic: Echoic, memory: Path) -> None:
    about = ("events", "--memory", memory, "--json", "--about", "ferry")
    session = echoic("sessions", "--memory", memory, "--json").json[0]["id"]
    found = echoic(*about, "--session", session).json
    assert found
    assert {row["session"] for row in found} == {session}
    assert {row["summary"] for row in found} == {row["summary"] for row in echoic(*about).json if row["session"] == session}
    later = echoic(*about, "--session", session, "--from", "+500").json
    assert later
    assert all(row["end_s"] > 500 for row in later)
    assert echoic(*about, "--from", "+90000").json == []
    days = echoic(*about, "--level", "day").json
    assert len(days) == 2
    assert all("day" in row["id"] for row in days)


def test_linked_events_come_most_strongly_linked_first(echoic: Echoic, memory: Path) -> None:
    rows = echoic("events", "--memory", memory, "--json").json
    ferry, fence, _, other = (rows[place] for place in (0, 1, 2, 3))
    done = echoic("events", "--memory", memory, "--json", "--linked", ferry["id"])
    assert done.json == []
    assert "wait to be linked" in done.err
    opened = LongTermMemory(HashedWords(), str(memory))
    opened.start()
    while Link().work(opened, 0, 10):
        pass
    opened.stop()
    done = echoic("events", "--memory", memory, "--json", "--linked", ferry["id"])
    assert "wait" not in done.err
    assert [tuple(row) for row in done.json] == [KEYS] * len(done.json)
    assert all(row in rows for row in done.json)
    # The same people with other topics, and the same topic with other people.
    assert {other["id"], fence["id"]} <= {row["id"] for row in done.json}
    one = echoic("events", "--memory", memory, "--json", "--linked", ferry["id"], "--most", "1").json
    assert one == done.json[:1]
    here = echoic("events", "--memory", memory, "--json", "--linked", ferry["id"], "--session", ferry["session"]).json
    assert fence["id"] in {row["id"] for row in here}
    assert other["id"] not in {row["id"] for row in here}


def test_what_sleep_found_stands_in_the_table_and_the_json_stays_as_it_is(echoic: Echoic, memory: Path) -> None:
    assert "found in sleep" not in echoic("events", "--memory", memory).out
    assert echoic("consolidate", "--memory", memory).code == 0
    rows = echoic("events", "--memory", memory, "--json").json
    told = echoic("events", "--memory", memory).out
    assert [tuple(row) for row in rows] == [KEYS] * 6
    assert [f"says the same as {row['id']}" in " ".join(told.split()) for row in rows] == [True] * 3 + [False] * 3
    episodes = echoic("events", "--memory", memory, "--level", "episode").out
    topics = ["ferry, island, leaves", "fence, old, painting", "three, apple, cake"]
    assert [topic in line for topic, line in zip(topics * 2, episodes.splitlines()[1:7], strict=True)] == [True] * 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--about", "x", "--linked", "y"), "events takes either --about TEXT or --linked EVENT"),
        (("--about", "  "), "--about: the text is empty"),
        (("--linked", "nothing"), "event 'nothing' is not in this memory; `echoic events` lists them"),
        (("--linked", "x", "--level", "day"), "--linked with --level day: only events are linked"),
        (("--about", "x", "--most", "0"), "--most 0: at least 1"),
        (("--about", "x", "--level", "week"), "--level week: allowed are event, episode, day"),
    ],
)
def test_what_cannot_be_is_refused(echoic: Echoic, memory: Path, options: tuple[str, ...], said: str) -> None:
    done = echoic("events", "--memory", memory, *options)
    assert done.code == 2
    assert said in done.err
