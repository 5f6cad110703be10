"""What can go wrong between an answer and the ear."""

from __future__ import annotations


class SpeakingError(RuntimeError):
    """A text cannot be spoken, or sound cannot be played: a voice, espeak-ng or a device failed."""

    exit_code = 1


class SinkError(ValueError):
    """What was given as a sink is none; the message says what is."""

    exit_code = 2
