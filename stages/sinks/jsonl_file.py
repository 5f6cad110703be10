"""Lines to a file, one JSON object a line: a graph without a memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.packets import Line, seconds
from pipeline.stage import Emit, In, Stage
from stages.sinks.json_lines import JsonLines


class JsonlFile(Stage):
    """Writes each line, as it comes, in the form of `echoic export --format jsonl`; copies too when `copies` is set.

    Args:
        path: the file, which is made anew; folders that are missing are made.
        copies: whether lines that leaked from another beam are written too.
    """

    line = In(Line)
    lossless = True

    def __init__(self, path: str, copies: bool = False) -> None:
        self._rows = JsonLines(path)
        self._copies = copies

    def start(self) -> None:
        """Make the file anew. Raises JsonlPathError when it cannot be made."""
        self._rows.open()

    def stop(self) -> None:
        """Close the file."""
        self._rows.close()

    def on_line(self, line: Line) -> Iterable[Emit[Any]]:
        """Write one line. Raises JsonlFileError when the disk does not take it."""
        transcript, track = line.transcript, line.transcript.utterance.track
        if transcript.copy_of is not None and not self._copies:
            return ()
        self._rows.write(
            {
                "id": transcript.key,
                "session": None,
                "start_s": seconds(line.pts_ns),
                "end_s": seconds(line.end_ns),
                "track": track.name,
                "azimuth_deg": track.azimuth_deg,
                "speaker": None,
                "text": transcript.text,
                "words": [
                    {"text": word.text, "start_s": seconds(word.start_ns), "end_s": seconds(word.end_ns)} for word in transcript.words
                ],
                "event": None,
                "copy_of": transcript.copy_of,
            }
        )
        return ()
