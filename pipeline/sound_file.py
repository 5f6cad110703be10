"""Reads a sound file piece by piece, also where parts of it are damaged or missing."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

# libsndfile gives nothing from a read in which a damaged place lies, so around one it is asked for little at a time.
_STEP_FRAMES = 4096
# Sizes that programs write into the head of a WAV which they stream: they say nothing about its length.
_STREAMED_BYTES = 0x7FFF0000

Samples = npt.NDArray[np.float32] | npt.NDArray[np.int32]
Lost = tuple[tuple[int, int], ...]


class SoundFileError(ValueError):
    """A file cannot be read as sound."""


class SoundFile:
    """A sound file that libsndfile reads (WAV, FLAC, Ogg, MP3, AIFF, AU and more).

    `n_frames` is what the file declares, which is more than it holds where it was cut off.
    Raises SoundFileError where the file cannot be read as sound at all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = self._open()
        self.n_channels: int = self._file.channels
        self.sample_rate_hz: int = self._file.samplerate
        self._n_held: int = self._file.frames
        self.n_frames: int = max(self._n_held, _declared_frames(path))
        self._readable_end: int | None = None

    @property
    def readable_end(self) -> int:
        """The frame after the last that can be read, as far as is known by now; after it `n_frames` are only promised."""
        return self._n_held if self._readable_end is None else self._readable_end

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, first: int, n_frames: int, dtype: Literal["float32", "int32"] = "float32") -> tuple[Samples, Lost]:
        """The frames from `first` on, shape (channels, frames), fewer where the file ends.

        Also the stretches (first, number of frames) that cannot be read; they are 0 in the samples. int32 is scaled to the
        full 32 bits.
        """
        n_frames = max(0, min(n_frames, self.n_frames - first))
        samples = np.zeros((self.n_channels, n_frames), dtype=dtype)
        whole = self._take(first, n_frames, dtype)
        if len(whole) == n_frames:
            return np.ascontiguousarray(whole.T), ()
        lost: list[tuple[int, int]] = []
        for offset in range(0, n_frames, _STEP_FRAMES):
            size = min(_STEP_FRAMES, n_frames - offset)
            piece = self._take(first + offset, size, dtype)
            samples[:, offset : offset + len(piece)] = piece.T
            if len(piece) < size:
                start = first + offset + len(piece)
                self._look_for_end(start, dtype)
                if lost and sum(lost[-1]) == start:
                    start = lost.pop()[0]
                lost.append((start, first + offset + size - start))
        return samples, tuple(lost)

    def _open(self) -> Any:
        import soundfile

        try:
            return soundfile.SoundFile(str(self.path))
        except (soundfile.SoundFileError, OSError) as error:
            raise SoundFileError(f"{self.path}: {str(error).rpartition(': ')[2].rstrip('.')}") from error

    def _take(self, first: int, n_frames: int, dtype: str) -> Any:
        """What one read gives, shape (frames, channels); nothing where libsndfile stumbles."""
        import soundfile

        n_frames = min(n_frames, self.readable_end - first)
        if n_frames <= 0:
            return np.zeros((0, self.n_channels), dtype=dtype)
        try:
            if self._file.tell() != first:
                self._file.seek(first)
            return self._file.read(n_frames, dtype=dtype, always_2d=True)
        except soundfile.SoundFileError:
            # After an error the decoder is of no use any more.
            self._file.close()
            self._file = self._open()
            return np.zeros((0, self.n_channels), dtype=dtype)

    def _look_for_end(self, failed_at: int, dtype: str) -> None:
        """A file whose last frames cannot be read either was cut off: do not look for more, step by step, for hours."""
        if self._readable_end is None and failed_at < self._n_held - _STEP_FRAMES and not len(self._take(self._n_held - 1, 1, dtype)):
            self._readable_end = failed_at


def _declared_frames(path: Path) -> int:
    """How many frames a WAV's head promises; 0 for other files. libsndfile tells only what is there."""
    with path.open("rb") as file:
        riff, _, wave = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
        if riff != b"RIFF" or wave != b"WAVE":
            return 0
        frame_bytes = 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                return size // frame_bytes if frame_bytes and size < _STREAMED_BYTES else 0
            body = file.read(min(size, 16)) if name == b"fmt " else b""
            if len(body) == 16:
                frame_bytes = struct.unpack("<H", body[12:14])[0]
            file.seek(size + size % 2 - len(body), 1)
    return 0
