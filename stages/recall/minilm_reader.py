"""The reader that comes with Echoic: MiniLM, taught to judge whether a line answers a question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from models.text_model import TextModelError, check_threads
from pipeline.packets import Float32Array
from stages.recall.reader import Reader

if TYPE_CHECKING:
    from models.minilm_reader import MinilmReader as Model

ADAPTER = Path(__file__).parent / "readers" / "minilm.npz"
"""What it was taught, by `python -m tools.fit_reader`: low-rank changes of MiniLM's weights, and a head."""


class MinilmReader(Reader):
    """all-MiniLM-L6-v2 with an adapter, on the CPU: 2 to 3 ms a line on one core, 91 MB to fetch.

    It knows English, and facts told in talk among people at one place, as it was taught on such talk.
    """

    name = "minilm"
    knows_corrections = True
    weights: ClassVar[tuple[str, ...]] = ("minilm/model.safetensors", "minilm/tokenizer.json")

    def __init__(self, n_threads: int = 1) -> None:
        check_threads(n_threads)
        self.n_threads = n_threads
        self._model: Model | None = None

    def start(self) -> None:
        """Load the model. Raises WeightsError naming the command that fetches it when it is not there, TextModelError for a bad adapter."""
        if self._model is None:
            from models.minilm_reader import started_reader

            self._model = started_reader(ADAPTER, self.n_threads)

    def stop(self) -> None:
        """Let go of the model."""
        self._model = None

    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        """A logit for each line, float32, shape (len(lines),)."""
        if self._model is None:
            raise TextModelError("MinilmReader: start() has not been called")
        return self._model.scores(question, lines)

    def memory_bytes(self) -> int:
        """The weights, and what one question needs."""
        return 64 * 2**20
