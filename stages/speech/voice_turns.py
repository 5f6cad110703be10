"""Lines in which several people speak, cut where the voice changes: for microphones that cannot tell where a voice comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pipeline.packets import Transcript, Word, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.line_parts import parts_of
from stages.speech.speech_errors import SpeechError

if TYPE_CHECKING:
    from models.resemblyzer import Resemblyzer

_RATE_HZ = 16000
_SIDE_NS = nanoseconds(1.6)
_SMALL_PAUSE_NS = nanoseconds(0.08)
_SENTENCE_ENDS = (".", "?", "!", ",")


class VoiceTurns(Stage):
    """Cuts a transcript between words where one voice ends and another begins.

    Where words pause or a sentence ends, the voice in the 1.6 s before is compared with that in the 1.6 s after; where their cosine
    is under `likeness`, the transcript becomes two, and so on. Resemblyzer's voices are compared; `TalkerActivity` and `TalkerLines` hear
    talkers' turns instead, and overlap. No part lasts less than `min_turn_s`. A track with a bearing is one
    place, so one person most of the time, and passes as it is. Nothing waits: the parts of a transcript leave with it.
    """

    weights: ClassVar[tuple[str, ...]] = ("resemblyzer.pt",)

    transcript = In(Transcript)
    transcripts = Out(Transcript)

    def __init__(self, likeness: float = 0.64, min_turn_s: float = 1.0, n_threads: int = 1) -> None:
        if not 0 <= likeness <= 1 or min_turn_s <= 0 or n_threads < 1:
            raise SpeechError(
                f"VoiceTurns: likeness {likeness}, min_turn_s {min_turn_s}, n_threads {n_threads}: likeness must be 0 to 1, "
                "min_turn_s over 0, n_threads at least 1"
            )
        self._likeness = likeness
        self._min_turn_ns = nanoseconds(min_turn_s)
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
        """The transcript, or its parts."""
        self._started()
        utterance = transcript.utterance
        if utterance.sample_rate_hz != _RATE_HZ:
            raise SpeechError(
                f"VoiceTurns: an utterance of track {utterance.track.name} comes at {utterance.sample_rate_hz} Hz; {_RATE_HZ} Hz is needed"
            )
        cuts = self._cuts(transcript) if utterance.track.azimuth_deg is None and transcript.copy_of is None else []
        return map(self.transcripts, parts_of(transcript, cuts))

    def _started(self) -> Resemblyzer:
        if self._encoder is None:
            raise SpeechError("VoiceTurns: the stage has not been started; call start() first")
        return self._encoder

    def _cuts(self, transcript: Transcript) -> list[int]:
        """Before which words the voice changes, rising: the clearest change first, then those within its two sides."""
        cuts: list[int] = []
        waiting = [(0, len(transcript.words))]
        while waiting:
            first, last = waiting.pop()
            likeness = {
                place: self._likeness_at(transcript, first, place, last)
                for place in range(first + 1, last)
                if self._may_turn(transcript.words, first, place, last)
            }
            place = min(likeness, key=lambda entry: (likeness[entry], entry), default=first)
            if place > first and likeness[place] < self._likeness:
                cuts.append(place)
                waiting += [(first, place), (place, last)]
        return sorted(cuts)

    def _may_turn(self, words: tuple[Word, ...], first: int, place: int, last: int) -> bool:
        before, after = words[place - 1], words[place]
        pauses = after.start_ns - before.end_ns >= _SMALL_PAUSE_NS or before.text.rstrip().endswith(_SENTENCE_ENDS)
        shorter_ns = min(before.end_ns - words[first].start_ns, words[last - 1].end_ns - after.start_ns)
        return pauses and shorter_ns >= self._min_turn_ns

    def _likeness_at(self, transcript: Transcript, first: int, place: int, last: int) -> float:
        """The cosine of the voices before and after a word, each within the words `first` to `last`."""
        words = transcript.words
        middle_ns = (words[place - 1].end_ns + words[place].start_ns) // 2
        before = transcript.utterance.between(max(words[first].start_ns, middle_ns - _SIDE_NS), middle_ns)
        after = transcript.utterance.between(middle_ns, min(words[last - 1].end_ns, middle_ns + _SIDE_NS))
        if not np.any(before) or not np.any(after):
            return 1.0
        encoder = self._started()
        return float(encoder.voice(before) @ encoder.voice(after))
