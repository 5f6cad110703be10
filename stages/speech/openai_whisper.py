"""Speech to text by openai-whisper (torch), for GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.speech.speech_errors import SpeechError
from stages.speech.whisper_stage import WhisperStage

if TYPE_CHECKING:
    from models.recogniser import Recogniser


class OpenaiWhisper(WhisperStage):
    """Transcribes utterances with Whisper base through openai-whisper, with word times; what nobody said is dropped.

    The weights and the settings are those of `FasterWhisper`. `precision` "auto" is float32 on a CPU and float16 on a GPU; it has
    no int8.
    """

    def load(self) -> Recogniser:
        """Whisper base in torch. Raises SpeechError for a precision that the device does not have."""
        from models.torch_recogniser import TorchRecogniser
        from models.weights import folder_of

        if self.precision == "int8" or (self.precision == "float16" and self.device == "cpu"):
            raise SpeechError(f"OpenaiWhisper: precision {self.precision!r} on {self.device}; allowed are float32, and float16 on a GPU")
        return TorchRecogniser(
            folder_of(self.weights[0]),
            device=self.device,
            half=None if self.precision == "auto" else self.precision == "float16",
            n_threads=self.n_threads,
            language=self.language,
            beam_size=self.beam_size,
            padding_s=self.padding_s,
            min_confidence=self.min_confidence,
            vocabulary=self.vocabulary,
        )

    def memory_bytes(self) -> int:
        """The weights in float32 and what decoding a full batch needs beside them."""
        return 700_000_000 + 60_000_000 * self.max_batch
