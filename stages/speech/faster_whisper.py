"""Speech to text by faster-whisper: the choice for CPUs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.packets import Transcript, Utterance
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.speech_errors import SpeechError
from stages.speech.transcript_maker import TranscriptMaker, check_rate, check_settings

if TYPE_CHECKING:
    from models.ct2_recogniser import Ct2Recogniser


class FasterWhisper(Stage):
    """Transcribes each utterance with Whisper base through faster-whisper, with word times; what nobody said is dropped.

    `language` is a code such as "en", or "auto" to detect it for each utterance. `vocabulary` lists names and terms to expect.
    The first attempt searches with `beam_size` and puts `padding_s` of silence behind the audio, which is far cheaper than
    Whisper's own 30 s. A result whose confidence is under `min_confidence`, or that loops, is decoded again over the full 30 s
    with a beam of 5. `precision` "auto" is int8 on a CPU and float16 on a GPU.
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
        precision: Literal["auto", "int8", "float16", "float32"] = "auto",
        device: str = "cpu",
    ) -> None:
        check_settings("FasterWhisper", beam_size, n_threads, padding_s, min_confidence)
        self._language = language
        self._vocabulary = vocabulary
        self._beam_size = beam_size
        self._padding_s = padding_s
        self._min_confidence = min_confidence
        self._n_threads = n_threads
        self._compute_type = precision if precision != "auto" else "int8" if device == "cpu" else "float16"
        self._device = device
        self._recogniser: Ct2Recogniser | None = None
        self._maker = TranscriptMaker()

    def start(self) -> None:
        """Load the weights."""
        from models.ct2_recogniser import Ct2Recogniser
        from models.weights import folder_of

        self._recogniser = Ct2Recogniser(
            folder_of(self.weights[0]),
            device=self._device,
            compute_type=self._compute_type,
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
        """The weights and what decoding needs beside them."""
        return 350_000_000

    def on_utterance(self, utterance: Utterance) -> Iterator[Emit[Transcript]]:
        """The transcript of an utterance, or nothing when nobody said anything that can be read."""
        if self._recogniser is None:
            raise SpeechError("FasterWhisper: the stage has not been started; call start() first")
        check_rate(utterance, "FasterWhisper")
        transcript = self._maker.transcript(utterance, self._recogniser.recognise(utterance.samples))
        if transcript is not None:
            yield self.transcripts(transcript)
