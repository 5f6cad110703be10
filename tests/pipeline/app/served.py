"""The daemon's HTTP API over a memory, without anything that listens to a room."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.app.memory_directory import directory_to_read
from pipeline.app.open_memory import recall_to_ask
from pipeline.app.server import Desk, Server, listen, make_app


@contextmanager
def serving(memory: Path) -> Iterator[str]:
    """The URL of the API, served in this process."""
    with recall_to_ask(directory_to_read(memory)) as (recall, long_term, _):
        bound = listen("127.0.0.1", 0)
        desk = Desk(long_term, recall, dict, bytes, lambda: pytest.fail("nobody asks for sleep"))
        server = Server(make_app(desk, "127.0.0.1"), bound)
        server.start()
        try:
            yield server.url
        finally:
            server.stop()
            for thread in [thread for thread in threading.enumerate() if thread.name == "echoic-ask"]:
                thread.join(10)


def without_times(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without how long it took."""
    return {name: value for name, value in answer.items() if name != "timing_ms"}
