"""The voice in each transcript by Resemblyzer's encoder: small, and not as sure as CAM++."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from stages.speech.setting_checks import check_range
from stages.speech.voice_stage import Hearing, VoiceStage


class Voiceprint(VoiceStage):
    """Gives each transcript the voice that speaks it, as Resemblyzer's d-vector of 256 numbers.

    What is heard, and `min_speech_s`, are described at `VoiceStage`. Windows of 1.6 s are taken every `hop_s`.
    """

    weights: ClassVar[tuple[str, ...]] = ("resemblyzer.pt",)

    def __init__(self, min_speech_s: float = 0.4, hop_s: float = 0.8, n_threads: int = 1) -> None:
        super().__init__(min_speech_s, n_threads)
        check_range("Voiceprint", 0.01, hop_s=hop_s)
        self._hop_s = hop_s

    def load(self) -> Hearing:
        """Resemblyzer's encoder."""
        from models.resemblyzer import Resemblyzer
        from models.weights import path_of

        return partial(Resemblyzer(path_of(self.weights[0]), self._n_threads).voice, hop_s=self._hop_s)

    def memory_bytes(self) -> int:
        """The weights and one batch of windows."""
        return 40_000_000
