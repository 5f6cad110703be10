"""The audio of a recorded session: FLAC segments of equal length, and the newest part as a raw AU file that grows.

    audio/000000.flac   24 bit; arrays of more than eight microphones are split: 000000-a.flac, 000000-b.flac, ...
    audio/000001.au     what is not yet in FLAC, all channels, 24 bit

While both stand for one segment (a crash between writing one and removing the other) the longer one holds.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import numpy as np

from pipeline.durable import remove_unfinished, sync_folder, write_whole
from pipeline.pcm import AU_HEADER_BYTES, SAMPLE_BYTES, Levels, au_header, pack, unpack
from pipeline.session_info import SessionInfo
from pipeline.sound_file import Lost, SoundFile, SoundFileError

# FLAC's own limit.
MOST_CHANNELS = 8
_NAME = re.compile(r"(\d{6,})(?:-[a-z])?\.(?:flac|au)")


def segment_index(name: str) -> int | None:
    """The index of the segment that a file belongs to, by its name; None for any other file."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


class AudioFolder:
    """Knows the files of one recording: names, lengths, reading and writing of whole segments."""

    def __init__(self, folder: Path, n_channels: int, sample_rate_hz: int, segment_frames: int) -> None:
        self.folder = folder
        self.n_channels = n_channels
        self.sample_rate_hz = sample_rate_hz
        self.segment_frames = segment_frames
        self._parts = [slice(first, min(first + MOST_CHANNELS, n_channels)) for first in range(0, n_channels, MOST_CHANNELS)]
        self._open: tuple[int, int, list[SoundFile]] | None = None

    def flac_paths(self, index: int) -> list[Path]:
        """The FLAC files of a segment."""
        letters = [""] if len(self._parts) == 1 else [f"-{chr(ord('a') + part)}" for part in range(len(self._parts))]
        return [self.folder / f"{index:06d}{letter}.flac" for letter in letters]

    def tail_path(self, index: int) -> Path:
        """The AU file of a segment that is not yet in FLAC."""
        return self.folder / f"{index:06d}.au"

    def last_index(self) -> int:
        """The newest segment of which there is a file, -1 where there is none."""
        try:
            found = [segment_index(name) for name in os.listdir(self.folder)]
        except FileNotFoundError:
            return -1
        return max((index for index in found if index is not None), default=-1)

    def frames_of(self, index: int) -> int:
        """How many frames of a segment there are, in the longer of its two forms; 0 where there is nothing to read."""
        return max(self.flac_frames(index), self.tail_frames(index))

    def flac_frames(self, index: int) -> int:
        """How many frames the FLAC files of a segment declare; 0 unless all are there."""
        try:
            files = self._flac(index)
        except (SoundFileError, FileNotFoundError):
            return 0
        fit = all(file.n_channels == part.stop - part.start for file, part in zip(files, self._parts, strict=True))
        return min(file.n_frames for file in files) if fit else 0

    def tail_frames(self, index: int) -> int:
        """How many whole frames the AU file of a segment holds; 0 where there is none."""
        try:
            size = self.tail_path(index).stat().st_size
        except FileNotFoundError:
            return 0
        return min(max(0, size - AU_HEADER_BYTES) // (SAMPLE_BYTES * self.n_channels), self.segment_frames)

    def read(self, index: int, first: int, n_frames: int) -> tuple[Levels, Lost]:
        """Frames of one segment, int32 levels, shape (channels, n_frames), and the stretches in it that cannot be read (0)."""
        # The writer may put a FLAC in the place of the tail between two looks, so look at the FLAC again after the tail.
        for read in (self._read_flac, self._read_tail, self._read_flac):
            found = read(index, first, n_frames)
            if found is not None:
                return found
            self.close()
        return np.zeros((self.n_channels, n_frames), dtype=np.int32), ((first, n_frames),)

    def write_flac(self, index: int, levels: Levels) -> None:
        """Write a segment, int32 levels, shape (channels, frames), as FLAC and remove its tail. Raises OSError."""
        self.close()
        for path, part in zip(self.flac_paths(index), self._parts, strict=True):
            write_whole(path, self._encoded(levels[part]))
        self.tail_path(index).unlink(missing_ok=True)

    def write_tail(self, index: int, levels: Levels) -> None:
        """Turn a segment back into a tail that can grow, and remove its FLAC. Raises OSError."""
        self.close()
        write_whole(self.tail_path(index), au_header(self.sample_rate_hz, self.n_channels) + pack(levels))
        for path in self.flac_paths(index):
            path.unlink(missing_ok=True)

    def mend(self) -> None:
        """After a crash: remove half-written files, and of two forms of one segment the shorter. Raises OSError."""
        self.close()
        if not self.folder.is_dir():
            return
        remove_unfinished(self.folder)
        for tail in self.folder.glob("*.au"):
            index = segment_index(tail.name)
            if index is None:
                continue
            held = self.tail_frames(index)
            if self.flac_frames(index) >= max(held, 1):
                tail.unlink()
            elif held:
                for path in self.flac_paths(index):
                    path.unlink(missing_ok=True)
            elif not any(path.exists() for path in self.flac_paths(index)):
                tail.unlink()
        self.close()
        sync_folder(self.folder)

    def close(self) -> None:
        """Close the files that are open for reading."""
        if self._open is not None:
            for file in self._open[2]:
                file.close()
            self._open = None

    def _read_flac(self, index: int, first: int, n_frames: int) -> tuple[Levels, Lost] | None:
        if self.flac_frames(index) < first + n_frames:
            return None
        levels = np.zeros((self.n_channels, n_frames), dtype=np.int32)
        lost: list[tuple[int, int]] = []
        for file, part in zip(self._flac(index), self._parts, strict=True):
            samples, damaged = file.read(first, n_frames, "int32")
            levels[part, : samples.shape[1]] = samples.astype(np.int32, copy=False) >> 8
            lost.extend(damaged)
        return levels, tuple(lost)

    def _read_tail(self, index: int, first: int, n_frames: int) -> tuple[Levels, Lost] | None:
        frame_bytes = SAMPLE_BYTES * self.n_channels
        try:
            with self.tail_path(index).open("rb") as file:
                file.seek(AU_HEADER_BYTES + first * frame_bytes)
                levels = unpack(file.read(n_frames * frame_bytes), self.n_channels)
        except FileNotFoundError:
            return None
        return (levels, ()) if levels.shape[1] == n_frames else None

    def _flac(self, index: int) -> list[SoundFile]:
        """The FLAC files of a segment, kept open until another segment is wanted or the writer has replaced them."""
        inode = self.flac_paths(index)[0].stat().st_ino
        if self._open is None or self._open[:2] != (index, inode):
            self.close()
            files: list[SoundFile] = []
            try:
                for path in self.flac_paths(index):
                    files.append(SoundFile(path))  # noqa: PERF401 - those already open must be closed when one fails
            except (SoundFileError, FileNotFoundError):
                for file in files:
                    file.close()
                raise
            self._open = (index, inode, files)
        return self._open[2]

    def _encoded(self, levels: Levels) -> bytes:
        """FLAC of up to eight channels, made in memory: libsndfile does not tell when a disk is full."""
        import soundfile

        buffer = io.BytesIO()
        with soundfile.SoundFile(buffer, "w", self.sample_rate_hz, len(levels), "PCM_24", format="FLAC") as file:
            for first in range(0, levels.shape[1], self.sample_rate_hz):
                file.write(np.ascontiguousarray(levels[:, first : first + self.sample_rate_hz].T) << 8)
        return buffer.getvalue()


def audio_folder(directory: Path, info: SessionInfo) -> AudioFolder:
    """The audio of a session."""
    return AudioFolder(directory / "audio", info.n_channels, info.sample_rate_hz, info.segment_frames)
