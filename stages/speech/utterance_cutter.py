"""Cuts the speech on each track into utterances of bounded length."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline.packets import NS_PER_S, Gap, OpenUtterance, SpeechBlock, Utterance, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.cut_stretch import CutStretch
from stages.speech.open_stretch import OpenStretch
from stages.speech.setting_checks import check_range
from stages.speech.speech_errors import SpeechError
from stages.speech.track_order import LONGEST_BLOCK_NS, TrackOrder
from stages.speech.utterance_state import CutRules, UtteranceState

_LONGEST_AUDIO_S = 29.0


class UtteranceCutter(Stage):
    """Cuts each track's speech where it pauses.

    An utterance opens with speech and closes after a pause; one that grows too long is cut where it is quietest. What is somebody else,
    heard on the wrong beam, is told by its presence and left out.

    Args:
        threshold: an utterance opens where the probability of speech (0 to 1) reaches this.
        hang_over_s: it closes after a pause of this many seconds, less than `max_s`; shorter pauses stay inside.
        min_speech_s: what holds less speech than this, in seconds, is dropped.
        max_s: an utterance that grows to this many seconds (at most 28) is cut.
        cut_window_s: it is then cut where it is quietest within its last seconds, as many as this.
        lead_s: the audio starts this many seconds before the speech; `lead_s` and `max_s` together are at most 29.
        tail_s: the audio runs this many seconds past the speech.
        min_presence: an utterance whose mean presence (0 to 1) is under this is dropped.
        presence_floor: a frame counts only while the track's presence (0 to 1), smoothed over a syllable, is at least this.
        partial_every_s: the port `open` shows an utterance before it has ended, at most every so many seconds; 0 is never.

    Raises:
        SpeechError: a setting is out of its range.
    """

    speech = In(SpeechBlock)
    utterances = Out(Utterance)
    open = Out(OpenUtterance)

    def __init__(
        self,
        threshold: float = 0.5,
        hang_over_s: float = 0.6,
        min_speech_s: float = 0.2,
        max_s: float = 12.0,
        cut_window_s: float = 3.0,
        lead_s: float = 0.3,
        tail_s: float = 0.2,
        min_presence: float = 0.3,
        presence_floor: float = 0.15,
        partial_every_s: float = 0.0,
    ) -> None:
        name = "UtteranceCutter"
        if not 0 <= partial_every_s < math.inf:
            raise SpeechError(f"UtteranceCutter: partial_every_s is {partial_every_s}; at least 0 is needed, 0 for none")
        if not 0 < cut_window_s < max_s <= 28:
            raise SpeechError(
                f"UtteranceCutter: max_s is {max_s} and cut_window_s {cut_window_s}; 0 < cut_window_s < max_s <= 28 is needed"
            )
        if not 0 <= tail_s <= hang_over_s or not 0 <= min_speech_s < max_s - cut_window_s or not lead_s >= 0:
            raise SpeechError(
                f"UtteranceCutter: tail_s {tail_s}, hang_over_s {hang_over_s}, lead_s {lead_s}, min_speech_s {min_speech_s}: the tail "
                "must fit into the hang-over, min_speech_s into max_s - cut_window_s, and none may be negative"
            )
        if not hang_over_s < max_s or not lead_s + max_s <= _LONGEST_AUDIO_S:
            raise SpeechError(
                f"{name}: hang_over_s {hang_over_s}, lead_s {lead_s}, max_s {max_s}: hang_over_s must be under max_s, and lead_s + max_s "
                f"at most {_LONGEST_AUDIO_S:g}, since a recogniser hears 30 s at once"
            )
        check_range(name, 0, 1, threshold=threshold, min_presence=min_presence, presence_floor=presence_floor)
        self._threshold = threshold
        self._hang_over_s = hang_over_s
        self._min_speech_s = min_speech_s
        self._max_s = max_s
        self._cut_window_s = cut_window_s
        self._lead_s = lead_s
        self._tail_s = tail_s
        self._min_presence = min_presence
        self._presence_floor = presence_floor
        self._partial_every_s = partial_every_s
        self._shown: list[OpenUtterance] = []
        self.delay_ns = nanoseconds(hang_over_s + cut_window_s) + LONGEST_BLOCK_NS
        self._order: TrackOrder[SpeechBlock, Utterance] = TrackOrder(self._begin, lambda block: block.beam.track.name, LONGEST_BLOCK_NS)

    def on_speech(self, block: SpeechBlock) -> Iterator[Emit[Utterance | OpenUtterance]]:
        """Follow the block's track; utterances of all tracks leave in the order of their ends."""
        yield from map(self.utterances, self._order.take(block))
        while self._shown:
            yield self.open(self._shown.pop(0))

    def on_passed(self, pts_ns: int) -> Iterator[Emit[Utterance]]:
        """Close what a track left open when it stopped sending."""
        return map(self.utterances, self._order.passed(pts_ns))

    def on_gap(self, gap: Gap) -> Iterator[Emit[Utterance]]:
        """Close what a lost stretch cut short."""
        return map(self.utterances, self._order.gap(gap))

    def flush(self) -> Iterator[Emit[Utterance]]:
        """Close everything."""
        return map(self.utterances, self._order.flush())

    def promise(self, pts_ns: int) -> int:
        """Nothing ends before the earliest point where an open utterance may."""
        return self._order.bound_ns(pts_ns)

    def _begin(self, block: SpeechBlock) -> CutStretch:
        rate = block.beam.sample_rate_hz

        def samples(length_s: float) -> int:
            return nanoseconds(length_s) * rate // NS_PER_S

        rules = CutRules(
            threshold=self._threshold,
            lead=samples(self._lead_s),
            tail=samples(self._tail_s),
            hang=samples(self._hang_over_s),
            shortest=samples(self._min_speech_s),
            longest=samples(self._max_s),
            cut_window=samples(self._cut_window_s),
            presence_floor=self._presence_floor,
        )
        state = UtteranceState(rules)
        if not self._partial_every_s:
            return CutStretch(block, state, self._min_presence)
        return OpenStretch(block, state, self._min_presence, nanoseconds(self._partial_every_s), self._shown.append)
