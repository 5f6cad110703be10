"""Questions and answerers that cannot be relied on, from `import` to the JSON of the command and of HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.app.command_line import ROOT, Done, http
from tests.pipeline.app.served import serving, without_times
from tests.stages.answer.chat_server import Behaviour, chat_server, says, sends, silent

Echoic = Callable[..., Done]
QUESTION = "When does the ferry leave?"
STARTED = "2026-11-22T19:00:00+01:00"


def _graph(folder: Path, answerer: str) -> Path:
    """The graph without weights, with another answerer."""
    text = (ROOT / "configs" / "minimal.yaml").read_text(encoding="utf-8")
    made, n_replaced = re.subn(r"answerer: \{.*\}", f"answerer: {answerer}", text, count=1)
    assert n_replaced == 1
    (folder / "graph.yaml").write_text(made, encoding="utf-8")
    return folder / "graph.yaml"


def _by_both(echoic: Echoic, memory: Path, question: str) -> dict[str, Any]:
    """The answer of the command, which is that of HTTP."""
    done = echoic("ask", question, "--memory", memory, "--json")
    assert done.code == 0, done.err
    with serving(memory) as url:
        status, answer = http(f"{url}/ask", {"question": question})
    assert status == 200
    assert without_times(answer) == without_times(done.json)
    answer_of_command: dict[str, Any] = done.json
    return answer_of_command


def test_a_question_of_ten_thousand_words(echoic: Echoic, transcript: Path, tmp_path: Path) -> None:
    assert echoic("import", transcript, "--memory", tmp_path / "m", "--config", "minimal").code == 0
    question = "ferry " * 10_000
    told = "the question has 59999 characters; at most 2000 are allowed"
    done = echoic("ask", question, "--memory", tmp_path / "m", "--json")
    assert (done.code, done.out, done.err) == (2, "", f"echoic: {told}\n")
    with serving(tmp_path / "m") as url:
        assert http(f"{url}/ask", {"question": question}) == (400, {"error": told})
    long = "When does the ferry leave, " + "please " * 200
    answer = _by_both(echoic, tmp_path / "m", long)
    assert answer["abstained"]
    assert answer["answer"].startswith("The question has 205 words; at most 200 are read.")


@pytest.mark.parametrize("question", ["What was said?", "ferry?", "Wann fährt die Fähre?", "What was said tomorrow?", "Who said that?"])
def test_an_empty_memory(echoic: Echoic, tmp_path: Path, question: str) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    echoic("import", tmp_path / "empty.jsonl", "--memory", tmp_path / "m", "--config", "minimal")
    (tmp_path / "m").mkdir(exist_ok=True)
    done = echoic("ask", question, "--memory", tmp_path / "m", "--json", "--config", "minimal")
    assert done.code == 0
    assert (done.json["abstained"], done.json["claims"], done.json["retrieved"]) == (True, [], [])
    assert done.json["answer"] == "Nothing has been heard yet: the memory is empty."


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (silent, "nothing came for 0.3 s"),
        (sends(200, "<html>"), "sent no JSON: <html>"),
        (sends(503, "loading"), "HTTP 503: loading"),
        (says("The ferry to Dublin leaves on Sunday at ten [1]."), None),
    ],
    ids=["slow", "garbage", "down", "invents"],
)
def test_a_language_model_that_fails_changes_nothing(
    echoic: Echoic, transcript: Path, tmp_path: Path, behaviour: Behaviour, told: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    plain = tmp_path / "plain"
    assert echoic("import", transcript, "--memory", plain, "--started-at", STARTED, "--config", "minimal").code == 0
    with chat_server(behaviour) as (url, _):
        model = f"{{use: stages.answer.openai_chat.OpenaiChat, base_url: '{url}', model: m, first_token_timeout_s: 0.3, timeout_s: 1.0}}"
        config = _graph(tmp_path, model)
        assert echoic("import", transcript, "--memory", tmp_path / "m", "--started-at", STARTED, "--config", config).code == 0
        answer = _by_both(echoic, tmp_path / "m", QUESTION)
    assert without_times(answer) == without_times(echoic("ask", QUESTION, "--memory", plain, "--json").json)
    assert "half past nine" in answer["answer"]
    assert told is None or told in caplog.text


def test_a_model_that_does_not_load(echoic: Echoic, transcript: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cut.gguf").write_bytes(b"GGUF" + bytes(64))
    config = _graph(tmp_path, f"{{use: stages.answer.llama_cpp.LlamaCpp, model: '{tmp_path}/cut.gguf'}}")
    assert echoic("import", transcript, "--memory", tmp_path / "m", "--started-at", STARTED, "--config", config).code == 0
    answer = _by_both(echoic, tmp_path / "m", QUESTION)
    assert [evidence["text"] for evidence in answer["claims"][0]["evidence"]] == ["The ferry leaves on Saturday at half past nine."]
    assert "answering in the speakers' own words: LlamaCpp" in caplog.text
