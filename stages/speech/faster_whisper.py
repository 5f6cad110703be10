"""Speech to text by faster-whisper: the choice for CPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stages.speech.whisper_stage import Precision, WhisperStage

if TYPE_CHECKING:
    from models.recogniser import Recogniser


class FasterWhisper(WhisperStage):
    """Transcribes utterances with a Whisper model through faster-whisper, with word times; what nobody said is dropped.

    The other settings are described at `WhisperStage`. `precision` "auto" is int8 on a CPU and float16 on a GPU.

    Args:
        model: a group of the catalogue of weights, or the path of a folder with a larger (or smaller) Whisper model in CTranslate2's
            format; stages/speech/README.md says how such a folder is made. A model that knows English only takes the language "en".

    Raises:
        SpeechError: as `WhisperStage` says. `start` raises WhisperFolderError where there is no such model, WeightsError where the
            catalogue's is not here, RecogniserLoadError where it does not load, and RecogniserError where it does not know the language.
    """

    precisions: ClassVar[tuple[Precision, ...]] = ("int8", "float32")

    def __init__(
        self,
        language: str = "en",
        vocabulary: list[str] | str | None = None,
        beam_size: int = 1,
        padding_s: float = 2.0,
        min_confidence: float = 0.6,
        max_batch: int = 0,
        n_threads: int = 2,
        precision: Precision = "auto",
        device: str = "cpu",
        model: str = "whisper-base",
    ) -> None:
        super().__init__(language, vocabulary, beam_size, padding_s, min_confidence, max_batch, n_threads, precision, device)
        self.model = model

    def load(self) -> Recogniser:
        """The model in CTranslate2."""
        from models.ct2_recogniser import Ct2Recogniser
        from models.whisper_folder import whisper_folder

        return Ct2Recogniser(
            whisper_folder(self.model),
            device=self.device,
            compute_type=self.precision,
            n_threads=self.n_threads,
            language=self.language,
            beam_size=self.beam_size,
            padding_s=self.padding_s,
            min_confidence=self.min_confidence,
            vocabulary=self.vocabulary,
        )

    def memory_bytes(self) -> int:
        """The weights, which follow from the size of their file, and what decoding a full batch needs beside them."""
        from models.whisper_folder import memory_bytes

        return memory_bytes(self.model, self.precision, self.max_batch)
