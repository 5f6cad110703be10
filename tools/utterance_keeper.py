"""Keeps the utterances that a graph cuts, so that the benchmark can give the very same ones to the recogniser alone."""

from __future__ import annotations

from pipeline.packets import Utterance
from pipeline.stage import In, Stage


class UtteranceKeeper(Stage):
    """A sink that keeps every utterance, in order."""

    utterance = In(Utterance)

    def __init__(self) -> None:
        self.utterances: list[Utterance] = []

    def on_utterance(self, utterance: Utterance) -> None:
        """Keep it."""
        self.utterances.append(utterance)
