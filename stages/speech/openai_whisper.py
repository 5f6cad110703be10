"""Speech to text by openai-whisper (torch): the choice for GPUs, where it hears all beams at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pipeline.packets import Transcript, Utterance
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.speech_errors import SpeechError
from stages.speech.transcript_maker import TranscriptMaker, check_rate, check_settings

if TYPE_CHECKING:
    from models.torch_recogniser import TorchRecogniser

_GPU_BATCH = 16


class OpenaiWhisper(Stage):
    """Transcribes utterances with Whisper base through openai-whisper, with word times; what nobody said is dropped.

    The weights are those of `FasterWhisper`. On a GPU it computes in half precision and takes up to 16 utterances at once. A
    CPU gains nothing from that, so there it takes one at a time. The settings are those of `FasterWhisper`.
    """

    weights: ClassVar[tuple[str, ...]] = ("whisper-base",)

    utterance = In(Utterance)
    transcripts = Out(Transcript)
    delay_ns = TranscriptMaker.delay_ns

    def __init__(
        self,
        language: str = "en",
        vocabulary: str = "",
        beam_size: int = 1,
        padding_s: float = 2.0,
        min_confidence: float = 0.6,
        n_threads: int = 2,
        device: str = "cpu",
    ) -> None:
        check_settings("OpenaiWhisper", beam_size, n_threads, padding_s, min_confidence)
        self._language = language
        self._vocabulary = vocabulary
        self._beam_size = beam_size
        self._padding_s = padding_s
        self._min_confidence = min_confidence
        self._n_threads = n_threads
        self._device = device
        self.max_batch = _GPU_BATCH if device.startswith("cuda") else 1
        self._recogniser: TorchRecogniser | None = None
        self._maker = TranscriptMaker()

    def start(self) -> None:
        """Load the weights."""
        from models.torch_recogniser import TorchRecogniser
        from models.weights import folder_of

        self._recogniser = TorchRecogniser(
            folder_of(self.weights[0]),
            device=self._device,
            n_threads=self._n_threads,
            language=self._language,
            beam_size=self._beam_size,
            padding_s=self._padding_s,
            min_confidence=self._min_confidence,
            vocabulary=self._vocabulary,
        )
        self._maker = TranscriptMaker()

    def stop(self) -> None:
        """Let go of the weights."""
        self._recogniser = None

    def memory_bytes(self) -> int:
        """The weights in float32 and what decoding a full batch needs beside them."""
        return 700_000_000 + 60_000_000 * self.max_batch

    def batch_utterance(self, utterances: list[Utterance]) -> Iterator[Emit[Transcript]]:
        """The transcripts of utterances in their order; none for one in which nobody said anything that can be read."""
        if self._recogniser is None:
            raise SpeechError("OpenaiWhisper: the stage has not been started; call start() first")
        for utterance in utterances:
            check_rate(utterance, "OpenaiWhisper")
        heard = self._recogniser.recognise([utterance.samples for utterance in utterances])
        for utterance, recognition in zip(utterances, heard, strict=True):
            transcript = self._maker.transcript(utterance, recognition)
            if transcript is not None:
                yield self.transcripts(transcript)
