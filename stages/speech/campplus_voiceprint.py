"""The voice in each transcript by CAM++: the choice, unless memories hold voices of Resemblyzer that are still needed."""

from __future__ import annotations

from typing import ClassVar

from stages.speech.voice_stage import Hearing, VoiceStage


class CampplusVoiceprint(VoiceStage):
    """Gives each transcript the voice that speaks it, as CAM++'s vector of 192 numbers.

    What is heard, and `min_speech_s`, are described at `VoiceStage`.
    """

    weights: ClassVar[tuple[str, ...]] = ("campplus.pt",)

    def load(self) -> Hearing:
        """CAM++."""
        from models.campplus import Campplus
        from models.weights import path_of

        return Campplus(path_of(self.weights[0]), self._n_threads).voice

    def memory_bytes(self) -> int:
        """The weights, and what 30 s of speech need."""
        return 150_000_000
