"""An answer as server-sent events, the first words at once.

event draft: the JSON of `echoic ask --json` so far, which is the extractive answer without clips
event worded: {"place": 0, "claim": {...}}, which takes the place of that claim of the draft
event final: the JSON of `echoic ask --json`
event error: {"error": "..."}, where the answer could not be brought to its end
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pipeline.app.console import say
from pipeline.app.failures import message
from pipeline.safe_json import safe_json
from stages.recall.answer_parts import AnswerPart

EVENT_STREAM = "text/event-stream"


def wants_events(request: Request) -> bool:
    """Whether a request asks for events: with ?stream=1, or by what it accepts."""
    return request.query_params.get("stream") in {"1", "true"} or EVENT_STREAM in request.headers.get("accept", "")


def event(name: str, data: dict[str, Any]) -> str:
    """One event. JSON has no line ends, so its data is one line."""
    return f"event: {name}\ndata: {safe_json(data)}\n\n"


def event_response(parts: Callable[[], Iterator[AnswerPart]]) -> Response:
    """A response that tells each part as it comes.

    The answer is made to its end in a thread of its own, also where the reader has gone: whatever it holds is let go in that thread.
    """
    return StreamingResponse(_events(parts), media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"})


async def _events(parts: Callable[[], Iterator[AnswerPart]]) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[str | None] = asyncio.Queue()

    def tell(text: str | None) -> None:
        # Where the reader has gone and the server has stopped, nobody is there to tell.
        if not loop.is_closed():
            loop.call_soon_threadsafe(told.put_nowait, text)

    def work() -> None:
        try:
            for part in parts():
                tell(event(type(part).__name__.lower(), part.to_json()))
        except Exception as error:  # the boundary of the thread: whatever failed is told to the reader and on stderr, never lost
            say(f"POST /ask: {message(error)}")
            tell(event("error", {"error": message(error)}))
        finally:
            tell(None)

    threading.Thread(target=work, name="echoic-ask", daemon=True).start()
    while (text := await told.get()) is not None:
        yield text
