"""What the stages that hear voices share: the audio under a transcript's words goes to an encoder, and comes back as a vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array, Transcript, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.setting_checks import check_range
from stages.speech.speech_errors import SpeechError

Hearing = Callable[[Float32Array], Float32Array]
"""From speech (float32, shape (frames,), 16 kHz) to its voice (float32, one dimension, of unit length)."""
_RATE_HZ = 16000
_PAUSE_NS = nanoseconds(0.3)


class VoiceStage(Stage, ABC):
    """Gives each transcript the voice that speaks it.

    Only the audio under its words is heard, without the pauses. Less than `min_speech_s` of it tells nothing about a voice: such a
    transcript gets none, and neither does a copy, which holds somebody else's words.

    Raises:
        SpeechError: a setting is out of its range.
    """

    transcript = In(Transcript)
    transcripts = Out(Transcript)

    def __init__(self, min_speech_s: float = 0.4, n_threads: int = 1) -> None:
        check_range(type(self).__name__, 0.01, min_speech_s=min_speech_s)
        check_range(type(self).__name__, 1, n_threads=n_threads)
        self._min_speech_s = min_speech_s
        self._n_threads = n_threads
        self._hearing: Hearing | None = None

    @abstractmethod
    def load(self) -> Hearing:
        """The loaded encoder."""

    def start(self) -> None:
        """Load the network."""
        self._hearing = self.load()

    def stop(self) -> None:
        """Let go of the network."""
        self._hearing = None

    def on_transcript(self, transcript: Transcript) -> Iterator[Emit[Transcript]]:
        """The same transcript with its voice."""
        name = type(self).__name__
        if self._hearing is None:
            raise SpeechError(f"{name}: the stage has not been started; call start() first")
        utterance = transcript.utterance
        if utterance.sample_rate_hz != _RATE_HZ:
            raise SpeechError(
                f"{name}: an utterance of track {utterance.track.name} comes at {utterance.sample_rate_hz} Hz; {_RATE_HZ} Hz is needed"
            )
        speech = spoken_samples(transcript)
        if transcript.copy_of is not None or len(speech) < self._min_speech_s * _RATE_HZ or not np.any(speech):
            yield self.transcripts(transcript)
            return
        yield self.transcripts(replace(transcript, voice=self._hearing(speech)))


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
