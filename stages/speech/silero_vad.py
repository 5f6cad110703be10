"""The probability of speech on each beam, by Silero VAD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pipeline.packets import BeamBlock, Gap, SpeechBlock
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.setting_checks import check_range
from stages.speech.speech_errors import SpeechError
from stages.speech.track_order import TrackOrder

if TYPE_CHECKING:
    from stages.speech.judged_stretch import JudgedStretch

_RATE_HZ = 16000
_CHUNK_NS = 32_000_000


class SileroVad(Stage):
    """Gives every block of every beam the probability that it holds speech.

    The network keeps a state for each track and starts anew where a track's blocks do not follow each other. Blocks may have
    any size; one that ends inside a chunk of the network (32 ms) waits for the rest of it. Beams must be at 16 kHz.
    """

    weights: ClassVar[tuple[str, ...]] = ("silero_vad.onnx",)

    beam = In(BeamBlock)
    speech = Out(SpeechBlock)
    delay_ns = _CHUNK_NS

    def __init__(self, n_threads: int = 1) -> None:
        check_range("SileroVad", 1, n_threads=n_threads)
        self._n_threads = n_threads
        self._order: TrackOrder[BeamBlock, SpeechBlock] | None = None

    def start(self) -> None:
        """Load the network."""
        from models.silero import Silero
        from models.weights import path_of
        from stages.speech.judged_stretch import JudgedStretch

        silero = Silero(path_of(self.weights[0]), self._n_threads)

        def begin(block: BeamBlock) -> JudgedStretch:
            return JudgedStretch(block, silero)

        self._order = TrackOrder(begin, lambda block: block.track.name)

    def stop(self) -> None:
        """Let go of the network."""
        self._order = None

    def on_beam(self, block: BeamBlock) -> Iterator[Emit[SpeechBlock]]:
        """Judge a block; blocks leave in the order of their ends."""
        if block.sample_rate_hz != _RATE_HZ:
            raise SpeechError(f"SileroVad: track {block.track.name} comes at {block.sample_rate_hz} Hz; {_RATE_HZ} Hz is needed")
        return map(self.speech, self._started().take(block))

    def on_passed(self, pts_ns: int) -> Iterator[Emit[SpeechBlock]]:
        """Judge what a track left over when it stopped sending."""
        return map(self.speech, self._started().passed(pts_ns))

    def on_gap(self, gap: Gap) -> Iterator[Emit[SpeechBlock]]:
        """Judge what came before a lost stretch; the network starts anew behind it."""
        return map(self.speech, self._started().gap(gap))

    def flush(self) -> Iterator[Emit[SpeechBlock]]:
        """Judge what is left."""
        return map(self.speech, self._started().flush())

    def promise(self, pts_ns: int) -> int:
        """Nothing ends before the first block that waits for its chunk."""
        return self._started().bound_ns(pts_ns)

    def _started(self) -> TrackOrder[BeamBlock, SpeechBlock]:
        if self._order is None:
            raise SpeechError("SileroVad: the stage has not been started; call start() first")
        return self._order
