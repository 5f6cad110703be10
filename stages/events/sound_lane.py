"""How surprising the sounds are that were heard before a line, given those before other lines: a pure state machine."""

from __future__ import annotations

import math
from collections import deque

_RECENT_LINES = 40
_KNOWN_LINES = 6
_MOST_PENDING = 16

OF_TALK = frozenset(
    (
        *("Laughter", "Baby laughter", "Giggle", "Snicker", "Belly laugh", "Chuckle, chortle", "Crying, sobbing", "Whimper", "Whistling"),
        *("Snoring", "Snort", "Cough", "Throat clearing", "Sneeze", "Sniff", "Burping, eructation", "Hiccup", "Chewing, mastication"),
        *("Gargling", "Fart", "Finger snapping"),
    )
)
"""Classes of AudioSet that people make as they talk: they go with what is said, and tell nothing of what comes next."""


class SoundLane:
    """`hear` takes the label of each sound, `take` says how surprising they were once the next line is there."""

    def __init__(self) -> None:
        self._pending: list[str] = []
        self._recent: deque[frozenset[str]] = deque(maxlen=_RECENT_LINES)

    def hear(self, label: str) -> None:
        """A sound that is not speech was heard; those of `OF_TALK` count for nothing."""
        if label not in OF_TALK and label not in self._pending and len(self._pending) < _MOST_PENDING:
            self._pending.append(label)

    def take(self) -> tuple[float, str]:
        """The greatest surprise of the sounds since the line before, in nats, and its label: 0.0 and "" where there were none.

        While a conversation is only beginning, no sound is a surprise.
        """
        count = len(self._recent)
        nats = [
            (math.log((count + 2) / (sum(label in heard for heard in self._recent) + 1)), label)
            for label in self._pending
            if count >= _KNOWN_LINES
        ]
        self._recent.append(frozenset(self._pending))
        self._pending = []
        return max(nats, default=(0.0, ""), key=lambda entry: entry[0])
