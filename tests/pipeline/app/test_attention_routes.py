"""`/attend` of the daemon's API, and the command that goes there while a daemon holds the memory."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from starlette.testclient import TestClient

from pipeline.app.server import Desk, make_app
from stages.memory.long_term_memory import LongTermMemory
from tests.pipeline.app.command_line import RATE_HZ, Done, Process, bursts, http, until
from tests.stages.memory.made import ENCODER, line, session_row

Echoic = Callable[..., Done]
Start = Callable[..., Process]


@pytest.fixture
def client() -> Iterator[TestClient]:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("the ferry leaves", 1.0), line("at half past nine", 30.0)], 5 * 10**9)
    memory.finish_session("s1", 40 * 10**9)
    desk = Desk(memory, None, dict, bytes, lambda: pytest.fail("nothing sleeps here"))
    with TestClient(make_app(desk, "127.0.0.1"), base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened
    memory.stop()


def test_what_was_followed_is_declared_listed_and_taken_back(client: TestClient) -> None:
    body: dict[str, Any] = {"away": True, "reason": "lunch", "from": "+5", "to": 20}
    made = client.post("/attend", json=body)
    assert (made.status_code, [row["says"] for row in made.json()]) == (200, ["you were away (lunch)"])
    assert (made.json()[0]["session"], made.json()[0]["id"]) == ("s1", "attention-1")
    several = client.post("/attend", json={"schedule": [{"azimuth": 90, "from": "+20"}, {"topic": "ferries", "from": "+30"}]})
    assert [row["id"] for row in several.json()] == ["attention-2", "attention-3"]
    assert client.get("/attend").json() == [*made.json(), *several.json()]
    assert client.get("/attend", params={"at": "+6"}).json() == made.json()
    assert client.post("/attend", json={"clear": "attention-2"}).json() == several.json()[:1]
    assert len(client.get("/attend").json()) == 2


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], 'found []; give an object such as {"topic": "dogs", "from": "+10"}'),
        ({"topik": "dogs"}, "found 'topik'; did you mean 'topic'?"),
        ({"away": "lunch"}, "away: found 'lunch', but it must be true; what it was stands in reason"),
        ({"topic": "dogs", "from": [5]}, "from: found [5]; give it as text that is not empty"),
        ({"azimuth": True}, "azimuth: found True; give degrees from 0 to 360, counter-clockwise from the array's +x"),
        ({"azimuth": 1e999}, "azimuth: found inf; give degrees from 0 to 360, counter-clockwise from the array's +x"),
        ({"clear": 5}, "clear: found 5; give the id of a declaration, such as attention-1"),
        ({"clear": "attention-1", "topic": "x"}, "clear stands alone, found also topic"),
        ({"schedule": []}, 'a schedule is a list of declarations, such as [{"away": true, "reason": "lunch", "from": "..."}]'),
        ({"schedule": [{"nothing": True}] * 1001}, "1001 declarations at once; at most 1000 are allowed"),
        ({"speaker": "Zoe"}, "speaker 'Zoe' is not in this memory; `echoic speakers` lists them"),
    ],
)
def test_what_cannot_be_declared_is_refused(client: TestClient, body: Any, told: str) -> None:
    answer = client.post("/attend", content=json.dumps(body))
    assert (answer.status_code, answer.json()) == (400, {"error": told})
    assert client.get("/attend").json() == []


def test_a_body_that_is_none_is_refused(client: TestClient) -> None:
    assert client.post("/attend", content=b"{").json()["error"].startswith("the body is not JSON")
    assert client.post("/attend", content=b" " * 70_000).json() == {"error": "the body has 70000 bytes; at most 65536 are allowed"}
    assert client.get("/attend", params={"at": "noon"}).status_code == 400


def test_the_command_goes_to_the_daemon_that_holds_the_memory(echoic: Echoic, process: Start, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "room.wav", bursts(10), RATE_HZ, subtype="PCM_16")
    source = f"use: stages.capture.gst_source.GstSource, pipeline: 'filesrc location={tmp_path}/room.wav ! wavparse', array: mono"
    config = tmp_path / "live.yaml"
    config.write_text(Path("configs/minimal.yaml").read_text().replace("use: stages.capture.file_source.FileSource", source))
    memory = tmp_path / "m"
    run = process("run", config, "--memory", memory, "--port", 0)
    url = str(until(lambda: (memory / "daemon.json").is_file() and json.loads((memory / "daemon.json").read_text()))["url"])
    until(lambda: http(f"{url}/tracks")[1])
    declared = echoic("attend", "--away", "--reason", "on the phone", "--from", "+0", "--memory", memory, "--json")
    assert declared.code == 0, declared.err
    assert http(f"{url}/attend") == (200, declared.json)
    refused = echoic("attend", "--speaker", "Zoe", "--memory", memory)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "echoic: speaker 'Zoe' is not in this memory; `echoic speakers` lists them\n"
    assert echoic("attend", "--list", "--memory", memory, "--json").json == declared.json
    assert run.signal(signal.SIGTERM).code == 0
    assert echoic("attend", "--list", "--memory", memory, "--json").json == declared.json
