"""Speech to text by openai-whisper (torch), for GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stages.speech.whisper_stage import Precision, WhisperStage

if TYPE_CHECKING:
    from models.recogniser import Recogniser


class OpenaiWhisper(WhisperStage):
    """Transcribes utterances with Whisper base through openai-whisper, with word times; what nobody said is dropped.

    The settings are those of `WhisperStage`. `precision` "auto" is float32 on a CPU and float16 on a GPU; it has no int8. Another
    model than Whisper base takes `FasterWhisper`, which runs on GPUs too.
    """

    precisions: ClassVar[tuple[Precision, ...]] = ("float32",)

    def load(self) -> Recogniser:
        """Whisper base in torch."""
        from models.torch_recogniser import TorchRecogniser
        from models.weights import folder_of

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
