"""Which words of a growing text will stay: those on which successive hypotheses agree.

LocalAgreement with n = 2 (Liu et al. 2020), as Machacek et al. (2023) use it for Whisper: the longest common beginning of two
successive hypotheses over a growing piece of audio is settled, and never taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from models.repetition import plain


class LocalAgreement:
    """Follows the hypotheses for one utterance, as lists of words."""

    def __init__(self) -> None:
        self._settled: list[str] = []
        self._previous: list[str] = []

    def take(self, words: Sequence[str]) -> tuple[list[str], list[str]]:
        """Hear the next hypothesis.

        Returns:
            The settled words, and all words: the settled ones and what this hypothesis has behind them.
        """
        hypothesis = list(words)
        pairs = zip(hypothesis, self._previous, strict=False)
        n_agreed = sum(1 for _ in takewhile(lambda pair: plain(pair[0]) == plain(pair[1]), pairs))
        # What is settled stays as it was written, even if this hypothesis has it otherwise.
        self._settled += hypothesis[len(self._settled) : n_agreed]
        self._previous = hypothesis
        return list(self._settled), self._settled + hypothesis[len(self._settled) :]
