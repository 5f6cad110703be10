"""What the two Whisper stages share: settings, batches of utterances in, transcripts in the same order out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.packets import Transcript, Utterance
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.speech_errors import SpeechError
from stages.speech.transcript_maker import TranscriptMaker, check_rate, check_settings

if TYPE_CHECKING:
    from models.recogniser import Recogniser

Precision = Literal["auto", "int8", "float16", "float32"]
_GPU_BATCH = 16


class WhisperStage(Stage, ABC):
    """Transcribes utterances with a Whisper model, with word times; what nobody said is dropped.

    The first attempt hears the audio and a little silence behind it, which is far cheaper than Whisper's own 30 s. A doubtful result, or
    one that loops, is decoded again over the full 30 s with a beam of 5. Utterances of all beams that wait are heard together.

    Args:
        language: a code such as "en" (`models/whisper_languages.py` has all), or "auto" to detect it for each utterance; a text whose
            language the audio does not fit has a low confidence.
        vocabulary: names and terms to expect, as a list (or a text with commas between them).
        beam_size: how many texts the search of the first attempt follows at once.
        padding_s: how many seconds of silence are put behind the audio in the first attempt, 0 to 30.
        min_confidence: a result whose confidence (0 to 1) is under this is decoded again.
        max_batch: how many utterances are heard together at most; 0 is 1 on a CPU, which gains nothing from more, and 16 on a GPU.
        n_threads: CPU threads for the network.
        precision: of the weights; "auto" is float16 on a GPU.
        device: "cpu", or a GPU such as "cuda:0"; "auto" is a GPU where there is one.

    Raises:
        SpeechError: a setting is out of its range, the language is not known, or the device does not have the precision.
    """

    weights: ClassVar[tuple[str, ...]] = ("whisper-base",)
    precisions: ClassVar[tuple[Precision, ...]]
    """Those that every device has."""

    utterance = In(Utterance)
    transcripts = Out(Transcript)
    delay_ns = TranscriptMaker.delay_ns

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
    ) -> None:
        name = type(self).__name__
        check_settings(name, language, beam_size, n_threads, padding_s, min_confidence, max_batch)
        if precision not in ("auto", *self.precisions, *(() if device == "cpu" else ("float16",))):
            raise SpeechError(
                f"{name}: precision {precision!r} on {device}; allowed are {', '.join(self.precisions)}, and float16 on a GPU"
            )
        self.language = language
        self.vocabulary = _terms(vocabulary)
        self.beam_size = beam_size
        self.padding_s = padding_s
        self.min_confidence = min_confidence
        self.n_threads = n_threads
        self.precision = precision
        self.device = device
        self.max_batch = max_batch or (_GPU_BATCH if device.startswith("cuda") else 1)
        self._recogniser: Recogniser | None = None
        self._maker = TranscriptMaker()

    @abstractmethod
    def load(self) -> Recogniser:
        """The recogniser with these settings."""

    def start(self) -> None:
        """Load the weights."""
        self._recogniser = self.load()
        self._maker = TranscriptMaker()

    def stop(self) -> None:
        """Let go of the weights."""
        self._recogniser = None

    def batch_utterance(self, utterances: list[Utterance]) -> Iterator[Emit[Transcript]]:
        """The transcripts of utterances in their order; none for one in which nobody said anything that can be read."""
        name = type(self).__name__
        if self._recogniser is None:
            raise SpeechError(f"{name}: the stage has not been started; call start() first")
        for utterance in utterances:
            check_rate(utterance, name)
        heard = self._recogniser.recognise([utterance.samples for utterance in utterances])
        for utterance, recognition in zip(utterances, heard, strict=True):
            transcript = self._maker.transcript(utterance, recognition)
            if transcript is not None:
                yield self.transcripts(transcript)


def _terms(vocabulary: list[str] | str | None) -> list[str]:
    """A text, as graphs had it before there were lists, is terms with commas between them."""
    terms = vocabulary.split(",") if isinstance(vocabulary, str) else vocabulary or []
    return [term.strip() for term in terms if term.strip()]
