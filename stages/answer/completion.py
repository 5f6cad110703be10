"""What a chat completion says: OpenAI's JSON, whole or in pieces, as servers and xllamacpp give it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import exp
from typing import Any


class CompletionError(ValueError):
    """A reply that is no chat completion; the message shows what was found."""


def parsed(text: str) -> dict[str, Any]:
    """JSON that must be an object. Raises CompletionError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CompletionError(f"no JSON: {text[:200]}") from error
    if not isinstance(data, dict):
        raise CompletionError(f"no JSON object: {text[:200]}")
    if data.get("error") is not None:
        raise CompletionError(f"an error: {error_text(data)}")
    return data


def error_text(data: Mapping[str, Any]) -> str:
    """What the server says is wrong, in at most 200 characters."""
    error = data.get("error")
    found = error.get("message", error) if isinstance(error, Mapping) else error
    return str(found)[:200]


def whole_text(data: Mapping[str, Any]) -> str:
    """The text of a whole completion. Raises CompletionError."""
    content = _part(data, "message")
    if not isinstance(content, str):
        raise CompletionError(f"no text: {json.dumps(data)[:200]}")
    return content


def piece_text(data: Mapping[str, Any]) -> str:
    """The text of one piece of a stream: empty where it only tells the role, the end or the usage. Raises CompletionError."""
    if data.get("choices") == []:
        return ""
    content = _part(data, "delta")
    if content is not None and not isinstance(content, str):
        raise CompletionError(f"no text: {json.dumps(data)[:200]}")
    return content or ""


def yes_share(data: Mapping[str, Any]) -> float | None:
    """P(Yes) / (P(Yes) + P(No)) for the first token of a whole completion with `logprobs`, forms of each word added up.

    None where the server gave no logprobs, or neither word is among its likeliest.
    """
    try:
        likeliest = data["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        shares = {"yes": 0.0, "no": 0.0}
        for entry in likeliest:
            word = str(entry["token"]).strip().lower()
            if word in shares:
                shares[word] += exp(min(0.0, float(entry["logprob"])))
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    total = sum(shares.values())
    return shares["yes"] / total if total > 0 else None


def _part(data: Mapping[str, Any], name: str) -> Any:
    try:
        return data["choices"][0][name].get("content")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise CompletionError(f"no chat completion: {json.dumps(data)[:200]}") from error
