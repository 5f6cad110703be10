"""MiniLM through onnxruntime, with weights in eight bits: the small text encoder for CPUs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from models import minilm
from models.text_model import TextModelError, Tokeniser, check_threads, unit_mean
from pipeline.packets import Float32Array
from stages.memory.text_encoder import TextEncoder


class MinilmOnnx(TextEncoder):
    """all-MiniLM-L6-v2 in int8, one text at a time: its activations are scaled over the batch, so a batch would change them."""

    name = "all-MiniLM-L6-v2"
    dimension = minilm.DIMENSION
    weights: ClassVar[tuple[str, ...]] = ("minilm/model.onnx", "minilm/tokenizer.json")

    def __init__(self, n_threads: int = 1) -> None:
        check_threads(n_threads)
        self.n_threads = n_threads
        self._session: Any = None
        self._tokeniser: Tokeniser | None = None

    def start(self) -> None:
        """Load the model. Raises WeightsError naming the command that fetches it when it is not there."""
        if self._session is not None:
            return
        import onnxruntime

        from models.weights import path_of

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.n_threads
        options.inter_op_num_threads = 1
        self._tokeniser = Tokeniser(path_of("minilm/tokenizer.json"))
        self._session = onnxruntime.InferenceSession(str(path_of("minilm/model.onnx")), options, providers=["CPUExecutionProvider"])

    def stop(self) -> None:
        """Let go of the model."""
        self._session = None
        self._tokeniser = None

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Float32, shape (len(texts), 384), each row of unit length."""
        if self._session is None or self._tokeniser is None:
            raise TextModelError("MinilmOnnx: start() has not been called")
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for place, text in enumerate(texts):
            tokens = self._tokeniser.tokens(text)[None, :]
            hidden = self._session.run(
                None, {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
            )[0]
            rows[place] = unit_mean(hidden[0])
        return rows

    def memory_bytes(self) -> int:
        """The weights, and what one text needs."""
        return 80 * 2**20
