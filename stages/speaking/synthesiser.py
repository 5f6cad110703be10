"""Speech synthesis: text in, samples out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np

from pipeline.packets import Float32Array
from pipeline.stage import Resource
from stages.speaking.reading import sentences

PAUSE_S = 0.25
"""Silence after each sentence."""


class Synthesiser(Resource):
    """A voice. `sample_rate_hz` is that of everything it says, and known once it has been started."""

    sample_rate_hz: int = 0

    @abstractmethod
    def say(self, sentence: str) -> Float32Array:
        """One sentence that is ready to be read (see `reading.sentences`): float32, shape (frames,), full scale +-1.

        Raises SpeakingError.
        """

    def read(self, text: str) -> Iterator[Float32Array]:
        """A text as people write it, sentence by sentence, each float32, shape (frames,), with a pause behind it.

        The first piece is there before the others are made. A text without words gives nothing. Raises SpeakingError.
        """
        pause = np.zeros(round(PAUSE_S * self.sample_rate_hz), dtype=np.float32)
        for sentence in sentences(text):
            yield np.concatenate([self.say(sentence), pause])
