"""Whoever asked can interrupt the answer: speech stops it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.packets import SpeechBlock, nanoseconds
from pipeline.stage import Emit, In, Stage
from stages.asking.asking_errors import AskingError
from stages.speaking.player import Player


class BargeIn(Stage):
    """Stops the player when whoever it speaks to has spoken for `speech_s` since it began.

    It reads the speech as it is detected, before there are words. An answer that comes out of a loudspeaker must not be heard on the
    user's own track, or it would interrupt itself: on an array it comes from another direction, on one microphone it needs headphones.

    Args:
        player: what is stopped.
        speech_s: how long they must have spoken, over 0 and at most 5 s.
        threshold: the probability (0 to 1) from which a block is speech.

    Raises:
        AskingError: a setting is out of its range.
    """

    speech = In(SpeechBlock)
    lossless = True

    def __init__(self, player: Player, speech_s: float = 0.25, threshold: float = 0.6) -> None:
        if not 0 < speech_s <= 5 or not 0 <= threshold <= 1:
            raise AskingError(f"BargeIn: speech_s {speech_s} and threshold {threshold}; allowed are over 0 to 5, and 0 to 1")
        self._player = player
        self._speech_ns = nanoseconds(speech_s)
        self._threshold = threshold
        self._spoken_ns = 0

    def on_speech(self, block: SpeechBlock) -> Iterator[Emit[Any]]:
        """Count how long the listener has spoken without a pause."""
        if not self._player.is_playing:
            self._spoken_ns = 0
        elif self._player.listener in {"", block.beam.track.name}:
            self._spoken_ns = self._spoken_ns + block.duration_ns if block.probability >= self._threshold else 0
            if self._spoken_ns >= self._speech_ns:
                self._player.stop()
                self._spoken_ns = 0
        return iter(())
