"""An answer on a terminal as it comes: the first words at once, better words where there are any, then the proof."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.app.answer_text import answer_text, evidence_text
from pipeline.app.console import result


class AnswerScreen:
    """Shows one answer. With `at_once` its first words are shown before the rest is there; without, all is shown at the end."""

    def __init__(self, memory: Path, *, at_once: bool) -> None:
        self.at_once = at_once
        self._memory = memory
        self._said: str | None = None

    def draft(self, answer: Mapping[str, Any]) -> None:
        """The first words have come: an answer's JSON so far."""
        if self.at_once and self._said is None:
            self._said = str(answer["answer"])
            result(self._said)

    def final(self, answer: Mapping[str, Any], starts: Mapping[str, datetime]) -> None:
        """The whole answer has come: what of it has not been shown yet. `starts` says when each session began."""
        if self._said is None:
            result(answer_text(answer, starts, self._memory))
            return
        if answer["answer"] != self._said:
            result(f"\nIn other words: {answer['answer']}")
        proof = evidence_text(answer, starts, self._memory)
        if proof:
            result(f"\n{proof}")
