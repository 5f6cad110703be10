"""Against xllamacpp's own OpenAI-compatible server on a loopback port, and against servers that misbehave."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import xllamacpp

from models.weights import path_of
from stages.answer.chat_answerer import ChatError
from stages.answer.extractive import Extractive
from stages.answer.openai_chat import OpenaiChat
from stages.memory.minilm_onnx import MinilmOnnx
from tests.stages.answer.chat_server import (
    Behaviour,
    Exchange,
    chat_server,
    completion,
    floods,
    hangs_up,
    pours,
    says,
    sends,
    silent,
    stalls,
    started,
    trickles,
)
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


def test_a_real_server_words_a_fact(real_server: str, encoder: MinilmOnnx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_TEST_KEY", "a-key")
    answerer = OpenaiChat(f"{real_server}/v1", "qwen", encoder, key_variable="ECHOIC_TEST_KEY", timeout_s=240, retries=0, max_tokens=32)
    with started(answerer):
        claims = answerer.compose(question("When does the ferry leave?"), found_material(FERRY[1]))
    assert "half past nine" in claims[0].text
    assert [evidence.utterance for evidence in claims[0].evidence] == [FERRY[1].id]


def test_a_real_server_refuses_a_wrong_key(real_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_TEST_KEY", "wrong")
    answerer = OpenaiChat(f"{real_server}/v1", "qwen", key_variable="ECHOIC_TEST_KEY")
    with started(answerer), pytest.raises(ChatError, match=r"OpenaiChat: .*/v1/chat/completions refused: HTTP 401; check the key: "):
        answerer.reply(CHAT)


def test_the_key_comes_from_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECHOIC_TEST_KEY", raising=False)
    with pytest.raises(ChatError) as raised:
        OpenaiChat("http://127.0.0.1:9/v1", "m", key_variable="ECHOIC_TEST_KEY").start()
    assert str(raised.value) == (
        "OpenaiChat: the environment variable ECHOIC_TEST_KEY is not set; set it to the key of http://127.0.0.1:9/v1"
    )


def test_a_reply_is_read_as_it_streams() -> None:
    with chat_server(says("It leaves", " at nine", " [1].")) as (url, asked), started(OpenaiChat(url, "m")) as chat:
        assert chat.reply(CHAT) == "It leaves at nine [1]."
    (body,) = asked
    assert (body["model"], body["messages"], body["temperature"], body["stream"], body["max_tokens"]) == ("m", CHAT, 0.0, True, 96)


def test_a_server_that_does_not_stream_is_understood_too() -> None:
    with chat_server(sends(200, completion("hello"))) as (url, _), started(OpenaiChat(url, "m")) as chat:
        assert chat.reply(CHAT) == "hello"


def test_a_busy_server_is_asked_again() -> None:
    busy = [sends(503, "loading"), sends(429, "slow down", headers={"Retry-After": "0"})]
    with chat_server(*busy, says("hello")) as (url, asked), started(OpenaiChat(url, "m")) as chat:
        assert chat.reply(CHAT) == "hello"
    assert len(asked) == 3


def test_a_wait_that_a_server_asks_for_counts_against_the_whole_time() -> None:
    with (
        chat_server(sends(429, "slow down", headers={"Retry-After": "3600"})) as (url, asked),
        started(OpenaiChat(url, "m", timeout_s=1.0)) as chat,
        pytest.raises(ChatError) as raised,
    ):
        chat.reply(CHAT)
    assert str(raised.value) == f"OpenaiChat: {url}/chat/completions gave no reply in 1 try: HTTP 429: slow down"
    assert len(asked) == 1


SEVEN = '{"choices": [{"delta": {"content": 7}}]}'
FAULTS: list[tuple[Behaviour, str]] = [
    (sends(503, "loading"), "gave no reply in 2 tries: HTTP 503: loading"),
    (sends(500, "x" * 10**6), "gave no reply in 2 tries: HTTP 500: " + "x" * 200),
    (sends(404, "no such model"), "refused: HTTP 404: no such model"),
    (sends(401, "who are you"), "refused: HTTP 401; check the key: who are you"),
    (silent, "gave no reply in 2 tries: nothing came for 0.3 s; raise first_token_timeout_s or take a smaller model"),
    (stalls, "gave no reply in 2 tries: nothing came for 0.3 s; raise first_token_timeout_s or take a smaller model"),
    (trickles, "gave no reply in 1 try: no whole reply within 1 s; raise timeout_s or take a smaller model"),
    (floods, "sent 800 characters, though max_tokens is 48"),
    (pours, "sent more than 28800 characters and no end"),
    (sends(200, "<html>"), "sent no JSON: <html>"),
    (sends(200, ""), "sent no JSON: "),
    (sends(200, "[1]"), "sent no JSON object: [1]"),
    (sends(200, "{}"), "sent no chat completion: {}"),
    (sends(200, '{"choices": []}'), 'sent no chat completion: {"choices": []}'),
    (sends(200, '{"choices": [5]}'), 'sent no chat completion: {"choices": [5]}'),
    (sends(200, '{"error": {"message": "no memory left"}}'), "sent an error: no memory left"),
    (sends(200, '{"choices": [{"message": {"content": null}}]}'), 'sent no text: {"choices": [{"message": {"content": null}}]}'),
    (sends(200, "[" * 10**5), "sent no JSON: " + "[" * 200),
    (sends(200, "<html>\n<body>", "text/event-stream"), "sent a line that is no event: '<html>'"),
    (sends(200, "", "text/event-stream"), "sent a stream without events"),
    (sends(200, "data: {nonsense\n\n", "text/event-stream"), "sent no JSON: {nonsense"),
    (
        sends(200, 'data: {"choices": [{"delta": {"content": 7}}]}\n\n', "text/event-stream"),
        'sent no text: {"choices": [{"delta": {"content": 7}}]}',
    ),
    (sends(200, 'data: {"error": {"message": "slot lost"}}\n\n', "text/event-stream"), "sent an error: slot lost"),
]


@pytest.mark.parametrize(("behaviour", "told"), FAULTS, ids=[told[:60] for _, told in FAULTS])
def test_a_server_that_fails_leaves_the_speakers_own_words_and_one_warning(
    behaviour: Behaviour, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked = question("When does the ferry leave?"), found_material(FERRY[1], FERRY[2])
    with (
        chat_server(behaviour) as (url, _),
        started(OpenaiChat(url, "m", max_tokens=48, retries=1, first_token_timeout_s=0.3, timeout_s=1.0)) as chat,
        caplog.at_level(logging.WARNING),
    ):
        claims = chat.compose(*asked)
    assert claims == Extractive().compose(*asked)
    assert [record.getMessage() for record in caplog.records] == [
        f"answering in the speakers' own words: OpenaiChat: {url}/chat/completions {told}"
    ]


def test_a_server_that_hangs_up_is_told() -> None:
    with (
        chat_server(hangs_up) as (url, asked),
        started(OpenaiChat(url, "m", retries=1)) as chat,
        pytest.raises(ChatError, match=r"gave no reply in 2 tries: .*; is the server running\?"),
    ):
        chat.reply(CHAT)
    assert len(asked) == 2


def test_a_server_that_is_not_there_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with chat_server(silent) as (url, _):
        pass
    asked = question("When does the ferry leave?"), found_material(FERRY[1])
    with started(OpenaiChat(url, "m", retries=1)) as chat, caplog.at_level(logging.WARNING):
        assert chat.compose(*asked) == Extractive().compose(*asked)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"answering in the speakers' own words: OpenaiChat: {url}/chat/completions gave no reply in 2 tries: "
        "[Errno 111] Connection refused; is the server running?"
    )


def test_a_server_that_invents_is_not_believed() -> None:
    asked = question("When does the ferry leave?"), found_material(FERRY[1])
    lies = ("The ferry leaves on Sunday at ten", "The ferry to Dublin leaves on Saturday", "The ferry never leaves on Saturday")
    for lie in lies:
        with chat_server(says(f"{lie} [1].")) as (url, _), started(OpenaiChat(url, "m")) as chat:
            assert chat.compose(*asked) == Extractive().compose(*asked), lie


LIKELIEST = [("Yes", -0.5), (" no", -1.5), ("x", -9.0)]
YES = {"content": [{"top_logprobs": [{"token": token, "logprob": logprob} for token, logprob in LIKELIEST]}]}


def test_the_models_own_judgement_comes_from_the_probabilities_of_yes_and_no() -> None:
    with chat_server(sends(200, completion("Yes", YES))) as (url, asked), started(OpenaiChat(url, "m")) as chat:
        likely = chat.yes_probability(CHAT)
    assert likely == pytest.approx(1 / (1 + math.exp(-1.0)))
    assert (asked[0]["logprobs"], asked[0]["stream"]) == (True, False)


@pytest.mark.parametrize(("words", "likely"), [("Yes.", 1.0), ("no", 0.0), ("**No**", 0.0), ("Not sure", None), ("", None)])
def test_without_probabilities_the_word_counts(words: str, likely: float | None) -> None:
    with chat_server(sends(200, completion(words))) as (url, _), started(OpenaiChat(url, "m")) as chat:
        assert chat.yes_probability(CHAT) == likely


@pytest.mark.parametrize(("verdict", "holds"), [("Yes", True), ("No", False), ("Hm", True)])
def test_a_sentence_that_the_model_itself_does_not_find_in_the_notes_is_dropped(verdict: str, holds: bool) -> None:
    def answers(exchange: Exchange) -> None:
        if "Statement: The ferry leaves on Saturday at half past nine." in exchange.prompt:
            exchange.whole(200, completion(verdict))
        else:
            exchange.stream("The ferry leaves on Saturday at half past nine [1].")

    asked = question("When does the ferry leave?"), found_material(FERRY[1])
    with chat_server(answers) as (url, bodies), started(OpenaiChat(url, "m")) as chat:
        (claim,) = chat.compose(*asked)
    assert len(bodies) == 2
    assert (claim.text == "The ferry leaves on Saturday at half past nine. (speaker-4 (260 degrees), 0:04-0:08)") == holds


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="base_url must begin with http:// or https://, found 'localhost'"):
        OpenaiChat("localhost", "m")
    with pytest.raises(ValueError, match="timeout_s must be over 0 and retries at least 0, found 0 and 2"):
        OpenaiChat("http://x", "m", timeout_s=0)
    with pytest.raises(ValueError, match=r"and max_tokens at least 1, found 3\.0, 0 and 96"):
        OpenaiChat("http://x", "m", first_token_timeout_s=0)
    with pytest.raises(ValueError, match=r"OpenaiChat: least_entailment must be at least 0 \(never asked\) and under 1, found 1"):
        OpenaiChat("http://x", "m", least_entailment=1.0)
    with pytest.raises(ChatError, match=r"OpenaiChat: start\(\) has not been called"):
        OpenaiChat("http://x", "m").reply(CHAT)
