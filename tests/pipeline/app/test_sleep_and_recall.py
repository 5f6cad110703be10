"""What the commands do to a memory in sleep: links, keys and fading by the shipped steps, and what answers quoted grows stronger."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.app.server import Desk, Server, listen, make_app
from pipeline.app.sleeping import Sleeping
from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.sleeper import Sleeper
from stages.recall.keyword_recall import KeywordRecall
from tests.pipeline.app.command_line import Done, http
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row

Echoic = Callable[..., Done]
CONFIG = ("--config", "configs/minimal.yaml")
QUESTION = "What was said about the ferry?"
SAID = (
    ("the ferry to the island leaves on saturday", "from the small harbour at nine"),
    ("we paint that wooden fence green", "before the guests arrive"),
    ("the ferry to the island leaves on sunday", "and it costs nothing"),
)


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory with three events, two of them about a ferry, all with audio, that nothing was done to since; 60 days have passed."""
    memory = LongTermMemory(ENCODER, str(tmp_path / "m"))
    memory.start()
    memory.begin_session(session_row(complete=True))
    for place, texts in enumerate(SAID):
        lines = [line(text, 60.0 * place + 2.0 * number, track=f"t{place}") for number, text in enumerate(texts)]
        memory.add_lines("s1", lines, lines[-1].end_ns)
        memory.add_event("s1", dataclasses.replace(event(f"event-{place}", lines), summary=" ".join(texts)))
    memory.stop()
    monkeypatch.setattr("pipeline.app.times.now", lambda: STARTED_AT + timedelta(days=60))
    return tmp_path / "m"


@pytest.fixture
def opened(heard: Path) -> Iterator[LongTermMemory]:
    memory = LongTermMemory(ENCODER, str(heard))
    memory.start()
    yield memory
    memory.stop()


def rows(directory: Path, query: str) -> list[tuple[Any, ...]]:
    memory = LongTermMemory(ENCODER, str(directory), read_only=True)
    memory.start()
    try:
        with memory.findings.database.reading() as connection:
            return connection.execute(query).fetchall()
    finally:
        memory.stop()


def kinds_of_links(directory: Path) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for a, b, kind in rows(directory, "SELECT a, b, kind FROM links"):
        found.setdefault((min(a, b), max(a, b)), set()).add(kind)
    return found


def quoted(answer: dict[str, Any]) -> set[str]:
    return {entry["utterance"] for claim in answer["claims"] for entry in claim["evidence"]}


def recalls(directory: Path) -> dict[str, int]:
    return dict(rows(directory, "SELECT l.id, s.n_recalls FROM strengths s JOIN lines l ON l.n = s.n"))


def test_sleep_as_it_is_shipped_links_events_makes_keys_of_summaries_and_fades_audio(echoic: Echoic, heard: Path, tmp_path: Path) -> None:
    """Audio fades only where the graph asks for it."""
    done = echoic("consolidate", "--memory", heard, *CONFIG, "--json")
    assert done.code == 0, done.err
    assert done.json["finished"] is True
    assert done.json["done"]["link"] >= 3
    assert done.json["done"]["faded audio"] == 0
    assert "topic" in kinds_of_links(heard)["s1-event-0", "s1-event-2"]
    assert {row[0] for row in rows(heard, "SELECT value FROM keys WHERE kind = 'summary'")} >= {f"s1-event-{place}" for place in range(3)}
    assert len(list(heard.glob("lines/*/*.flac"))) == 6

    config = tmp_path / "fading.yaml"
    text = Path("configs/minimal.yaml").read_text(encoding="utf-8")
    sleeper = "resources:\n  sleeper: {use: stages.memory.sleeper.Sleeper, fade_audio_below: 0.5}\n"
    config.write_text(text.replace("resources:\n", sleeper, 1), encoding="utf-8")
    done = echoic("consolidate", "--memory", heard, "--config", config, "--json")
    assert done.code == 0, done.err
    assert done.json["done"]["faded audio"] == 6
    assert rows(heard, "SELECT clip FROM lines") == [(None,)] * 6
    assert list(heard.glob("lines/*/*.flac")) == []
    assert echoic("doctor", "--memory", heard).code == 0


def test_what_an_answer_of_ask_quotes_is_stronger_and_linked_after_sleep(echoic: Echoic, heard: Path) -> None:
    done = echoic("ask", QUESTION, "--memory", heard, *CONFIG, "--json")
    assert done.code == 0, done.err
    lines = quoted(done.json)
    assert {row.rpartition("-")[2] for row in lines} >= {"00000000", "00120000"}
    assert recalls(heard) == {}
    assert echoic("consolidate", "--memory", heard, *CONFIG).code == 0
    assert recalls(heard) == dict.fromkeys(lines, 1)
    assert "recall" in kinds_of_links(heard)["s1-event-0", "s1-event-2"]


def test_what_an_answer_over_http_quotes_is_stronger_and_linked_after_sleep(heard: Path, opened: LongTermMemory) -> None:
    sleeping = Sleeping(opened, Sleeper())
    recall = KeywordRecall(opened, Extractive(ENCODER))
    desk = Desk(opened, recall, lambda: {"status": "ok"}, lambda: b"", sleeping.round)
    server = Server(make_app(desk, "127.0.0.1"), listen("127.0.0.1", 0))
    server.start()
    try:
        status, answer = http(f"{server.url}/ask", {"question": QUESTION})
        assert status == 200, answer
        assert recalls(heard) == {}
        status, slept = http(f"{server.url}/consolidate", {})
        assert (status, slept["finished"], slept["done"]["recalls"]) == (200, True, 1)
    finally:
        server.stop()
    assert recalls(heard) == dict.fromkeys(quoted(answer), 1)
    assert "recall" in kinds_of_links(heard)["s1-event-0", "s1-event-2"]
