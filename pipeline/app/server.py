"""The daemon's HTTP API, on this machine only unless told otherwise: ask, look, and watch while it hears.

POST /ask {"question": "...", "at": TIME?, "session": ID?, "facing": DEGREES?}   the JSON of `echoic ask --json`
POST /consolidate {}   a round of sleep: {"done": {STEP: ITEMS}, "finished": BOOL}
GET /sessions?at=   GET /events?session=&level=&at=   GET /tracks?session=&at=   the JSON of the commands
GET /healthz    GET /metrics (Prometheus)
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.app import listing, times
from pipeline.app.asking import checked_facing, checked_question, note_recalled
from pipeline.app.console import say
from pipeline.app.failures import CALLER, CallerError, exit_code, message
from pipeline.app.open_memory import known_session, start_of

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory
    from stages.memory.sleeping.sleep import Slept
    from stages.recall.recall import Recall

_MAX_BODY_BYTES = 64 * 1024
_STOP_S = 5.0


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

    def ask(self, body: Any) -> dict[str, Any]:
        """Answer the body of a POST /ask. Raises CallerError."""
        if not isinstance(body, dict) or not isinstance(body.get("question"), str):
            raise CallerError('the body must be JSON such as {"question": "What did I miss?"}, with "at" and "session" if needed')
        unknown = sorted(set(body) - {"question", "at", "session", "facing"})
        if unknown:
            raise CallerError(f"the body has {', '.join(unknown)}; allowed are question, at, session, facing")
        at, session = body.get("at"), body.get("session")
        if not all(value is None or isinstance(value, str) for value in (at, session)):
            raise CallerError('"at" and "session" must be text')
        question = checked_question(body["question"])
        facing_deg = None if body.get("facing") is None else checked_facing(body["facing"], '"facing"')
        if self.recall is None:
            raise CallerError("the daemon's graph has no recall under resources:, so nothing can be asked; see configs/live.yaml for one")
        moment = times.parse_moment(at, "at", lambda: start_of(self.memory, session)) if at else None
        with self._one_at_a_time:
            answer = self.recall.ask(question, at=moment, now=times.now(), facing_deg=facing_deg).to_json()
        note_recalled(self.memory, answer)
        return answer


def make_app(desk: Desk, host: str) -> Starlette:
    """The routes. Requests that name another host are refused, so that no web page can reach the daemon by a name of its own."""

    async def ask(request: Request) -> Response:
        raw = await request.body()
        if len(raw) > _MAX_BODY_BYTES:
            raise CallerError(f"the body has {len(raw)} bytes; at most {_MAX_BODY_BYTES} are allowed")
        try:
            body = json.loads(raw)
            # Half of a pair is no character: it could neither be searched for nor be written into the answer.
            json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise CallerError("the body holds half of a surrogate pair; give whole characters") from error
        except ValueError as error:
            raise CallerError(f"the body is not JSON: {error}") from error
        except RecursionError as error:
            raise CallerError("the body is nested too deeply") from error
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


async def _in_thread(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
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
