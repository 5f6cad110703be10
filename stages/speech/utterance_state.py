"""Where utterances begin and end on one track: a pure state machine, frames in, cuts out."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from pipeline.packets import Float32Array
from stages.speech.frame_grid import Frame

# Silero's own segmentation leaves speech 0.15 below the probability at which it enters it.
HYSTERESIS = 0.15
# Weighs a fall in level against a fall in probability when a long utterance must be cut: 50 dB count as much as 1.0.
_LEVEL_WEIGHT_PER_DB = 0.02
_SILENCE_POWER = 1e-10


@dataclass(frozen=True)
class CutRules:
    """When an utterance begins and ends. Lengths are in samples; see `UtteranceCutter` for what each means."""

    threshold: float
    lead: int
    tail: int
    hang: int
    shortest: int
    longest: int
    cut_window: int
    presence_floor: float


@dataclass(frozen=True)
class Cut:
    """An utterance: it is voiced from `start` to `end`, and its audio begins at `audio_first`. Samples of the stretch.

    `presence` is the mean over its voiced frames, `presences` that of each of its frames, float32, shape (frames,).
    """

    start: int
    end: int
    audio_first: int
    samples: Float32Array
    presence: float
    presences: Float32Array


class UtteranceState:
    """Follows one unbroken stretch of one track.

    A frame is *voiced* when it is speech (with hysteresis) and comes from the track's own direction. An utterance opens with
    a voiced frame and closes when no frame was voiced for the hang-over. No sample is in two utterances, and between the
    first and the last sample of one none is missing.
    """

    def __init__(self, rules: CutRules) -> None:
        self._rules = rules
        self._frames: deque[tuple[Frame, bool]] = deque()
        self._start: int | None = None
        self._voiced_end = 0
        self._speaking = False
        self._presence: float | None = None

    def push(self, frame: Frame) -> list[Cut]:
        """The utterances that end with what this frame shows: none, or one; two where a long one was cut."""
        return self._take(frame, self._is_voiced(frame))

    def close(self) -> list[Cut]:
        """The stretch is over: the open utterance ends."""
        return self._end_utterance()

    def earliest_end(self) -> int | None:
        """An utterance that is open ends no earlier than at this sample; None when none is open."""
        if self._start is None:
            return None
        # One that grows too long is cut in the window before its bound, and ends with the last voiced frame before the cut.
        earliest_cut = self._start + self._rules.longest - self._rules.cut_window - self._rules.hang
        return min(self._voiced_end, max(self._start, earliest_cut))

    def open_cut(self) -> Cut | None:
        """What the open utterance would be if it ended now; None when none is open or too little was said."""
        cuts = self._cut(list(self._frames), self._start) if self._start is not None else []
        return cuts[0] if cuts else None

    def _is_voiced(self, frame: Frame) -> bool:
        threshold = self._rules.threshold - (HYSTERESIS if self._speaking else 0.0)
        self._speaking = frame.probability >= max(threshold, 0.01)
        if not self._speaking:
            return False
        # Presence is measured anew for each block and flickers; four frames (0.13 s) are about one syllable.
        self._presence = frame.presence if self._presence is None else self._presence + (frame.presence - self._presence) / 4
        return self._presence >= self._rules.presence_floor

    def _take(self, frame: Frame, voiced: bool) -> list[Cut]:
        self._frames.append((frame, voiced))
        if self._start is None:
            if not voiced:
                self._forget_before(frame.end - self._rules.lead)
                return []
            self._start = frame.first
        if voiced:
            self._voiced_end = frame.end
        elif frame.end - self._voiced_end >= self._rules.hang:
            return self._end_utterance()
        if frame.end - self._start >= self._rules.longest:
            return self._split()
        return []

    def _forget_before(self, sample: int) -> None:
        while self._frames and self._frames[0][0].first < sample:
            self._frames.popleft()

    def _end_utterance(self) -> list[Cut]:
        """Close what is open; what came after its tail may become the lead of the next."""
        if self._start is None:
            return []
        inside = [(frame, voiced) for frame, voiced in self._frames if frame.first < self._voiced_end + self._rules.tail]
        cut = self._cut(inside, self._start)
        for _ in inside:
            self._frames.popleft()
        self._start = None
        self._forget_before((self._frames[-1][0].end if self._frames else 0) - self._rules.lead)
        return cut

    def _split(self) -> list[Cut]:
        """Cut an utterance that has grown too long where it is quietest, and go on with the rest."""
        frames = list(self._frames)
        split = self._quietest(frames)
        start = self._start if self._start is not None else frames[0][0].first
        before, after = frames[:split], frames[split:]
        cuts = self._cut(before, start)
        self._frames.clear()
        self._start = None
        for frame, voiced in after:
            cuts += self._take(frame, voiced)
        return cuts

    def _quietest(self, frames: list[tuple[Frame, bool]]) -> int:
        """Before which frame to cut: the lowest probability and level in the window before the bound, the latest of equals."""
        newest = frames[-1][0].end
        costs = [frame.probability + _LEVEL_WEIGHT_PER_DB * _level_db(frame) for frame, _ in frames]
        best, best_cost = len(frames) - 1, math.inf
        for index in range(1, len(frames)):
            cost = costs[index - 1] + costs[index]
            if frames[index][0].first >= newest - self._rules.cut_window and cost <= best_cost:
                best, best_cost = index, cost
        return best

    def _cut(self, frames: list[tuple[Frame, bool]], start: int) -> list[Cut]:
        spoken = [frame for frame, voiced in frames if voiced]
        n_spoken = sum(len(frame.samples) for frame in spoken)
        if n_spoken < max(self._rules.shortest, 1):
            return []
        return [
            Cut(
                start=start,
                end=spoken[-1].end,
                audio_first=frames[0][0].first,
                samples=np.concatenate([frame.samples for frame, _ in frames]),
                presence=sum(len(frame.samples) * frame.presence for frame in spoken) / n_spoken,
                presences=np.array([frame.presence for frame, _ in frames], dtype=np.float32),
            )
        ]


def _level_db(frame: Frame) -> float:
    power = float(np.mean(np.square(frame.samples, dtype=np.float64)))
    return 10 * math.log10(power + _SILENCE_POWER)
