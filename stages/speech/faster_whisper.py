"""Speech to text by faster-whisper: the choice for CPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stages.speech.whisper_stage import Precision, WhisperStage

if TYPE_CHECKING:
    from models.recogniser import Recogniser


class FasterWhisper(WhisperStage):
    """Transcribes utterances with Whisper base through faster-whisper, with word times; what nobody said is dropped.

    The settings are described at `WhisperStage`. `precision` "auto" is int8 on a CPU and float16 on a GPU.
    """

    precisions: ClassVar[tuple[Precision, ...]] = ("int8", "float32")

    def load(self) -> Recogniser:
        """Whisper base in CTranslate2."""
        from models.ct2_recogniser import Ct2Recogniser
        from models.weights import folder_of

        on_cpu = self.device == "cpu"
        return Ct2Recogniser(
            folder_of(self.weights[0]),
            device=self.device,
            compute_type=self.precision if self.precision != "auto" else "int8" if on_cpu else "float16",
            n_threads=self.n_threads,
            language=self.language,
            beam_size=self.beam_size,
            padding_s=self.padding_s,
            min_confidence=self.min_confidence,
            vocabulary=self.vocabulary,
        )

    def memory_bytes(self) -> int:
        """The weights and what decoding a full batch needs beside them."""
        return 300_000_000 + 50_000_000 * self.max_batch
