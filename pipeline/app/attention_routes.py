"""What was followed, over HTTP.

GET /attend?at=   the JSON of `echoic attend --list --json`
POST /attend {"topic": "dogs", "from": TIME?, "to": TIME?, "session": ID?}   (or azimuth, speaker, nothing, away with reason)
POST /attend {"schedule": [...]}   several, all or none    POST /attend {"clear": ID}   takes one back
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.app import times
from pipeline.app.attention_input import attention_json, declare
from pipeline.app.open_memory import start_of
from pipeline.app.request_body import json_body

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory


def attention_routes(memory: LongTermMemory) -> list[Route]:
    """The routes of /attend for a memory that is open for writing."""

    async def post(request: Request) -> Response:
        body = await json_body(request)
        return JSONResponse(await run_in_threadpool(lambda: declare(memory, body, times.now())))

    def get(request: Request) -> Response:
        at = request.query_params.get("at")
        moment = times.parse_moment(at, "at", lambda: start_of(memory, None)) if at else None
        return JSONResponse([attention_json(row) for row in memory.attention.rows(at=moment)])

    return [Route("/attend", post, methods=["POST"]), Route("/attend", get, methods=["GET"])]
