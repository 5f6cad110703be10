"""Answers worded by a local model through llama.cpp, in this process."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from stages.answer.chat_answerer import ChatAnswerer, ChatError, yes_or_no
from stages.answer.completion import CompletionError, parsed, whole_text, yes_share
from stages.answer.gpu_layers import gpu_layers
from stages.answer.prompt import messages
from stages.memory.text_encoder import TextEncoder

_log = logging.getLogger(__name__)

_PROMPT_TOKENS = 240
"""At least what everything but the notes takes: the system message, the question, the template."""
_MAGIC = b"GGUF"
_MOST_LOGPROBS = 10


class LlamaCpp(ChatAnswerer):
    """A GGUF model through xllamacpp, small enough for two cores.

    `model` is the name of a file of the catalogue or the path of a .gguf ("~" is the user's home); `context_tokens` bounds memory and
    time, and with it `most_notes_tokens` what the model reads for a claim; `device` "cuda:0" puts all layers on the GPU, or none and
    says so where it has no room. The model is loaded at the first revision, or by `prepare`. Its cache keeps the longest common
    beginning of prompts: the system message, and the notes while they are the same.
    """

    weights: ClassVar[tuple[str, ...]] = ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",)

    def __init__(
        self,
        encoder: TextEncoder | None = None,
        model: str = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        context_tokens: int = 1024,
        max_tokens: int = 64,
        n_threads: int = 2,
        most_worded: int = 3,
        most_notes_tokens: int = 400,
        least_entailment: float = 0.0,
        restates: bool = False,
        judges: bool = False,
        device: str = "cpu",
    ) -> None:
        super().__init__(encoder, most_worded, most_notes_tokens, least_entailment, restates=restates, judges=judges)
        least = max_tokens + most_notes_tokens + _PROMPT_TOKENS
        if context_tokens < least:
            raise ValueError(
                f"LlamaCpp: context_tokens must be at least max_tokens + most_notes_tokens + {_PROMPT_TOKENS} = {least}, "
                f"found {context_tokens}"
            )
        self.model = model
        self.context_tokens = context_tokens
        self.max_tokens = max_tokens
        self.n_threads = n_threads
        self.device = device
        self._path: Path | None = None
        self._server: Any = None
        self._fault: str | None = None
        self._one_at_a_time = threading.Lock()

    def start(self) -> None:
        """Find the model. Raises WeightsError naming the command that fetches it, or ChatError where the file is no model."""
        if self._path is not None:
            return
        path = self._file()
        with path.open("rb") as file:
            begin = file.read(len(_MAGIC))
        if begin != _MAGIC:
            raise ChatError(f"LlamaCpp: {path} is no model: it begins with {begin!r}, not with GGUF; give another .gguf file as model")
        self._path = path

    def stop(self) -> None:
        """Let go of the model."""
        with self._one_at_a_time:
            self._server = None
            self._path = None
            self._fault = None

    def prepare(self) -> None:
        """Load the model and let it read what every prompt begins with. A model that does not load is told in the log."""
        try:
            self._complete(messages("Question: Who speaks?", ()), 1)
        except ChatError as error:
            _log.warning("answers will be in the speakers' own words: %s", error)

    def memory_bytes(self) -> int:
        """The file, and the cache of a full context (12 KiB a token in the small Qwen model)."""
        try:
            size = self._file().stat().st_size
        except (OSError, RuntimeError, ValueError):  # not fetched yet: the loader says so when it starts
            size = 500 * 2**20
        return size + self.context_tokens * 12 * 2**10 + 100 * 2**20

    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        """One reply, always the likeliest words. Raises ChatError where the model does not load or gives none."""
        try:
            return whole_text(self._complete(chat, self.max_tokens))
        except CompletionError as error:
            raise ChatError(f"LlamaCpp: {self.model} gave no reply: {error}") from error

    def yes_probability(self, chat: Sequence[Mapping[str, str]]) -> float | None:
        """By the probabilities of the first token. Raises ChatError as `reply` does."""
        data = self._complete(chat, 1, logprobs=True, top_logprobs=_MOST_LOGPROBS)
        share = yes_share(data)
        return share if share is not None else yes_or_no(whole_text(data))

    def _complete(self, chat: Sequence[Mapping[str, str]], max_tokens: int, **further: Any) -> dict[str, Any]:
        with self._one_at_a_time:
            answer = self._loaded().handle_chat_completions(
                {
                    "messages": [dict(message) for message in chat],
                    "max_tokens": max_tokens,
                    "temperature": 0.0,
                    "seed": 0,
                    "cache_prompt": True,
                    **further,
                }
            )
        try:
            return parsed(answer if isinstance(answer, str) else json.dumps(answer))
        except CompletionError as error:
            raise ChatError(f"LlamaCpp: {self.model} gave no reply: {error}") from error

    def _loaded(self) -> Any:
        """The model, loaded once; a model that did not load is not tried again."""
        if self._path is None:
            raise ChatError("LlamaCpp: start() has not been called")
        if self._fault is not None:
            raise ChatError(self._fault)
        if self._server is None:
            import xllamacpp

            n_layers, hint = gpu_layers(self.device, self.memory_bytes(), xllamacpp.get_device_info)
            if hint:
                _log.warning("LlamaCpp: %s; the model runs on the CPU", hint)
            self._server = self._opened(n_layers)
        return self._server

    def _opened(self, n_gpu_layers: int) -> Any:
        try:
            return self._server_with(n_gpu_layers)
        except RuntimeError as error:
            if not n_gpu_layers:
                self._fault = f"LlamaCpp: {self._path} does not load: {error}; give another .gguf file as model"
                raise ChatError(self._fault) from error
            _log.warning("LlamaCpp: the model does not load on %s: %s; it runs on the CPU", self.device, error)
            return self._opened(0)

    def _server_with(self, n_gpu_layers: int) -> Any:
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(self._path)
        parameters.n_ctx = self.context_tokens
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = self.n_threads
        parameters.cpuparams_batch.n_threads = self.n_threads
        # Threads that spin while they wait would take the cores from the rest of the graph.
        parameters.cpuparams.poll = 0
        parameters.cpuparams_batch.poll = 0
        parameters.n_gpu_layers = n_gpu_layers
        if n_gpu_layers:
            parameters.main_gpu = int(self.device.partition(":")[2] or 0)
        parameters.warmup = False
        parameters.verbosity = 0
        return xllamacpp.Server(parameters)

    def _file(self) -> Path:
        path = Path(self.model).expanduser()
        if self.model.endswith(".gguf") and path.is_file():
            return path
        from models.weights import path_of

        return path_of(self.model)
