"""The voice in each transcript: a vector that tells people apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array, Transcript, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.speech_errors import SpeechError

if TYPE_CHECKING:
    from models.resemblyzer import Resemblyzer

_RATE_HZ = 16000


class Voiceprint(Stage):
    """Gives each transcript the voice that speaks it, as a d-vector of 256 numbers.

    Only the audio under its words is heard, without the pauses. Less than `min_speech_s` of it tells nothing about a voice: such a
    transcript gets none, and neither does a copy, which holds somebody else's words. Windows of 1.6 s are taken every `hop_s`.
    """

    weights: ClassVar[tuple[str, ...]] = ("resemblyzer.pt",)

    transcript = In(Transcript)
    transcripts = Out(Transcript)

    def __init__(self, min_speech_s: float = 0.4, hop_s: float = 0.8, n_threads: int = 1) -> None:
        if min_speech_s <= 0 or hop_s < 0.01 or n_threads < 1:
            raise SpeechError(
                f"Voiceprint: min_speech_s {min_speech_s}, hop_s {hop_s}, n_threads {n_threads}: the first must be over 0, "
                "hop_s at least 0.01, n_threads at least 1"
            )
        self._min_speech_s = min_speech_s
        self._hop_s = hop_s
        self._n_threads = n_threads
        self._encoder: Resemblyzer | None = None

    def start(self) -> None:
        """Load the network."""
        from models.resemblyzer import Resemblyzer
        from models.weights import path_of

        self._encoder = Resemblyzer(path_of(self.weights[0]), self._n_threads)

    def stop(self) -> None:
        """Let go of the network."""
        self._encoder = None

    def memory_bytes(self) -> int:
        """The weights and one batch of windows."""
        return 40_000_000

    def on_transcript(self, transcript: Transcript) -> Iterator[Emit[Transcript]]:
        """The same transcript with its voice."""
        if self._encoder is None:
            raise SpeechError("Voiceprint: the stage has not been started; call start() first")
        utterance = transcript.utterance
        if utterance.sample_rate_hz != _RATE_HZ:
            raise SpeechError(
                f"Voiceprint: an utterance of track {utterance.track.name} comes at {utterance.sample_rate_hz} Hz; {_RATE_HZ} Hz is needed"
            )
        speech = spoken_samples(transcript)
        if transcript.copy_of is not None or len(speech) < self._min_speech_s * _RATE_HZ or not np.any(speech):
            yield self.transcripts(transcript)
            return
        yield self.transcripts(replace(transcript, voice=self._encoder.voice(speech, self._hop_s)))


_PAUSE_NS = nanoseconds(0.3)


def spoken_samples(transcript: Transcript) -> Float32Array:
    """The audio under a transcript's words, float32, shape (frames,); what lies between words up to 0.3 s apart stays."""
    utterance = transcript.utterance
    spans: list[tuple[int, int]] = []
    for word in transcript.words:
        if spans and word.start_ns - spans[-1][1] <= _PAUSE_NS:
            spans[-1] = (spans[-1][0], max(spans[-1][1], word.end_ns))
        else:
            spans.append((word.start_ns, word.end_ns))
    rate = utterance.sample_rate_hz
    places = [tuple(max(0, (time - utterance.audio_pts_ns) * rate // NS_PER_S) for time in span) for span in spans]
    pieces = [utterance.samples[first:last] for first, last in places]
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
