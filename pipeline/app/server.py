"""The daemon's HTTP API, on this machine only unless told otherwise: ask, look, and watch while it hears.

POST /ask {"question": "...", "at": TIME?, "session": ID?, "raw": BOOL?, "facing": DEGREES?}   the JSON of `echoic ask --json`
POST /ask?stream=1 (or Accept: text/event-stream)   the same as server-sent events: draft, worded (any number), final (answer_events.py)
POST /consolidate {}   a round of sleep: {"done": {STEP: ITEMS}, "finished": BOOL}
GET /sessions?at=   GET /events?session=&level=&at=   GET /tracks?session=&at=   the JSON of the commands
GET /healthz    GET /metrics (Prometheus)    /attend: see attention_routes.py
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.app import listing, times
from pipeline.app.answer_audio import add_raw_clips
from pipeline.app.answer_events import event_response, wants_events
from pipeline.app.asking import checked_facing, checked_question, note_recalled
from pipeline.app.attention_routes import attention_routes
from pipeline.app.console import say
from pipeline.app.failures import CALLER, CallerError, exit_code, message
from pipeline.app.open_memory import known_session, start_of
from pipeline.app.request_body import json_body
from stages.recall.answer_parts import AnswerPart, Final

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory
    from stages.memory.sleeping.sleep import Slept
    from stages.recall.recall import Recall

_STOP_S = 5.0
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Asked:
    """A question that can be answered, and as of when."""

    recall: Recall
    question: str
    at: datetime | None
    facing_deg: float | None


class Desk:
    """What the API speaks for: the live memory and recall, and the daemon's own state."""

    def __init__(
        self,
        memory: LongTermMemory,
        recall: Recall | None,
        health: Callable[[], dict[str, Any]],
        metrics: Callable[[], bytes],
        consolidate: Callable[[], Slept],
    ) -> None:
        self.memory = memory
        self.recall = recall
        self.health = health
        self.metrics = metrics
        self.consolidate = consolidate
        self._one_at_a_time = threading.Lock()

    def asked(self, body: Any) -> Asked:
        """What the body of a POST /ask asks. Raises CallerError."""
        if not isinstance(body, dict) or not isinstance(body.get("question"), str):
            raise CallerError('the body must be JSON such as {"question": "What did I miss?"}, with "at" and "session" if needed')
        unknown = sorted(set(body) - {"question", "at", "session", "raw", "facing"})
        if unknown:
            raise CallerError(f"the body has {', '.join(unknown)}; allowed are question, at, session, raw, facing")
        at, session = body.get("at"), body.get("session")
        if not all(value is None or isinstance(value, str) for value in (at, session)):
            raise CallerError('"at" and "session" must be text')
        if not isinstance(body.get("raw", False), bool):
            raise CallerError('"raw" must be true or false')
        question = checked_question(body["question"])
        facing_deg = None if body.get("facing") is None else checked_facing(body["facing"], '"facing"')
        if self.recall is None:
            raise CallerError("the daemon's graph has no recall under resources:, so nothing can be asked; see configs/live.yaml for one")
        moment = times.parse_moment(at, "at", lambda: start_of(self.memory, session)) if at else None
        return Asked(self.recall, question, moment, facing_deg)

    def parts(self, asked: Asked) -> Iterator[AnswerPart]:
        """The answer part by part. One question at a time: the parts must be read to their end, in one thread."""
        with self._one_at_a_time:
            for part in asked.recall.ask_stream(asked.question, at=asked.at, now=times.now(), facing_deg=asked.facing_deg):
                if isinstance(part, Final):
                    note_recalled(self.memory, part.to_json())
                yield part

    def ask(self, body: Any) -> dict[str, Any]:
        """Answer the body of a POST /ask. Raises CallerError."""
        *_, final = self.parts(self.asked(body))
        answer = final.to_json()
        if body.get("raw"):
            add_raw_clips(answer, self.memory)
        return answer


def make_app(desk: Desk, host: str) -> Starlette:
    """The routes. Requests that name another host are refused, so that no web page can reach the daemon by a name of its own."""

    async def ask(request: Request) -> Response:
        body = await json_body(request)
        if wants_events(request):
            asked = await _in_thread(lambda: desk.asked(body))
            if body.get("raw"):
                raise CallerError('"raw" is not sent as events; leave it out, or ask without ?stream=1')
            return event_response(lambda: desk.parts(asked))
        return JSONResponse(await _in_thread(lambda: desk.ask(body)))

    async def consolidate(_: Request) -> Response:
        def work() -> dict[str, Any]:
            slept = desk.consolidate()
            return {"done": slept.done, "finished": slept.finished}

        return JSONResponse(await _in_thread(work))

    def sessions(request: Request) -> Response:
        return JSONResponse(listing.sessions(desk.memory, _moment(desk, request)))

    def events(request: Request) -> Response:
        level = request.query_params.get("level", "event")
        if level not in listing.LEVELS:
            raise CallerError(f"level is {level!r}; allowed are {', '.join(listing.LEVELS)}")
        return JSONResponse(listing.events(desk.memory, _session(desk, request), level, at=_moment(desk, request)))

    def tracks(request: Request) -> Response:
        return JSONResponse(listing.tracks(desk.memory, _session(desk, request), _moment(desk, request)))

    def healthz(_: Request) -> Response:
        health = desk.health()
        return JSONResponse(health, 200 if health["status"] == "ok" else 503)

    def metrics(_: Request) -> Response:
        return Response(desk.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    allowed = ["*"] if host in {"0.0.0.0", "::"} else [host, "localhost", "127.0.0.1", "[::1]"]
    return Starlette(
        routes=[
            Route("/ask", ask, methods=["POST"]),
            Route("/consolidate", consolidate, methods=["POST"]),
            Route("/sessions", sessions),
            Route("/events", events),
            Route("/tracks", tracks),
            Route("/healthz", healthz),
            Route("/metrics", metrics),
            *attention_routes(desk.memory),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=allowed)],
        exception_handlers={Exception: _failed, CallerError: _failed, HTTPException: _refused},
    )


def _session(desk: Desk, request: Request) -> str | None:
    session = request.query_params.get("session")
    return known_session(desk.memory, session) if session else None


def _moment(desk: Desk, request: Request) -> datetime | None:
    at = request.query_params.get("at")
    return times.parse_moment(at, "at", lambda: start_of(desk.memory, _session(desk, request))) if at else None


async def _in_thread(work: Callable[[], _Result]) -> _Result:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(work)


def _failed(request: Request, error: Exception) -> Response:
    told = message(error).encode(errors="replace").decode()
    if exit_code(error) == CALLER:
        return JSONResponse({"error": told}, 400)
    if not isinstance(error, ClientDisconnect):
        say(f"{request.method} {request.url.path}: {told}")
    return JSONResponse({"error": told}, 500)


def _refused(_: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    return JSONResponse({"error": f"{getattr(error, 'detail', error)}; see pipeline/app/README.md for what can be asked"}, status)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket (port 0: any free one). Raises CallerError where the address cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise CallerError(f"--host {host}: {error.strerror or error}; give an address of this machine, such as 127.0.0.1") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen()
    except OSError as error:
        bound.close()
        raise CallerError(
            f"--port {port}: cannot listen on {host}:{port} ({error.strerror}); give another with --port, or 0 for any"
        ) from error
    return bound


class Server:
    """Serves an app from a thread of its own."""

    def __init__(self, app: Starlette, bound: socket.socket) -> None:
        host, port = bound.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._socket = bound
        # "critical", because "error" prints a traceback for every 500; what failed is said in one line instead.
        config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [bound]}, name="echoic-http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, then let go of the port."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_S)
        self._socket.close()
