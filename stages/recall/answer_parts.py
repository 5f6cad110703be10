"""An answer as it comes: first in the speakers' own words, then claim by claim as a language model words it, then whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stages.recall.answers import Answer, Claim


@dataclass(frozen=True)
class Draft:
    """The first words: the extractive answer, with its gaps. It has no clips yet, and only the times that have passed."""

    answer: Answer

    def to_json(self) -> dict[str, Any]:
        """The JSON of the answer so far."""
        return self.answer.to_json()


@dataclass(frozen=True)
class Worded:
    """A claim in better words, checked against its evidence. It takes the place of the draft's claim `place` (from 0)."""

    place: int
    claim: Claim

    def to_json(self) -> dict[str, Any]:
        """{"place": 0, "claim": {...}}."""
        return {"place": self.place, "claim": self.claim.to_json()}


@dataclass(frozen=True)
class Final:
    """The whole answer, as `ask` gives it."""

    answer: Answer

    def to_json(self) -> dict[str, Any]:
        """The JSON of `ask --json`."""
        return self.answer.to_json()


AnswerPart = Draft | Worded | Final
