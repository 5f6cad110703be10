"""Against xllamacpp's own OpenAI-compatible server on a loopback port, and against servers that misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import xllamacpp

from models.weights import path_of
from stages.answer.chat_answerer import ChatError
from stages.answer.openai_chat import OpenaiChat
from stages.memory.minilm_onnx import MinilmOnnx
from tests.stages.answer.materials import FERRY, found_material, question

CHAT = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(scope="module")
def real_server(weights: Path) -> Iterator[str]:
    assert weights.is_dir()
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path_of("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"))
    parameters.n_ctx = 1024
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.cpuparams.poll = 0
    parameters.cpuparams_batch.poll = 0
    parameters.warmup = False
    parameters.verbosity = 0
    parameters.port = 0
    parameters.api_keys = ["a-key"]
    server = xllamacpp.Server(parameters)
    yield server.listening_address
    del server


@contextmanager
def _server(*replies: tuple[int, str] | None) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these replies in turn (None: none at all); and what it was asked."""
    waiting, asked, release = list(replies), [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            reply = waiting.pop(0) if waiting else (500, "nothing left")
            if reply is None:
                release.wait(5)
                return
            body = reply[1].encode()
            self.send_response(reply[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        release.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _started(answerer: OpenaiChat) -> Iterator[OpenaiChat]:
    answerer.start()
    answerer.start()
    try:
        yield answerer
    finally:
        answerer.stop()
        answerer.stop()


def _completion(content: object) -> str:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]})


def test_a_real_server_words_a_fact(real_server: str, encoder: MinilmOnnx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_TEST_KEY", "a-key")
    answerer = OpenaiChat(f"{real_server}/v1", "qwen", encoder, key_variable="ECHOIC_TEST_KEY", timeout_s=240, retries=0, max_tokens=32)
    with _started(answerer):
        claims = answerer.compose(question("When does the ferry leave?"), found_material(FERRY[1]))
    assert "half past nine" in claims[0].text
    assert [evidence.utterance for evidence in claims[0].evidence] == [FERRY[1].id]


def test_a_real_server_refuses_a_wrong_key(real_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_TEST_KEY", "wrong")
    answerer = OpenaiChat(f"{real_server}/v1", "qwen", key_variable="ECHOIC_TEST_KEY")
    with _started(answerer), pytest.raises(ChatError, match=r"OpenaiChat: .*/v1/chat/completions refused: HTTP 401; check the key: "):
        answerer.reply(CHAT)


def test_the_key_comes_from_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECHOIC_TEST_KEY", raising=False)
    with pytest.raises(ChatError) as raised:
        OpenaiChat("http://127.0.0.1:9/v1", "m", key_variable="ECHOIC_TEST_KEY").start()
    assert str(raised.value) == (
        "OpenaiChat: the environment variable ECHOIC_TEST_KEY is not set; set it to the key of http://127.0.0.1:9/v1"
    )


def test_a_busy_server_is_asked_again() -> None:
    with _server((503, "loading"), (429, "slow down"), (200, _completion("hello"))) as (url, asked), _started(OpenaiChat(url, "m")) as chat:
        assert chat.reply(CHAT) == "hello"
    assert len(asked) == 3
    body = json.loads(asked[0])
    assert (body["model"], body["messages"], body["temperature"]) == ("m", CHAT, 0.0)


def test_a_server_that_stays_busy_is_given_up() -> None:
    with _server((503, "loading"), (503, "loading")) as (url, asked), _started(OpenaiChat(url, "m", retries=1)) as chat:
        with pytest.raises(ChatError) as raised:
            chat.reply(CHAT)
        assert str(raised.value) == f"OpenaiChat: {url}/chat/completions gave no reply in 2 tries: HTTP 503: loading"
    assert len(asked) == 2


def test_a_slow_server_is_given_up() -> None:
    with _server(None) as (url, _), _started(OpenaiChat(url, "m", timeout_s=0.2, retries=0)) as chat, pytest.raises(ChatError) as raised:
        chat.reply(CHAT)
    assert "gave no reply in 1 tries: no reply within 0.2 s; raise timeout_s or take a smaller model" in str(raised.value)


def test_a_server_that_is_not_there_is_told() -> None:
    with _server() as (url, _):
        pass
    with (
        _started(OpenaiChat(url, "m", retries=0)) as chat,
        pytest.raises(ChatError, match=r"gave no reply in 1 tries: .*; is the server running\?"),
    ):
        chat.reply(CHAT)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<html>", "sent no chat completion: <html>"),
        ("{}", "sent no chat completion: {}"),
        ('{"choices": []}', 'sent no chat completion: {"choices": []}'),
        (_completion(None), "sent a reply without text: "),
    ],
)
def test_garbage_is_told(body: str, message: str) -> None:
    with _server((200, body)) as (url, _), _started(OpenaiChat(url, "m")) as chat, pytest.raises(ChatError) as raised:
        chat.reply(CHAT)
    assert f"OpenaiChat: {url}/chat/completions {message}" in str(raised.value)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="base_url must begin with http:// or https://, found 'localhost'"):
        OpenaiChat("localhost", "m")
    with pytest.raises(ValueError, match="timeout_s must be over 0 and retries at least 0, found 0 and 2"):
        OpenaiChat("http://x", "m", timeout_s=0)
    with pytest.raises(ChatError, match=r"OpenaiChat: start\(\) has not been called"):
        OpenaiChat("http://x", "m").reply(CHAT)
