"""The reader that comes with Echoic: MPNet, taught to judge whether a line answers a question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from models.text_model import TextModelError, check_threads
from pipeline.packets import Float32Array
from stages.recall.reader import Reader

if TYPE_CHECKING:
    from models.mpnet_reader import MpnetReader as Model

ADAPTER = Path(__file__).parent / "readers" / "mpnet.npz"
"""What it was taught, by `python -m tools.fit_reader`: low-rank changes of MPNet's weights, and a head."""


class MpnetReader(Reader):
    """all-mpnet-base-v2 with an adapter, on the CPU: about 6 ms a line on one core, 438 MB to fetch (those of the encoder Mpnet).

    It knows English, and facts told in talk among people at one place, as it was taught on such talk.
    """

    name = "mpnet"
    knows_corrections = True
    knows_topics = True
    weights: ClassVar[tuple[str, ...]] = ("mpnet/model.safetensors", "mpnet/tokenizer.json")

    def __init__(self, n_threads: int = 2) -> None:
        check_threads(n_threads)
        self.n_threads = n_threads
        self._model: Model | None = None

    def start(self) -> None:
        """Load the model. Raises WeightsError naming the command that fetches it when it is not there, TextModelError for a bad adapter."""
        if self._model is None:
            from models.mpnet_reader import started_reader

            self._model = started_reader(ADAPTER, self.n_threads)

    def stop(self) -> None:
        """Let go of the model."""
        self._model = None

    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        """A logit for each line, float32, shape (len(lines),)."""
        return self.scores_of_each([(question, before, line) for before, line in lines])

    def scores_of_each(self, asked: Sequence[tuple[str, str, str]]) -> Float32Array:
        """A logit for each question and its line, float32, shape (len(asked),), all read together."""
        if self._model is None:
            raise TextModelError("MpnetReader: start() has not been called")
        return self._model.scores(asked)

    def memory_bytes(self) -> int:
        """The weights, and what one question needs."""
        return 224 * 2**20
