"""Answers worded by a local model through llama.cpp, in this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from stages.answer.chat_answerer import ChatAnswerer, ChatError
from stages.memory.text_encoder import TextEncoder

_MOST_NOTES_TOKENS = 512


class LlamaCpp(ChatAnswerer):
    """A GGUF model through xllamacpp, small enough for two cores.

    `model` is the name of a file of the catalogue or the path of a .gguf; `context_tokens` bounds memory and time; `device`
    "cuda:0" puts all layers on the GPU.
    """

    weights: ClassVar[tuple[str, ...]] = ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",)

    def __init__(
        self,
        encoder: TextEncoder | None = None,
        model: str = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        context_tokens: int = 2048,
        max_tokens: int = 64,
        n_threads: int = 2,
        most_worded: int = 3,
        device: str = "cpu",
    ) -> None:
        super().__init__(encoder, most_worded)
        if context_tokens < max_tokens + _MOST_NOTES_TOKENS:
            raise ValueError(
                f"LlamaCpp: context_tokens must be at least max_tokens + {_MOST_NOTES_TOKENS} = {max_tokens + _MOST_NOTES_TOKENS}, "
                f"found {context_tokens}"
            )
        self.model = model
        self.context_tokens = context_tokens
        self.max_tokens = max_tokens
        self.n_threads = n_threads
        self.device = device
        self._server: Any = None
        self._one_at_a_time = threading.Lock()

    def start(self) -> None:
        """Load the model. Raises WeightsError naming the command that fetches it, or ChatError where it does not load."""
        if self._server is not None:
            return
        path = self._path()
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx = self.context_tokens
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = self.n_threads
        parameters.cpuparams_batch.n_threads = self.n_threads
        # Threads that spin while they wait would take the cores from the rest of the graph.
        parameters.cpuparams.poll = 0
        parameters.cpuparams_batch.poll = 0
        parameters.n_gpu_layers = 999 if self.device.startswith("cuda") else 0
        parameters.warmup = False
        parameters.verbosity = 0
        try:
            self._server = xllamacpp.Server(parameters)
        except RuntimeError as error:
            raise ChatError(f"LlamaCpp: {path} does not load: {error}; give another .gguf file as model") from error

    def stop(self) -> None:
        """Let go of the model."""
        self._server = None

    def memory_bytes(self) -> int:
        """The file, and the cache of a full context (12 KiB a token in the small Qwen model)."""
        try:
            size = self._path().stat().st_size
        except (OSError, RuntimeError, ValueError):  # not fetched yet: the loader says so when it starts
            size = 500 * 2**20
        return size + self.context_tokens * 12 * 2**10 + 100 * 2**20

    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        """One reply, always the likeliest words."""
        if self._server is None:
            raise ChatError("LlamaCpp: start() has not been called")
        with self._one_at_a_time:
            answer = self._server.handle_chat_completions(
                {
                    "messages": [dict(message) for message in chat],
                    "max_tokens": self.max_tokens,
                    "temperature": 0.0,
                    "seed": 0,
                    "cache_prompt": True,
                }
            )
        data = json.loads(answer) if isinstance(answer, str | bytes) else answer
        try:
            return str(data["choices"][0]["message"]["content"])
        except (KeyError, IndexError, TypeError) as error:
            raise ChatError(f"LlamaCpp: {self.model} gave no reply: {str(data)[:200]}") from error

    def _path(self) -> Path:
        if self.model.endswith(".gguf") and Path(self.model).is_file():
            return Path(self.model)
        from models.weights import path_of

        return path_of(self.model)
