"""One unbroken stretch of one microphone: who of several talkers speaks when, and how each of them sounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from models.pyannote_segmentation import REACH_FRAMES, STEP_FRAMES
from models.talker_stitcher import Activity, BoolArray, TalkerStitcher
from pipeline.packets import NS_PER_S, BeamBlock, Float32Array, TalkerBlock, TalkerVoice, Track

_RATE_HZ = 16000
STEP_NS = STEP_FRAMES * NS_PER_S // _RATE_HZ
_FIRST_EDGE_FRAMES = (REACH_FRAMES - STEP_FRAMES) // 2
_MOST_VOICE_FRAMES = 8 * _RATE_HZ
_ENOUGH_ALONE_FRAMES = round(0.6 * _RATE_HZ)
# A voice is told early, too, and again when four times as much was heard: a crash then loses nobody's.
_FIRST_TOLD_FRAMES = round(1.5 * _RATE_HZ)
_LEAST_VOICE_FRAMES = round(0.3 * _RATE_HZ)


@dataclass(frozen=True)
class TalkerRules:
    """How the windows lie, in samples, and when somebody counts as speaking. See `TalkerActivity`."""

    window: int
    hop: int
    lag: int
    threshold: float


@dataclass
class _Heard:
    """The last seconds of a talker: alone, and under others."""

    n_alone: int = 0
    n_told: int = _FIRST_TOLD_FRAMES
    alone: Float32Array = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    under: Float32Array = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    def take(self, samples: Float32Array, *, alone: bool) -> None:
        """Keep what they said just now."""
        if alone:
            self.n_alone += len(samples)
            self.alone = np.concatenate([self.alone, samples])[-_MOST_VOICE_FRAMES:]
        else:
            self.under = np.concatenate([self.under, samples])[-_MOST_VOICE_FRAMES:]

    def audio(self) -> Float32Array:
        """What tells their voice best: where they spoke alone, unless that is too little."""
        return self.alone if self.n_alone >= _ENOUGH_ALONE_FRAMES else np.concatenate([self.alone, self.under])


class TalkerStretch:
    """A `Stretch` of the track order: beam blocks in, activity and voices of talkers out.

    Windows end every `hop`; the first when two hops are there. `activity` and `voice` are the networks.
    """

    def __init__(
        self,
        first: BeamBlock,
        rules: TalkerRules,
        activity: Callable[[Float32Array], Float32Array],
        voice: Callable[[Float32Array], Float32Array],
    ) -> None:
        self._track: Track = first.track
        self._origin_ns = first.pts_ns
        self._rules = rules
        self._activity = activity
        self._voice = voice
        self._stitcher = TalkerStitcher(rules.threshold, rules.lag // STEP_FRAMES)
        self._heard: dict[int, _Heard] = {}
        self._samples = np.zeros(0, dtype=np.float32)
        self._samples_first = 0
        self._new: list[Float32Array] = []
        self._n_samples = 0
        self._n_windowed = 0
        self._next_window = 2 * rules.hop
        self._final_ns = first.pts_ns

    @property
    def next_ns(self) -> int:
        """Where the next block starts if it goes on with this stretch."""
        return self._origin_ns + self._n_samples * NS_PER_S // _RATE_HZ

    @property
    def earliest_end_ns(self) -> int | None:
        """The end of what is final: the next block of activity ends later."""
        return self._final_ns

    def push(self, block: BeamBlock) -> list[TalkerBlock | TalkerVoice]:
        """What is final with this block."""
        self._new.append(block.samples)
        self._n_samples += len(block.samples)
        out: list[TalkerBlock | TalkerVoice] = []
        while self._n_samples >= self._next_window:
            out += self._hear(self._next_window)
            self._next_window += self._rules.hop
        return out

    def close(self) -> list[TalkerBlock | TalkerVoice]:
        """What is left: the last window, and the voices of all who are there."""
        out: list[TalkerBlock | TalkerVoice] = []
        if self._n_samples > self._n_windowed and self._n_samples - self._window_first(self._n_samples) >= REACH_FRAMES:
            out += self._hear(self._n_samples)
        out += self._told(self._stitcher.flush(), self.next_ns)
        out += [self._voice_of(talker) for talker in sorted(self._heard)]
        self._heard.clear()
        return out

    def _window_first(self, end: int) -> int:
        """The first sample of the window that ends there: a whole step."""
        return max(0, -(-(end - self._rules.window) // STEP_FRAMES) * STEP_FRAMES)

    def _hear(self, end: int) -> list[TalkerBlock | TalkerVoice]:
        first = self._window_first(end)
        self._samples, self._new = np.concatenate([self._samples, *self._new]), []
        window = self._samples[first - self._samples_first : end - self._samples_first]
        out = self._told(self._stitcher.push(first // STEP_FRAMES, self._activity(window)))
        self._n_windowed = end
        self._samples, self._samples_first = self._samples[first - self._samples_first :], first
        there = {self._number(name) for name in self._stitcher.talkers}
        early = [talker for talker in sorted(self._heard) if self._heard[talker].n_alone >= self._heard[talker].n_told]
        out += [self._voice_of(talker) for talker in early]
        gone = [talker for talker in sorted(self._heard) if talker not in there]
        out += [self._voice_of(talker) for talker in gone if talker not in early]
        for talker in gone:
            del self._heard[talker]
        return out

    def _told(self, final: Activity, end_ns: int = 0) -> list[TalkerBlock | TalkerVoice]:
        """The block of activity that became final; what each talker said in it is kept for their voice."""
        n_steps = final.active.shape[1]
        if not n_steps:
            return []
        alone = final.active.sum(axis=0) == 1
        talkers = tuple(self._number(name) for name in final.talkers)
        for row, talker in enumerate(talkers):
            heard = self._heard.setdefault(talker, _Heard())
            heard.take(self._sound(final.first, final.active[row] & alone), alone=True)
            heard.take(self._sound(final.first, final.active[row] & ~alone), alone=False)
        # A step of the network is about the sound around its middle sample.
        pts_ns = self._origin_ns + (final.first * STEP_FRAMES + _FIRST_EDGE_FRAMES) * NS_PER_S // _RATE_HZ
        self._final_ns = max(pts_ns + n_steps * STEP_NS, end_ns)
        return [
            TalkerBlock(
                pts_ns=pts_ns,
                duration_ns=self._final_ns - pts_ns,
                track=self._track,
                talkers=talkers,
                active=final.active,
                step_ns=STEP_NS,
            )
        ]

    def _number(self, name: int) -> int:
        """What a talker is called in the session: the millisecond at which they were first heard, so no stretch has another's numbers."""
        return (self._origin_ns + name * STEP_NS) // 10**6

    def _sound(self, first: int, steps: BoolArray) -> Float32Array:
        """The samples under the steps that are true; `steps` begins at step `first`."""
        begin = first * STEP_FRAMES + _FIRST_EDGE_FRAMES - self._samples_first
        samples = self._samples[begin : begin + len(steps) * STEP_FRAMES]
        return samples[np.repeat(steps, STEP_FRAMES)[: len(samples)]]

    def _voice_of(self, talker: int) -> TalkerVoice:
        heard = self._heard[talker]
        heard.n_told = max(4 * heard.n_told, heard.n_alone)
        audio = heard.audio()
        known = len(audio) >= _LEAST_VOICE_FRAMES and bool(np.any(audio))
        return TalkerVoice(
            pts_ns=self._final_ns,
            duration_ns=0,
            track=self._track,
            talker=talker,
            seconds=heard.n_alone / _RATE_HZ,
            voice=self._voice(audio) if known else None,
        )
