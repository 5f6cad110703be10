"""Who of several talkers on one microphone speaks when, overlap included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from models.pyannote_segmentation import SAMPLE_RATE_HZ, STEP_FRAMES, WINDOW_FRAMES
from pipeline.packets import NS_PER_S, BeamBlock, Gap, TalkerBlock, TalkerVoice
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.speech_errors import SpeechError
from stages.speech.talker_stretch import TalkerRules, TalkerStretch
from stages.speech.track_order import TrackOrder

_LEAST_HOP_S = 0.5


class TalkerActivity(Stage):
    """Tells talkers apart where no beam does: on tracks without a bearing, as of one microphone. Other tracks give nothing.

    Every `hop_s` a segmentation network (`models/pyannote_segmentation.py`) hears the last 10 s and says who of up to three talkers
    speaks when, where two may speak at once; somebody speaks where this is at least as probable as `threshold`. Neighbouring
    windows are sewn together, so a talker keeps one number until they have been silent for a window. What was said `look_ahead_s` ago
    is final and leaves as a block of activity; a talker's voice (CAM++, from at most the last 8 s that
    they spoke) is told once 1.5 s of it were heard, again now and then, and when they are gone.
    """

    weights: ClassVar[tuple[str, ...]] = ("pyannote_segmentation.pt", "campplus.pt")

    beam = In(BeamBlock)
    activity = Out(TalkerBlock)
    voices = Out(TalkerVoice)

    def __init__(self, threshold: float = 0.3, hop_s: float = 1.0, look_ahead_s: float = 2.0, n_threads: int = 1) -> None:
        window_s = WINDOW_FRAMES / SAMPLE_RATE_HZ
        if (
            not 0 < threshold < 1
            or not _LEAST_HOP_S <= hop_s <= window_s / 2
            or not 0 <= look_ahead_s <= min(2 * hop_s, window_s - hop_s)
            or n_threads < 1
        ):
            raise SpeechError(
                f"TalkerActivity: threshold {threshold}, hop_s {hop_s}, look_ahead_s {look_ahead_s}, n_threads {n_threads}: "
                f"the threshold must lie between 0 and 1, hop_s be {_LEAST_HOP_S} to {window_s / 2:g}, look_ahead_s 0 to twice hop_s and "
                f"both together at most {window_s:g}, "
                "n_threads at least 1"
            )
        hop = round(hop_s * SAMPLE_RATE_HZ / STEP_FRAMES) * STEP_FRAMES
        lag = round(look_ahead_s * SAMPLE_RATE_HZ / STEP_FRAMES) * STEP_FRAMES
        self._rules = TalkerRules(WINDOW_FRAMES // STEP_FRAMES * STEP_FRAMES, hop, lag, threshold)
        self._n_threads = n_threads
        self._order: TrackOrder[BeamBlock, TalkerBlock | TalkerVoice] | None = None
        # Of two new hops the first window makes nothing final before the look-ahead.
        self.delay_ns = (2 * hop + lag) * NS_PER_S // SAMPLE_RATE_HZ

    def start(self) -> None:
        """Load the networks."""
        from models.campplus import Campplus
        from models.pyannote_segmentation import PyannoteSegmentation
        from models.weights import path_of

        segmentation = PyannoteSegmentation(path_of(self.weights[0]), self._n_threads)
        encoder = Campplus(path_of(self.weights[1]), self._n_threads)

        def begin(block: BeamBlock) -> TalkerStretch:
            return TalkerStretch(block, self._rules, segmentation.activity, encoder.voice)

        self._order = TrackOrder(begin, lambda block: block.track.name)

    def stop(self) -> None:
        """Let go of the networks."""
        self._order = None

    def memory_bytes(self) -> int:
        """The weights, and one window under both."""
        return 120_000_000

    def on_beam(self, block: BeamBlock) -> Iterator[Emit[TalkerBlock | TalkerVoice]]:
        """Hear a block of a track without a bearing; everything leaves in the order of its end."""
        order = self._started()
        if block.track.azimuth_deg is not None:
            return self._out(order.passed(block.end_ns))
        if block.sample_rate_hz != SAMPLE_RATE_HZ:
            raise SpeechError(f"TalkerActivity: track {block.track.name} comes at {block.sample_rate_hz} Hz; {SAMPLE_RATE_HZ} Hz is needed")
        return self._out(order.take(block))

    def on_passed(self, pts_ns: int) -> Iterator[Emit[TalkerBlock | TalkerVoice]]:
        """Tell what a track left over when it stopped sending."""
        return self._out(self._started().passed(pts_ns))

    def on_gap(self, gap: Gap) -> Iterator[Emit[TalkerBlock | TalkerVoice]]:
        """Tell what came before a lost stretch; behind it everybody is new."""
        return self._out(self._started().gap(gap))

    def flush(self) -> Iterator[Emit[TalkerBlock | TalkerVoice]]:
        """Tell what is left."""
        return self._out(self._started().flush())

    def promise(self, pts_ns: int) -> int:
        """Nothing ends before what is final on every track that is open; where none is, nothing waits."""
        return self._started().bound_ns(pts_ns)

    def _out(self, packets: list[TalkerBlock | TalkerVoice]) -> Iterator[Emit[TalkerBlock | TalkerVoice]]:
        return (self.activity(packet) if isinstance(packet, TalkerBlock) else self.voices(packet) for packet in packets)

    def _started(self) -> TrackOrder[BeamBlock, TalkerBlock | TalkerVoice]:
        if self._order is None:
            raise SpeechError("TalkerActivity: the stage has not been started; call start() first")
        return self._order
