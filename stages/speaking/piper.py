"""A voice of Piper: pleasant, and under a tenth of real time on one core."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pipeline.packets import Float32Array
from stages.speaking.speaking_errors import SpeakingError
from stages.speaking.synthesiser import Synthesiser

if TYPE_CHECKING:
    from models.piper import PiperVoice


class Piper(Synthesiser):
    """Speaks with the Piper voice en_US joe (medium), spelled by espeak-ng.

    Args:
        speed: over 1 is faster, 0.5 to 2.
        n_threads: CPU threads for the network.
    """

    weights: ClassVar[tuple[str, ...]] = ("piper",)
    sample_rate_hz = 22050

    def __init__(self, speed: float = 1.0, n_threads: int = 1) -> None:
        if not 0.5 <= speed <= 2.0 or n_threads < 1:
            raise ValueError(f"Piper: speed {speed} and n_threads {n_threads}; allowed are 0.5 to 2 and at least 1")
        self._speed = speed
        self._n_threads = n_threads
        self._voice: PiperVoice | None = None

    def start(self) -> None:
        """Load the voice. Raises WeightsError, and SpeakingError where espeak-ng is missing."""
        from models.piper import PiperVoice
        from models.weights import path_of

        if self._voice is None:
            path_of("piper/en_US-joe-medium.onnx.json")
            self._voice = PiperVoice(path_of("piper/en_US-joe-medium.onnx"), self._n_threads)
            self.sample_rate_hz = self._voice.sample_rate_hz
            self.say("yes")

    def stop(self) -> None:
        """Let the voice go."""
        self._voice = None

    def say(self, sentence: str) -> Float32Array:
        """See `Synthesiser`."""
        from models.espeak import EspeakError
        from models.piper import PiperError

        if self._voice is None:
            raise SpeakingError("Piper: its voice is not loaded; start() loads it")
        try:
            return self._voice.say(sentence, self._speed)
        except (PiperError, EspeakError) as error:
            raise SpeakingError(str(error)) from error

    def memory_bytes(self) -> int:
        """The weights and what a long sentence needs beside them."""
        return 200_000_000
