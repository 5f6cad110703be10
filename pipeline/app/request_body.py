"""The JSON that a request carries, read within bounds."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from pipeline.app.failures import CallerError

_MAX_BODY_BYTES = 64 * 1024


async def json_body(request: Request) -> Any:
    """The body of a request. Raises CallerError where it is too large, no JSON, nested too deeply, or holds half of a character."""
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
    return body
