"""MPNet through CTranslate2, with weights in eight bits: the more exact text encoder, for CPUs and GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from models.mpnet import DIMENSION
from models.text_model import TextModelError, Tokeniser, check_threads, read_safetensors, unit_mean
from pipeline.packets import Float32Array
from stages.memory.text_encoder import TextEncoder

if TYPE_CHECKING:
    from models.mpnet import Mpnet as Model


class Mpnet(TextEncoder):
    """all-mpnet-base-v2; what is kept is encoded one text at a time.

    It tells paraphrases better than MiniLM, for two and a half times the time of a text (10 ms on one core) and 438 MB to fetch. The
    published weights are brought into CTranslate2's format once, some seconds at the first start.
    """

    name = "all-mpnet-base-v2"
    dimension = DIMENSION
    weights: ClassVar[tuple[str, ...]] = ("mpnet/model.safetensors", "mpnet/tokenizer.json")

    def __init__(self, device: str = "cpu", n_threads: int = 2) -> None:
        self.device = device
        check_threads(n_threads)
        self.n_threads = n_threads
        self._model: Model | None = None
        self._tokeniser: Tokeniser | None = None

    def start(self) -> None:
        """Load the model. Raises WeightsError naming the command that fetches it when it is not there, TextModelError for a bad device."""
        if self._model is not None:
            return
        from models.derived_models import loaded
        from models.mpnet import Mpnet as Model
        from models.mpnet import converted
        from models.weights import derived_folder, path_of

        tokeniser = Tokeniser(path_of("mpnet/tokenizer.json"))
        published = path_of("mpnet/model.safetensors")
        self._model = loaded(
            derived_folder("mpnet/model.safetensors", "ct2-int8"),
            load=lambda folder: Model(folder, self.device, self.n_threads),
            make=lambda folder: converted(read_safetensors(published), tokeniser.vocabulary(), folder),
            can_load=_is_whole,
        )
        self._tokeniser = tokeniser

    def stop(self) -> None:
        """Let go of the model."""
        self._model = None
        self._tokeniser = None

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Float32, shape (len(texts), 768), each row of unit length."""
        if self._model is None or self._tokeniser is None:
            raise TextModelError("Mpnet: start() has not been called")
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for place, text in enumerate(texts):
            rows[place] = unit_mean(self._model.hidden(self._tokeniser.tokens(text)))
        return rows

    def encode_together(self, texts: Sequence[str]) -> Float32Array:
        """As `encode` but for rounding (a cosine of 0.998), in less time: a pass over the weights is most of what a short text takes."""
        if self._model is None or self._tokeniser is None:
            raise TextModelError("Mpnet: start() has not been called")
        states = self._model.hidden_together([self._tokeniser.tokens(text) for text in texts])
        return np.array([unit_mean(state) for state in states], dtype=np.float32).reshape(len(texts), self.dimension)

    def memory_bytes(self) -> int:
        """The weights, and what one text needs."""
        return 256 * 2**20


def _is_whole(folder: Path) -> bool:
    """Whether a converted model can be loaded at all."""
    from models.mpnet import Mpnet as Model

    try:
        Model(folder)
    except TextModelError:
        return False
    return True
