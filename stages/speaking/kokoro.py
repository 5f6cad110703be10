"""The Kokoro voices: the most natural ones here, and the slowest."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pipeline.packets import Float32Array
from stages.speaking.speaking_errors import SpeakingError
from stages.speaking.synthesiser import Synthesiser

if TYPE_CHECKING:
    from models.kokoro import Kokoro as KokoroVoices


class Kokoro(Synthesiser):
    """Speaks with one of the Kokoro voices, spelled by espeak-ng.

    Args:
        voice: such as "af_heart" or "bm_george"; `echoic models list` shows them all.
        speed: over 1 is faster, 0.5 to 2.
        n_threads: CPU threads for the network.
    """

    weights: ClassVar[tuple[str, ...]] = ("kokoro",)
    sample_rate_hz = 24000

    def __init__(self, voice: str = "af_heart", speed: float = 1.0, n_threads: int = 2) -> None:
        if not 0.5 <= speed <= 2.0 or n_threads < 1:
            raise ValueError(f"Kokoro: speed {speed} and n_threads {n_threads}; allowed are 0.5 to 2 and at least 1")
        self._voice = voice
        self._speed = speed
        self._n_threads = n_threads
        self._voices: KokoroVoices | None = None

    def start(self) -> None:
        """Load the voices. Raises WeightsError, and SpeakingError where there is no such voice or espeak-ng is missing."""
        from models.kokoro import Kokoro as KokoroVoices

        if self._voices is None:
            self._voices = KokoroVoices(n_threads=self._n_threads)
            self.say("yes")

    def stop(self) -> None:
        """Let the voices go."""
        self._voices = None

    def say(self, sentence: str) -> Float32Array:
        """See `Synthesiser`."""
        from models.kokoro import KokoroError

        if self._voices is None:
            raise SpeakingError("Kokoro: its voices are not loaded; start() loads them")
        try:
            # Kokoro counts punctuation that stands alone as a word that it cannot say.
            words = [word for word in sentence.split() if any(mark.isalnum() for mark in word)]
            return np.clip(self._voices.say(" ".join(words), self._voice, self._speed).samples, -1.0, 1.0)
        except KokoroError as error:
            raise SpeakingError(str(error)) from error

    def memory_bytes(self) -> int:
        """The weights and what a long sentence needs beside them."""
        return 350_000_000
