"""A file of JSON objects, one a line, for whoever reads along."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import IO, Any


class JsonlFileError(RuntimeError):
    """The file cannot be written."""


class JsonlPathError(JsonlFileError):
    """There can be no file at this path: another one must be given."""

    exit_code = 2


class JsonLines:
    """A file that is made anew when it is opened; each row is on its way to the disk when `write` returns."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._file: IO[str] | None = None

    def open(self) -> None:
        """Make the file, and the folders above it. Raises JsonlPathError when it cannot be made."""
        self.close()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            raise JsonlPathError(f"{self._path}: cannot be written ({error.strerror}); give another path") from error

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def write(self, row: dict[str, Any]) -> None:
        """Write one row; none where the file is not open. Raises JsonlFileError when the disk does not take it."""
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            # Closing would try once more to write what is left.
            with suppress(OSError):
                self.close()
            raise JsonlFileError(f"{self._path}: cannot be written ({error.strerror}); make room on the disk") from error
