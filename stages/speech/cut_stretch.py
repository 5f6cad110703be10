"""Turns one unbroken stretch of a track's speech blocks into utterances, with a state machine that says where to cut."""

from __future__ import annotations

from typing import Protocol

from pipeline.packets import SpeechBlock, Utterance, seconds
from stages.speech.bearing_log import BearingLog
from stages.speech.frame_grid import Frame, FrameGrid
from stages.speech.speech_errors import SpeechError
from stages.speech.utterance_state import Cut


class CutState(Protocol):
    """Says where utterances begin and end, in samples of the stretch."""

    def push(self, frame: Frame) -> list[Cut]:
        """The utterances that are known to have ended with this frame."""

    def close(self) -> list[Cut]:
        """The utterance that is open when the stretch is over."""

    def earliest_end(self) -> int | None:
        """No utterance that is open ends before this sample; None when none is open."""


class CutStretch:
    """A `Stretch` of the track order: blocks in, utterances out."""

    def __init__(self, first: SpeechBlock, state: CutState, min_presence: float) -> None:
        self._grid = FrameGrid(first.beam.pts_ns, first.beam.sample_rate_hz)
        self._state = state
        self._min_presence = min_presence
        self._bearings = BearingLog()

    @property
    def next_ns(self) -> int:
        """Where the next block starts if it goes on with this stretch."""
        return self._grid.next_ns

    @property
    def earliest_end_ns(self) -> int | None:
        """Nothing that comes out of what has gone in ends before this."""
        sample = self._state.earliest_end()
        if sample is None:
            return None if self._grid.is_even else self._grid.time_ns(self._grid.n_framed)
        return self._grid.time_ns(sample)

    def push(self, block: SpeechBlock) -> list[Utterance]:
        """The utterances that a block ends."""
        if block.beam.sample_rate_hz != self._grid.sample_rate_hz:
            raise SpeechError(
                f"track {block.beam.track.name}: the sample rate changed from {self._grid.sample_rate_hz} to "
                f"{block.beam.sample_rate_hz} Hz at {seconds(block.pts_ns):.3f} s; a track must keep its rate"
            )
        self._bearings.push(block)
        return [self._utterance(cut) for frame in self._grid.push(block) for cut in self._state.push(frame) if self._is_own(cut)]

    def close(self) -> list[Utterance]:
        """The utterances that the end of the stretch ends."""
        cuts = [cut for frame in self._grid.rest() for cut in self._state.push(frame)] + self._state.close()
        return [self._utterance(cut) for cut in cuts if self._is_own(cut)]

    def _is_own(self, cut: Cut) -> bool:
        return cut.presence >= self._min_presence

    def _utterance(self, cut: Cut) -> Utterance:
        start_ns, end_ns = self._grid.time_ns(cut.start), self._grid.time_ns(cut.end)
        return Utterance(
            pts_ns=start_ns,
            duration_ns=end_ns - start_ns,
            samples=cut.samples,
            sample_rate_hz=self._grid.sample_rate_hz,
            track=self._bearings.track(start_ns, end_ns),
            lead_ns=start_ns - self._grid.time_ns(cut.audio_first),
            presence=cut.presence,
            presences=cut.presences,
        )
