"""daemon.json: how other processes find the daemon that holds a memory, and speak to it."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.app.failures import CallerError, WorkError
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.durable import write_whole

_PROBE_S = 1.0
_ANSWER_S = 300.0


@dataclass(frozen=True)
class DaemonFile:
    """What a daemon says about itself."""

    pid: int
    url: str

    def write(self, memory: MemoryDirectory) -> None:
        """Announce the daemon, once it listens."""
        write_whole(memory.daemon_file, json.dumps(asdict(self)).encode() + b"\n")

    def remove(self, memory: MemoryDirectory) -> None:
        """Take the announcement back, if it is still this daemon's own."""
        if _read(memory) == self:
            memory.daemon_file.unlink(missing_ok=True)


class DaemonGoneError(WorkError):
    """The daemon does not answer any more: it has ended since it was found."""


def running_daemon(memory: MemoryDirectory) -> DaemonFile | None:
    """The daemon that answers for a memory now: its process lives, and its HTTP API is the one of this memory.

    A file that a killed daemon left behind counts for nothing.
    """
    found = _read(memory)
    if found is None or not _lives(found.pid):
        return None
    try:
        status, body = _request(found.url, "GET", "/healthz", None, _PROBE_S)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return found if status in {200, 503} and isinstance(body, dict) and body.get("pid") == found.pid else None


def call(daemon: DaemonFile, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the daemon answers. Raises CallerError where it refuses the request, DaemonGoneError or WorkError where it cannot answer."""
    try:
        status, answer = _request(daemon.url, method, path, body, _ANSWER_S)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DaemonGoneError(f"the daemon (process {daemon.pid}, {daemon.url}) did not answer: {error}; ask again") from error
    if status == 200:
        return answer
    raise _refusal(daemon, status, answer)


def events(daemon: DaemonFile, path: str, body: dict[str, Any]) -> Generator[tuple[str, Any], None, None]:
    """The server-sent events that a daemon answers a POST with, as they come: their names and their JSON. Raises as `call` does."""
    where = urlsplit(daemon.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=_ANSWER_S)
    try:
        connection.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise _refusal(daemon, response.status, json.loads(response.read()))
        name = ""
        while line := response.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)
    except (OSError, http.client.HTTPException) as error:
        raise DaemonGoneError(f"the daemon (process {daemon.pid}, {daemon.url}) did not answer: {error}; ask again") from error
    finally:
        connection.close()


def _refusal(daemon: DaemonFile, status: int, answer: Any) -> CallerError | WorkError:
    found = answer.get("error", answer) if isinstance(answer, dict) else answer
    if 400 <= status < 500:
        return CallerError(str(found))
    return WorkError(f"the daemon (process {daemon.pid}, {daemon.url}) failed: {found}")


def _request(url: str, method: str, path: str, body: dict[str, Any] | None, timeout_s: float) -> tuple[int, Any]:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=timeout_s)
    try:
        data = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def _read(memory: MemoryDirectory) -> DaemonFile | None:
    try:
        data = json.loads(memory.daemon_file.read_text(encoding="utf-8"))
        return DaemonFile(int(data["pid"]), str(data["url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
