"""Cuts the speech on each track into windows of one length."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import NS_PER_S, Gap, SpeechBlock, Utterance, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.cut_stretch import CutStretch
from stages.speech.fixed_window import FixedWindow
from stages.speech.setting_checks import check_range
from stages.speech.speech_errors import SpeechError
from stages.speech.track_order import LONGEST_BLOCK_NS, TrackOrder


class FixedCutter(Stage):
    """Cuts each track every `window_s` seconds, whatever is said, and keeps the windows with `min_speech_s` of speech.

    The simplest cutter, as live systems with a fixed rhythm use it: the delay is the window, and words on a border are cut.

    Args:
        window_s: the length of a window in seconds, at most 28.
        threshold: a frame is speech where its probability (0 to 1) is at least this.
        min_speech_s: a window with less speech than this, in seconds, is dropped.
        min_presence: a window whose speech has a mean presence (0 to 1) under this is dropped as leakage.

    Raises:
        SpeechError: a setting is out of its range.
    """

    speech = In(SpeechBlock)
    utterances = Out(Utterance)

    def __init__(self, window_s: float = 5.0, threshold: float = 0.5, min_speech_s: float = 0.2, min_presence: float = 0.3) -> None:
        if not 0 <= min_speech_s < window_s <= 28:
            raise SpeechError(
                f"FixedCutter: window_s is {window_s} and min_speech_s {min_speech_s}; 0 <= min_speech_s < window_s <= 28 is needed"
            )
        check_range("FixedCutter", 0, 1, threshold=threshold, min_presence=min_presence)
        self._window_s = window_s
        self._threshold = threshold
        self._min_speech_s = min_speech_s
        self._min_presence = min_presence
        self.delay_ns = nanoseconds(window_s) + LONGEST_BLOCK_NS
        self._order: TrackOrder[SpeechBlock, Utterance] = TrackOrder(self._begin, lambda block: block.beam.track.name, LONGEST_BLOCK_NS)

    def on_speech(self, block: SpeechBlock) -> Iterator[Emit[Utterance]]:
        """Fill the window of the block's track; utterances of all tracks leave in the order of their ends."""
        return map(self.utterances, self._order.take(block))

    def on_passed(self, pts_ns: int) -> Iterator[Emit[Utterance]]:
        """Close the window of a track that stopped sending."""
        return map(self.utterances, self._order.passed(pts_ns))

    def on_gap(self, gap: Gap) -> Iterator[Emit[Utterance]]:
        """Close the windows that a lost stretch cut short."""
        return map(self.utterances, self._order.gap(gap))

    def flush(self) -> Iterator[Emit[Utterance]]:
        """Close every window."""
        return map(self.utterances, self._order.flush())

    def promise(self, pts_ns: int) -> int:
        """Nothing ends before the last speech in an open window."""
        return self._order.bound_ns(pts_ns)

    def _begin(self, block: SpeechBlock) -> CutStretch:
        rate = block.beam.sample_rate_hz
        window, shortest = (nanoseconds(length_s) * rate // NS_PER_S for length_s in (self._window_s, self._min_speech_s))
        return CutStretch(block, FixedWindow(self._threshold, window, shortest), self._min_presence)
