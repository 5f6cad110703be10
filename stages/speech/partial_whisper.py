"""What somebody is saying, while they still speak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pipeline.packets import Gap, OpenUtterance, PartialTranscript, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.local_agreement import LocalAgreement
from stages.speech.speech_errors import SpeechError
from stages.speech.transcript_maker import check_rate, check_settings
from stages.speech.word_text import joined

if TYPE_CHECKING:
    from models.ct2_recogniser import Ct2Recogniser

# An utterance lasts 28 s at most, and is looked at for the last time before it ends.
_FORGOTTEN_AFTER_NS = nanoseconds(30)


class PartialWhisper(Stage):
    """Transcribes utterances that have not ended, with Whisper base, greedily, through a model of its own.

    It stands beside the recogniser of the final lines and feeds nothing that they depend on, so it cannot delay or change them.
    Where it cannot keep up, let its edge drop: `in: {open: {from: utter.open, queue: 1, when_full: drop_oldest}}`.

    Args:
        language: a code such as "en" (`models/whisper_languages.py` has all), or "auto" to detect it each time.
        vocabulary: names and terms to expect.
        padding_s: how many seconds of silence are put behind the audio, 0 to 30.
        n_threads: CPU threads for the network.
        device: "cpu", or a GPU such as "cuda:0"; "auto" is a GPU where there is one.

    Raises:
        SpeechError: a setting is out of its range, or the language is not known.
    """

    weights: ClassVar[tuple[str, ...]] = ("whisper-base",)

    open = In(OpenUtterance)
    partials = Out(PartialTranscript)

    def __init__(
        self,
        language: str = "en",
        vocabulary: list[str] | None = None,
        padding_s: float = 2.0,
        n_threads: int = 1,
        device: str = "cpu",
    ) -> None:
        check_settings("PartialWhisper", language, 1, n_threads, padding_s, 0.0)
        self._language = language
        self._vocabulary = vocabulary or []
        self._padding_s = padding_s
        self._n_threads = n_threads
        self._device = device
        self._recogniser: Ct2Recogniser | None = None
        self._following: dict[str, tuple[OpenUtterance, LocalAgreement]] = {}

    def start(self) -> None:
        """Load the weights."""
        from models.ct2_recogniser import Ct2Recogniser
        from models.weights import folder_of

        self._recogniser = Ct2Recogniser(
            folder_of(self.weights[0]),
            device=self._device,
            n_threads=self._n_threads,
            language=self._language,
            padding_s=self._padding_s,
            min_confidence=0.0,
            vocabulary=self._vocabulary,
        )
        self._following = {}

    def stop(self) -> None:
        """Let go of the weights."""
        self._recogniser = None

    def memory_bytes(self) -> int:
        """The weights and what decoding needs beside them."""
        return 350_000_000

    def on_open(self, opened: OpenUtterance) -> Iterator[Emit[PartialTranscript | Gap]]:
        """The text so far, unless nothing can be read yet."""
        from models.text_guard import believed_words

        if self._recogniser is None:
            raise SpeechError("PartialWhisper: the stage has not been started; call start() first")
        so_far = opened.so_far
        check_rate(so_far, "PartialWhisper")
        (heard,) = self._recogniser.recognise([so_far.samples])
        words = [word.text for word in believed_words(heard, so_far.samples, so_far.sample_rate_hz)]
        if words:
            stable, text = self._agreement(opened).take(words)
            yield self.partials(
                PartialTranscript(
                    pts_ns=opened.pts_ns,
                    duration_ns=opened.duration_ns,
                    track=so_far.track,
                    text=joined(text, heard.text),
                    stable_text=joined(stable, heard.text),
                )
            )

    def _agreement(self, opened: OpenUtterance) -> LocalAgreement:
        """What is known of this utterance; what is known of those that must have ended is forgotten."""
        self._following = {
            name: (last, known) for name, (last, known) in self._following.items() if opened.end_ns - last.end_ns < _FORGOTTEN_AFTER_NS
        }
        name = opened.so_far.track.name
        last, known = self._following.get(name, (opened, LocalAgreement()))
        if last.pts_ns != opened.pts_ns:
            known = LocalAgreement()
        self._following[name] = (opened, known)
        return known
