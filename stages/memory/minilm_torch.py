"""MiniLM through torch, with the published weights: the small text encoder for GPUs, and its reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from models import minilm
from models.text_model import TextModelError, Tokeniser, read_safetensors, unit_mean
from pipeline.packets import Float32Array
from stages.memory.text_encoder import TextEncoder

if TYPE_CHECKING:
    from models.minilm_layers import MinilmLayers


class MinilmTorch(TextEncoder):
    """all-MiniLM-L6-v2 from its safetensors file; half precision on a GPU.

    Its vectors stand at a cosine of 0.999 to those of MinilmOnnx, so the two share a name: a memory made with one may be read
    with the other.
    """

    name = "all-MiniLM-L6-v2"
    dimension = minilm.DIMENSION
    weights: ClassVar[tuple[str, ...]] = ("minilm/model.safetensors", "minilm/tokenizer.json")

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self._layers: MinilmLayers | None = None
        self._tokeniser: Tokeniser | None = None

    def start(self) -> None:
        """Load the model. Raises WeightsError naming the command that fetches it when it is not there."""
        if self._layers is not None:
            return
        from models.minilm_layers import MinilmLayers
        from models.weights import path_of

        self._tokeniser = Tokeniser(path_of("minilm/tokenizer.json"))
        self._layers = MinilmLayers(read_safetensors(path_of("minilm/model.safetensors")), self.device)

    def stop(self) -> None:
        """Let go of the model."""
        self._layers = None
        self._tokeniser = None

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Float32, shape (len(texts), 384), each row of unit length."""
        if self._layers is None or self._tokeniser is None:
            raise TextModelError("MinilmTorch: start() has not been called")
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for place, text in enumerate(texts):
            rows[place] = unit_mean(self._layers.hidden(self._tokeniser.tokens(text)))
        return rows

    def memory_bytes(self) -> int:
        """The weights (in half precision on a GPU), and what one text needs."""
        return (64 if self.device.startswith("cuda") else 128) * 2**20
