"""Where utterances begin and end when windows of one length are cut whatever is said: a pure state machine."""

from __future__ import annotations

import numpy as np

from stages.speech.frame_grid import Frame
from stages.speech.utterance_state import Cut


class FixedWindow:
    """Cuts a stretch of one track into windows of one length and keeps those that hold enough speech.

    Lengths are in samples. The audio of a window is whole; the utterance begins and ends with the first and last frame whose
    probability reaches the threshold.
    """

    def __init__(self, threshold: float, window: int, shortest: int) -> None:
        self._threshold = threshold
        self._window = window
        self._shortest = shortest
        self._frames: list[Frame] = []
        self._spoken: list[Frame] = []

    def push(self, frame: Frame) -> list[Cut]:
        """The window that is full with this frame, if it holds enough speech."""
        self._frames.append(frame)
        if frame.probability >= self._threshold:
            self._spoken.append(frame)
        return self.close() if frame.end - self._frames[0].first >= self._window else []

    def close(self) -> list[Cut]:
        """The window as far as it has come, if it holds enough speech."""
        frames, spoken = self._frames, self._spoken
        self._frames, self._spoken = [], []
        n_spoken = sum(len(frame.samples) for frame in spoken)
        if n_spoken < max(self._shortest, 1):
            return []
        return [
            Cut(
                start=spoken[0].first,
                end=spoken[-1].end,
                audio_first=frames[0].first,
                samples=np.concatenate([frame.samples for frame in frames]),
                presence=sum(len(frame.samples) * frame.presence for frame in spoken) / n_spoken,
                presences=np.array([frame.presence for frame in frames], dtype=np.float32),
            )
        ]

    def earliest_end(self) -> int | None:
        """The open window's utterance ends no earlier than at this sample; None when nothing was said in it."""
        return self._spoken[-1].end if self._spoken else None
