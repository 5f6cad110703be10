"""`--at` of every command that lists: what there was then, and nothing that came later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.app.conftest import Echoic

STARTED_AT = "2026-11-20T19:00:00+01:00"
TOPICS = ("the ferry to the island leaves on saturday", "painting the old wooden fence", "an apple cake needs three eggs")


def rows(n_topics: int) -> str:
    """Two people on each topic, five minutes of silence between them; Cara speaks only on the last."""
    told = [
        {
            "start_s": 300.0 * place + 5 * turn,
            "end_s": 300.0 * place + 5 * turn + 4,
            "speaker": "cara" if place == 2 else ("ann", "bob")[turn % 2],
            "text": f"{topic} {turn}",
        }
        for place, topic in enumerate(TOPICS[:n_topics])
        for turn in range(4)
    ]
    return "\n".join(json.dumps(row) for row in told)


@pytest.fixture
def memory(echoic: Echoic, tmp_path: Path) -> Path:
    file = tmp_path / "talk.jsonl"
    file.write_text(rows(3))
    assert echoic("import", file, "--memory", tmp_path / "m", "--started-at", STARTED_AT, "--config", "minimal").code == 0
    assert echoic("consolidate", "--memory", tmp_path / "m", "--config", "minimal").code == 0
    return tmp_path / "m"


def listed(echoic: Echoic, memory: Path, *command: str) -> list[dict[str, Any]]:
    done = echoic(*command, "--memory", memory, "--json")
    assert done.code == 0, done.err
    found: list[dict[str, Any]] = done.json
    return found


def test_lists_have_what_there_was_then(echoic: Echoic, memory: Path) -> None:
    (session,) = (row["id"] for row in listed(echoic, memory, "sessions"))
    now, then = (listed(echoic, memory, "events", *at) for at in ((), ("--at", "+330")))
    assert [row["end_s"] for row in now] == [19.0, 319.0, 619.0]
    # An event is known once it is over, and what came after five minutes of silence ended the one before.
    assert [row for row in now if row["end_s"] < 300] == then
    assert listed(echoic, memory, "events", "--at", "2026-11-20T19:05:30+01:00") == then
    assert [row["summary"] for row in listed(echoic, memory, "events", "--level", "episode", "--at", "+330")] == [then[0]["summary"]]
    assert listed(echoic, memory, "events", "--level", "day", "--at", "+330") == []
    assert listed(echoic, memory, "events", "--about", "apple cake", "--at", "+330") == then
    assert listed(echoic, memory, "events", "--about", "apple cake", "--level", "episode", "--at", "+330")[0]["end_s"] == 19.0
    assert listed(echoic, memory, "events", "--linked", now[0]["id"])
    assert listed(echoic, memory, "events", "--linked", now[0]["id"], "--at", "+330") == []
    assert [row["end_s"] for row in listed(echoic, memory, "tracks", "--at", "+330")] == [314.0, 319.0]
    assert len(listed(echoic, memory, "tracks")) == 3
    assert [(row["duration_s"], row["complete"]) for row in listed(echoic, memory, "sessions", "--at", "+330")] == [(319.0, False)]
    assert listed(echoic, memory, "sessions", "--at", "2026-11-20T18:59:00+01:00") == []
    assert [row["name"] for row in listed(echoic, memory, "speakers", "--at", "+330")] == ["ann", "bob"]
    assert listed(echoic, memory, "sounds", "--at", "+330") == []
    exported = [echoic("export", session, "--memory", memory, "--format", form, "--at", "+330") for form in ("jsonl", "vtt", "rttm")]
    assert [len(done.out.strip().splitlines()) for done in exported[:1]] == [8]
    assert all(done.code == 0 and "cake" not in done.out and "cara" not in done.out for done in exported)
    assert [json.loads(line)["event"] for line in exported[0].out.strip().splitlines()] == [then[0]["id"]] * 4 + [None] * 4


@pytest.mark.parametrize("command", ["sessions", "events", "tracks", "sounds", "speakers", "export"])
def test_what_is_no_time_is_refused(echoic: Echoic, memory: Path, command: str) -> None:
    session = [row["id"] for row in listed(echoic, memory, "sessions")] if command == "export" else []
    done = echoic(command, *session, "--memory", memory, "--at", "yesterday")
    assert done.code == 2
    assert "--at: found 'yesterday'; give a time as ISO 8601" in done.err
