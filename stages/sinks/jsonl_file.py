"""Lines to a file, one JSON object a line: a graph without a memory."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from pipeline.packets import Line, seconds
from pipeline.stage import Emit, In, Stage


class JsonlFileError(RuntimeError):
    """The file cannot be written."""


class JsonlFile(Stage):
    """Writes each line, as it comes, in the form of `echoic export --format jsonl`; copies too when `copies` is set."""

    line = In(Line)
    lossless = True

    def __init__(self, path: str, copies: bool = False) -> None:
        self._path = Path(path)
        self._copies = copies
        self._file: IO[str] | None = None

    def start(self) -> None:
        """Make the file anew. Raises JsonlFileError when it cannot be made."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            raise JsonlFileError(f"{self._path}: cannot be written ({error.strerror}); give another path") from error

    def stop(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def on_line(self, line: Line) -> Iterable[Emit[Any]]:
        """Write one line. Raises JsonlFileError when the disk does not take it."""
        transcript, track = line.transcript, line.transcript.utterance.track
        if self._file is None or (transcript.copy_of is not None and not self._copies):
            return ()
        row = {
            "id": transcript.key,
            "session": None,
            "start_s": seconds(line.pts_ns),
            "end_s": seconds(line.end_ns),
            "track": track.name,
            "azimuth_deg": track.azimuth_deg,
            "speaker": None,
            "text": transcript.text,
            "words": [{"text": word.text, "start_s": seconds(word.start_ns), "end_s": seconds(word.end_ns)} for word in transcript.words],
            "event": None,
            "copy_of": transcript.copy_of,
        }
        try:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise JsonlFileError(f"{self._path}: cannot be written ({error.strerror}); make room on the disk") from error
        return ()
