"""The same answer on every way to it: --json, a terminal, HTTP in one piece, and HTTP as events."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.app.answer_screen import AnswerScreen
from pipeline.app.daemon_file import DaemonFile, events
from pipeline.app.failures import CallerError, WorkError
from pipeline.app.memory_directory import directory_to_read
from pipeline.app.open_memory import recall_to_ask
from pipeline.app.server import Desk, Server, listen, make_app
from stages.recall.answer_parts import AnswerPart
from stages.recall.recall import Recall
from tests.pipeline.app.command_line import ROOT, Done, http
from tests.pipeline.app.served import serving, without_times
from tests.stages.answer.chat_server import Exchange, chat_server, sends

Echoic = Callable[..., Done]
QUESTIONS = ["When does the ferry leave?", "Catch me up", "Who talked about the ferry?", "Who won the football match?", "何を逃しましたか"]


def _says_it_again(exchange: Exchange) -> None:
    """A model that gives back its first note, which the evidence supports."""
    note = re.search(r'\[1\] \S+: "(.*?)[.!?]?"\n', exchange.prompt)
    exchange.stream(f"{note[1] if note else 'nothing'} [1].")


@pytest.fixture
def asked_with_a_model(echoic: Echoic, transcript: Path, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A memory with the transcript in it, and a graph whose answers a model on this machine words."""
    memory, config = tmp_path / "m", tmp_path / "worded.yaml"
    with chat_server(_says_it_again) as (url, _):
        text = (ROOT / "configs" / "minimal.yaml").read_text(encoding="utf-8")
        line = f"answerer: {{use: stages.answer.openai_chat.OpenaiChat, base_url: '{url}', model: m, least_entailment: 0.0}}"
        worded, n_replaced = re.subn(r"answerer: \{.*\}", line, text, count=1)
        assert n_replaced == 1
        config.write_text(worded, encoding="utf-8")
        done = echoic("import", transcript, "--memory", memory, "--started-at", "2026-11-22T19:00:00+01:00", "--config", config)
        assert done.code == 0, done.err
        yield memory, config


def _streamed(url: str, body: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(events(DaemonFile(os.getpid(), url), "/ask?stream=1", body))


def test_the_answer_is_the_same_through_the_command_and_both_ways_of_http(echoic: Echoic, asked_with_a_model: tuple[Path, Path]) -> None:
    memory, _ = asked_with_a_model
    told = {question: echoic("ask", question, "--memory", memory, "--json").json for question in QUESTIONS}
    with serving(memory) as url:
        for question in QUESTIONS:
            status, whole = http(f"{url}/ask", {"question": question})
            parts = _streamed(url, {"question": question})
            by_accept = http(f"{url}/ask", {"question": question}, {"Accept": "text/event-stream", "Content-Type": "application/json"})
            assert status == 200
            assert without_times(whole) == without_times(told[question])
            name, final = parts[-1]
            assert name == "final"
            assert without_times(final) == without_times(whole)
            assert parts[0][0] == "draft"
            assert {name for name, _ in parts[1:-1]} <= {"worded"}
            assert re.findall(r"^event: (\w+)$", by_accept[1], re.M) == [name for name, _ in parts]
            assert set(final["timing_ms"]) == {"parse", "retrieve", "first_words", "answer", "total"}
    assert told["When does the ferry leave?"]["answer"] != ""


def test_worded_claims_take_the_place_of_the_drafts(asked_with_a_model: tuple[Path, Path]) -> None:
    memory, _ = asked_with_a_model
    with serving(memory) as url:
        (_, draft), *worded, (_, final) = _streamed(url, {"question": "When does the ferry leave?"})
    assert worded
    claims = [claim["text"] for claim in draft["claims"]]
    for name, part in worded:
        assert name == "worded"
        claims[part["place"]] = part["claim"]["text"]
    assert claims == [claim["text"] for claim in final["claims"]]
    assert draft["answer"] != final["answer"]


def test_a_stream_that_cannot_begin_is_refused_as_ever(asked_with_a_model: tuple[Path, Path]) -> None:
    memory, _ = asked_with_a_model
    with serving(memory) as url:
        status, answer = http(f"{url}/ask?stream=1", {"question": " "})
        with pytest.raises(CallerError) as raised:
            _streamed(url, {"question": "What?", "top": 5})
    assert (status, answer) == (400, {"error": "the question is ' '; ask in words, such as \"What did I miss?\""})
    assert str(raised.value) == "the body has top; allowed are question, at, session, raw, facing"


def test_a_reader_who_goes_away_leaves_the_daemon_answering(asked_with_a_model: tuple[Path, Path]) -> None:
    memory, _ = asked_with_a_model
    with serving(memory) as url:
        for _ in range(3):
            stream = events(DaemonFile(os.getpid(), url), "/ask?stream=1", {"question": "Catch me up"})
            assert next(stream)[0] == "draft"
            stream.close()
        assert http(f"{url}/ask", {"question": "Catch me up"})[0] == 200


def test_a_failure_in_the_middle_is_told_as_an_event(asked_with_a_model: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    memory, _ = asked_with_a_model
    with recall_to_ask(directory_to_read(memory)) as (recall, long_term, _):
        bound = listen("127.0.0.1", 0)
        desk = Desk(long_term, CutShort(recall), dict, bytes, lambda: pytest.fail("nobody asks for sleep"))
        server = Server(make_app(desk, "127.0.0.1"), bound)
        server.start()
        try:
            parts = _streamed(server.url, {"question": "Catch me up"})
        finally:
            server.stop()
    assert [name for name, _ in parts] == ["draft", "error"]
    assert parts[1][1] == {"error": "the disk is gone"}
    assert capsys.readouterr().err == "POST /ask: the disk is gone\n"


class CutShort(Recall):
    """Gives a real draft, and then its disk fails."""

    def __init__(self, real: Recall) -> None:
        self._real = real

    def ask_stream(
        self, question: str, *, at: datetime | None = None, now: datetime, facing_deg: float | None = None
    ) -> Iterator[AnswerPart]:
        yield next(self._real.ask_stream(question, at=at, now=now, facing_deg=facing_deg))
        raise WorkError("the disk is gone")


def _on_a_terminal(*arguments: object) -> str:
    """What a command writes to a terminal."""
    own, others = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "pipeline.app.cli", *map(str, arguments)], cwd=ROOT, stdout=others, stderr=subprocess.PIPE
    )
    os.close(others)
    pieces = []
    try:
        while piece := os.read(own, 65536):
            pieces.append(piece)
    except OSError:
        pass  # a terminal whose other side has closed gives EIO
    finally:
        os.close(own)
    _, complaints = child.communicate(timeout=60)
    assert child.returncode == 0, complaints.decode()
    return b"".join(pieces).decode().replace("\r\n", "\n")


def test_a_terminal_shows_the_first_words_and_then_better_ones(echoic: Echoic, asked_with_a_model: tuple[Path, Path]) -> None:
    memory, _ = asked_with_a_model
    answer = echoic("ask", "When does the ferry leave?", "--memory", memory, "--json").json
    shown = _on_a_terminal("ask", "When does the ferry leave?", "--memory", memory)
    first, better, *proof = shown.strip().split("\n\n")
    assert first.startswith("At 0:00")
    assert '"The ferry leaves on Saturday at half past nine."' in first
    assert better == f"In other words: {answer['answer']}"
    assert "“The ferry leaves on Saturday at half past nine.”" in proof[0]


def test_where_the_model_changes_nothing_nothing_is_said_twice(echoic: Echoic, asked_with_a_model: tuple[Path, Path]) -> None:
    memory, _ = asked_with_a_model
    plain = ROOT / "configs" / "minimal.yaml"
    shown = _on_a_terminal("ask", "When does the ferry leave?", "--memory", memory, "--config", plain)
    piped = echoic("ask", "When does the ferry leave?", "--memory", memory, "--config", plain)
    assert shown == piped.out
    assert "In other words" not in shown


def test_a_server_that_is_down_is_one_warning_beside_the_answer(echoic: Echoic, transcript: Path, tmp_path: Path) -> None:
    config = tmp_path / "down.yaml"
    with chat_server(sends(404, "no such model")) as (url, _):
        text = (ROOT / "configs" / "minimal.yaml").read_text(encoding="utf-8")
        line = f"answerer: {{use: stages.answer.openai_chat.OpenaiChat, base_url: '{url}', model: m}}"
        config.write_text(re.sub(r"answerer: \{.*\}", line, text, count=1), encoding="utf-8")
        assert echoic("import", transcript, "--memory", tmp_path / "m", "--config", config).code == 0
        command = [sys.executable, "-m", "pipeline.app.cli", "ask", "When does the ferry leave?", "--memory", str(tmp_path / "m"), "--json"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == f"answering in the speakers' own words: OpenaiChat: {url}/chat/completions refused: HTTP 404: no such model\n"
    assert "half past nine" in json.loads(done.stdout)["answer"]


def test_a_draft_that_comes_again_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    screen = AnswerScreen(Path("m"), at_once=True)
    answer = {"answer": "Nothing was heard.", "claims": []}
    screen.draft(answer)
    screen.draft({"answer": "Something else.", "claims": []})
    screen.final(answer, {})
    assert capsys.readouterr().out == "Nothing was heard.\n"
