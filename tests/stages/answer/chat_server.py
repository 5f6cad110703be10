"""A real HTTP server on the loopback that answers chat completions as it is told to, well or badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stages.answer.openai_chat import OpenaiChat

Send = Callable[[bytes], None]
Behaviour = Callable[["Exchange"], None]


class Exchange:
    """One request, and ways to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], ended: threading.Event) -> None:
        self.body = body
        self.ended = ended
        self._handler = handler

    @property
    def prompt(self) -> str:
        """What the model is asked last."""
        return str(self.body["messages"][-1]["content"])

    def whole(self, status: int, text: str, kind: str = "application/json", headers: dict[str, str] | None = None) -> None:
        """A response in one piece."""
        data = text.encode()
        self.head(status, kind, {"Content-Length": str(len(data)), **(headers or {})})
        self.send(data)

    def head(self, status: int, kind: str, headers: dict[str, str] | None = None) -> None:
        self._handler.send_response(status)
        for name, value in {"Content-Type": kind, "Connection": "close", **(headers or {})}.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()

    def send(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def stream(self, *pieces: str) -> None:
        """A well-made stream of these pieces of text."""
        self.head(200, "text/event-stream")
        for piece in pieces:
            self.send(chunk(piece))
        self.send(b"data: [DONE]\n\n")


@contextmanager
def chat_server(*behaviours: Behaviour) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers each request with the next behaviour, the last of them again and again; and the bodies it got."""
    asked: list[dict[str, Any]] = []
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body)
            try:
                behaviours[min(len(asked), len(behaviours)) - 1](Exchange(self, body, ended))
            except OSError:
                # Whoever asked has given up, which is what most of these tests are about.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def started(answerer: OpenaiChat) -> Iterator[OpenaiChat]:
    answerer.start()
    answerer.start()
    try:
        yield answerer
    finally:
        answerer.stop()
        answerer.stop()


def chunk(text: str) -> bytes:
    """A piece of a stream as OpenAI sends it."""
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': text}}]})}\n\n".encode()


def completion(content: object, logprobs: object = None) -> str:
    """A whole chat completion."""
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}, "logprobs": logprobs}]})


def says(*pieces: str) -> Behaviour:
    """Streams these pieces."""
    return lambda exchange: exchange.stream(*pieces)


def sends(status: int, text: str, kind: str = "application/json", headers: dict[str, str] | None = None) -> Behaviour:
    """Sends this in one piece."""
    return lambda exchange: exchange.whole(status, text, kind, headers)


def silent(exchange: Exchange) -> None:
    """Never answers."""
    exchange.ended.wait(10)


def stalls(exchange: Exchange) -> None:
    """Begins a stream and says nothing more."""
    exchange.head(200, "text/event-stream")
    exchange.send(chunk("The ferry"))
    exchange.ended.wait(10)


def trickles(exchange: Exchange) -> None:
    """Sends a token now and then, for ever."""
    exchange.head(200, "text/event-stream")
    while not exchange.ended.wait(0.05):
        exchange.send(chunk("a "))


def floods(exchange: Exchange) -> None:
    """Sends tokens without end, as fast as it can."""
    exchange.head(200, "text/event-stream")
    while not exchange.ended.is_set():
        exchange.send(chunk("word " * 20))


def pours(exchange: Exchange) -> None:
    """Sends one line that never ends."""
    exchange.head(200, "text/event-stream")
    while not exchange.ended.is_set():
        exchange.send(b"data: " + b"x" * 4096)


def hangs_up(exchange: Exchange) -> None:
    """Ends the connection in the middle of a stream."""
    exchange.head(200, "text/event-stream", {"Content-Length": "100000"})
    exchange.send(chunk("The ferry leaves"))
