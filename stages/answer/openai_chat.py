"""Answers worded by any server that speaks OpenAI's chat completions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.clock import elapsed_ns
from pipeline.packets import NS_PER_S
from stages.answer.chat_answerer import ChatAnswerer, ChatError, yes_or_no
from stages.answer.completion import CompletionError, parsed, piece_text, whole_text, yes_share
from stages.answer.event_stream import EventStreamError, event_data
from stages.memory.text_encoder import TextEncoder

_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 2.0
_MOST_CHARACTERS_PER_TOKEN = 16
_FRAME_CHARACTERS = 600
_LARGEST_REPLY_BYTES = 2**18
_MOST_LOGPROBS = 10


class _AgainError(Exception):
    """A try failed in a way that another one may not; the message says how, `wait_s` how long the server asks to be left alone."""

    def __init__(self, fault: str, wait_s: float = 0.0) -> None:
        super().__init__(fault)
        self.wait_s = wait_s


class OpenaiChat(ChatAnswerer):
    """Asks `base_url`/chat/completions. The key comes only from the environment variable that `key_variable` names ("" for none).

    Replies are read as they stream. `connect_timeout_s` bounds the way to the server, `first_token_timeout_s` the silence before the
    first token (and between two), `timeout_s` a whole reply with all its tries. `retries` is how many more tries there are when the
    server is busy (408, 429, 5xx), cannot be reached or is too slow, with waits that double from 0.2 s.
    What leaves this machine are the question and the few lines that answer it; with a `base_url` on this machine nothing does.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        encoder: TextEncoder | None = None,
        key_variable: str = "",
        connect_timeout_s: float = 3.0,
        first_token_timeout_s: float = 15.0,
        timeout_s: float = 30.0,
        retries: int = 2,
        max_tokens: int = 96,
        most_worded: int = 3,
        most_notes_tokens: int = 800,
        least_entailment: float = 0.5,
        restates: bool = True,
        judges: bool = False,
    ) -> None:
        super().__init__(encoder, most_worded, most_notes_tokens, least_entailment, restates=restates, judges=judges)
        if not base_url.startswith(("http://", "https://")):
            raise ValueError(
                f"OpenaiChat: base_url must begin with http:// or https://, found {base_url!r}; for example http://127.0.0.1:8080/v1"
            )
        if timeout_s <= 0 or retries < 0:
            raise ValueError(f"OpenaiChat: timeout_s must be over 0 and retries at least 0, found {timeout_s} and {retries}")
        if connect_timeout_s <= 0 or first_token_timeout_s <= 0 or max_tokens < 1:
            raise ValueError(
                "OpenaiChat: connect_timeout_s and first_token_timeout_s must be over 0 and max_tokens at least 1, "
                f"found {connect_timeout_s}, {first_token_timeout_s} and {max_tokens}"
            )
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.key_variable = key_variable
        self.connect_timeout_s = connect_timeout_s
        self.first_token_timeout_s = first_token_timeout_s
        self.timeout_s = timeout_s
        self.retries = retries
        self.max_tokens = max_tokens
        self._client: Any = None

    @property
    def url(self) -> str:
        """Where it asks."""
        return f"{self.base_url}/chat/completions"

    def start(self) -> None:
        """Make the client; nothing is sent yet. Raises ChatError where the key's variable is not set."""
        if self._client is not None:
            return
        headers = {}
        if self.key_variable:
            key = os.environ.get(self.key_variable, "")
            if not key:
                raise ChatError(
                    f"OpenaiChat: the environment variable {self.key_variable} is not set; set it to the key of {self.base_url}"
                )
            headers["Authorization"] = f"Bearer {key}"
        import httpx

        timeout = httpx.Timeout(min(self.first_token_timeout_s, self.timeout_s), connect=min(self.connect_timeout_s, self.timeout_s))
        self._client = httpx.Client(headers=headers, timeout=timeout)

    def stop(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        """One reply. Raises ChatError when the server is down, too slow, refuses, never ends, or sends no chat completion."""
        return str(self._asked({**self._body(chat, self.max_tokens), "stream": True}, self._read_text))

    def yes_probability(self, chat: Sequence[Mapping[str, str]]) -> float | None:
        """By the probabilities of the first token where the server gives them, else by the word. Raises ChatError as `reply` does."""
        body = {**self._body(chat, 2), "stream": False, "logprobs": True, "top_logprobs": _MOST_LOGPROBS}
        data = self._asked(body, self._read_whole)
        share = yes_share(data)
        return share if share is not None else yes_or_no(whole_text(data))

    def _body(self, chat: Sequence[Mapping[str, str]], max_tokens: int) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": [dict(message) for message in chat],
            "max_tokens": max_tokens,
            "temperature": 0.0,
        }

    def _asked(self, body: Mapping[str, Any], read: Callable[[Any, int], Any]) -> Any:
        """What `read` makes of the response, tried again where that may help, all within `timeout_s`."""
        if self._client is None:
            raise ChatError("OpenaiChat: start() has not been called")
        deadline_ns = elapsed_ns() + round(self.timeout_s * NS_PER_S)
        n_tries = 0
        while True:
            n_tries += 1
            try:
                return self._tried(body, read, deadline_ns)
            except _AgainError as error:
                fault, wait_s = error, max(_FIRST_WAIT_S * 2 ** (n_tries - 1), error.wait_s)
            except (CompletionError, EventStreamError) as error:
                raise ChatError(f"OpenaiChat: {self.url} sent {error}") from error
            if n_tries > self.retries or elapsed_ns() + wait_s * NS_PER_S >= deadline_ns:
                raise ChatError(f"OpenaiChat: {self.url} gave no reply in {n_tries} {'try' if n_tries == 1 else 'tries'}: {fault}")
            time.sleep(wait_s)

    def _tried(self, body: Mapping[str, Any], read: Callable[[Any, int], Any], deadline_ns: int) -> Any:
        import httpx

        try:
            with self._client.stream("POST", self.url, json=body) as response:
                if response.status_code == 200:
                    return read(response, deadline_ns)
                text = self._some(response, deadline_ns)
                if response.status_code in _AGAIN:
                    raise _AgainError(f"HTTP {response.status_code}: {text}", _asked_wait_s(response.headers.get("Retry-After", "")))
                hint = "; check the key" if response.status_code in {401, 403} else ""
                raise ChatError(f"OpenaiChat: {self.url} refused: HTTP {response.status_code}{hint}: {text}")
        except httpx.ConnectTimeout as error:
            raise _AgainError(f"no connection within {self.connect_timeout_s:g} s; is the server running?") from error
        except httpx.TimeoutException as error:
            wait_s = min(self.first_token_timeout_s, self.timeout_s)
            raise _AgainError(f"nothing came for {wait_s:g} s; raise first_token_timeout_s or take a smaller model") from error
        except httpx.HTTPError as error:
            raise _AgainError(f"{error}; is the server running?") from error

    def _read_text(self, response: Any, deadline_ns: int) -> str:
        """The text of a reply: of a stream of events, or of a server that sends it whole although a stream was asked for."""
        if "text/event-stream" not in response.headers.get("Content-Type", ""):
            return whole_text(self._read_whole(response, deadline_ns))
        most = self.max_tokens * _FRAME_CHARACTERS
        parts: list[str] = []
        n_characters = 0
        for data in event_data(self._chunks(response, deadline_ns), most):
            if data.strip() == "[DONE]":
                break
            parts.append(piece_text(parsed(data)))
            n_characters += len(parts[-1])
            if n_characters > self.max_tokens * _MOST_CHARACTERS_PER_TOKEN:
                raise EventStreamError(f"{n_characters} characters, though max_tokens is {self.max_tokens}")
        else:
            if not parts:
                raise EventStreamError("a stream without events")
        return "".join(parts)

    def _read_whole(self, response: Any, deadline_ns: int) -> dict[str, Any]:
        pieces: list[str] = []
        n_read = 0
        for chunk in self._chunks(response, deadline_ns):
            pieces.append(chunk)
            n_read += len(chunk)
            if n_read > _LARGEST_REPLY_BYTES:
                raise EventStreamError(f"more than {_LARGEST_REPLY_BYTES} characters and no end")
        return parsed("".join(pieces))

    def _some(self, response: Any, deadline_ns: int) -> str:
        """The beginning of what a server says about a failure."""
        text = ""
        for chunk in self._chunks(response, deadline_ns):
            text += chunk
            if len(text) >= 200:
                break
        return text[:200]

    def _chunks(self, response: Any, deadline_ns: int) -> Any:
        for chunk in response.iter_text():
            if elapsed_ns() >= deadline_ns:
                raise _AgainError(f"no whole reply within {self.timeout_s:g} s; raise timeout_s or take a smaller model")
            yield chunk


def _asked_wait_s(header: str) -> float:
    """How long a server asks to be left alone, as far as anybody would wait for an answer."""
    return min(float(header), _LONGEST_WAIT_S) if header.strip().isdecimal() else 0.0
