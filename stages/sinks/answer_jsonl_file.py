"""Answers to spoken questions, to a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.packets import SpokenAnswer, seconds
from pipeline.stage import Emit, In, Stage
from stages.sinks.json_lines import JsonLines


class AnswerJsonlFile(Stage):
    """Writes each answer as one JSON object a line: that of `echoic ask --json`, with who asked and when under `asked`.

    Args:
        path: the file, which is made anew; folders that are missing are made.
    """

    answer = In(SpokenAnswer)
    lossless = True

    def __init__(self, path: str) -> None:
        self._rows = JsonLines(path)

    def start(self) -> None:
        """Make the file anew. Raises JsonlPathError when it cannot be made."""
        self._rows.open()

    def stop(self) -> None:
        """Close the file."""
        self._rows.close()

    def on_answer(self, answer: SpokenAnswer) -> Iterable[Emit[Any]]:
        """Write one row. Raises JsonlFileError when the disk does not take it."""
        track = answer.question.track
        asked = {"start_s": seconds(answer.pts_ns), "end_s": seconds(answer.end_ns), "track": track.name, "azimuth_deg": track.azimuth_deg}
        self._rows.write({**answer.answer, "asked": asked})
        return ()
