"""Answers worded by any server that speaks OpenAI's chat completions."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from stages.answer.chat_answerer import ChatAnswerer, ChatError
from stages.memory.text_encoder import TextEncoder

_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_FIRST_WAIT_S = 0.2


class OpenaiChat(ChatAnswerer):
    """Asks `base_url`/chat/completions. The key comes only from the environment variable that `key_variable` names ("" for none).

    `timeout_s` bounds each try, `retries` is how many more there are when the server is busy or cannot be reached. What leaves
    this machine are the
    question and the few lines that answer it; with a `base_url` on this machine nothing does.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        encoder: TextEncoder | None = None,
        key_variable: str = "",
        timeout_s: float = 30.0,
        retries: int = 2,
        max_tokens: int = 96,
        most_worded: int = 3,
    ) -> None:
        super().__init__(encoder, most_worded)
        if not base_url.startswith(("http://", "https://")):
            raise ValueError(
                f"OpenaiChat: base_url must begin with http:// or https://, found {base_url!r}; for example http://127.0.0.1:8080/v1"
            )
        if timeout_s <= 0 or retries < 0:
            raise ValueError(f"OpenaiChat: timeout_s must be over 0 and retries at least 0, found {timeout_s} and {retries}")
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.key_variable = key_variable
        self.timeout_s = timeout_s
        self.retries = retries
        self.max_tokens = max_tokens
        self._client: Any = None

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

        self._client = httpx.Client(headers=headers, timeout=self.timeout_s)

    def stop(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        """One reply. Raises ChatError when the server is down, too slow, refuses, or sends something else than a chat completion."""
        if self._client is None:
            raise ChatError("OpenaiChat: start() has not been called")
        import httpx

        body = {
            "model": self.model,
            "messages": [dict(message) for message in chat],
            "max_tokens": self.max_tokens,
            "temperature": 0.0,
            "stream": False,
        }
        url = f"{self.base_url}/chat/completions"
        fault = ""
        for turn in range(self.retries + 1):
            if turn:
                time.sleep(_FIRST_WAIT_S * 2 ** (turn - 1))
            try:
                response = self._client.post(url, json=body)
            except httpx.TimeoutException:
                fault = f"no reply within {self.timeout_s:g} s; raise timeout_s or take a smaller model"
                continue
            except httpx.HTTPError as error:
                fault = f"{error}; is the server running?"
                continue
            if response.status_code in _AGAIN:
                fault = f"HTTP {response.status_code}: {response.text[:200]}"
                continue
            if response.status_code != 200:
                hint = "; check the key" if response.status_code in {401, 403} else ""
                raise ChatError(f"OpenaiChat: {url} refused: HTTP {response.status_code}{hint}: {response.text[:200]}")
            return self._content(response, url)
        raise ChatError(f"OpenaiChat: {url} gave no reply in {self.retries + 1} tries: {fault}")

    def _content(self, response: Any, url: str) -> str:
        try:
            content = response.json()["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise ChatError(f"OpenaiChat: {url} sent no chat completion: {response.text[:200]}") from error
        if not isinstance(content, str):
            raise ChatError(f"OpenaiChat: {url} sent a reply without text: {response.text[:200]}")
        return content
