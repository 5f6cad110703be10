"""What people are saying, to a file, while they still speak."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.packets import PartialTranscript, seconds
from pipeline.stage import Emit, In, Stage
from stages.sinks.json_lines import JsonLines


class PartialJsonlFile(Stage):
    """Writes each partial transcript, as it comes, as one JSON object a line: for captions, with `tail -f` or through a named pipe.

    A row has `start_s` (where the utterance starts, in seconds of the session: the same in all its rows), `end_s` (how far it was heard),
    `track`, `azimuth_deg` (None without a bearing), `text` and `stable_text`, the beginning of `text` that no later row of this
    utterance takes back. A row replaces those before it that have the same `track` and `start_s`. Final lines go elsewhere: into the
    memory, or to a `JsonlFile`.

    Args:
        path: the file, which is made anew; folders that are missing are made.
    """

    partial = In(PartialTranscript)
    lossless = True

    def __init__(self, path: str) -> None:
        self._rows = JsonLines(path)

    def start(self) -> None:
        """Make the file anew. Raises JsonlPathError when it cannot be made."""
        self._rows.open()

    def stop(self) -> None:
        """Close the file."""
        self._rows.close()

    def on_partial(self, partial: PartialTranscript) -> Iterable[Emit[Any]]:
        """Write one row. Raises JsonlFileError when the disk does not take it."""
        self._rows.write(
            {
                "start_s": seconds(partial.pts_ns),
                "end_s": seconds(partial.end_ns),
                "track": partial.track.name,
                "azimuth_deg": partial.track.azimuth_deg,
                "text": partial.text,
                "stable_text": partial.stable_text,
            }
        )
        return ()
