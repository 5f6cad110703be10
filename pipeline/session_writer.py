"""Writes a recorded session: every sample is on disk when it has been handed in, and a crash loses nothing that was."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np

from pipeline.audio_folder import audio_folder
from pipeline.durable import lock_folder, write_all
from pipeline.gap_log import GapLog, n_gap_lines, read_gaps
from pipeline.packets import Float32Array, Gap
from pipeline.pcm import AU_HEADER_BYTES, SAMPLE_BYTES, Levels, au_header, pack, quantise
from pipeline.recorded import UNREADABLE, Recorded, as_recorded, gap_at
from pipeline.retention import first_kept
from pipeline.session_info import SessionDiskError, SessionError, SessionInfo, disk_errors, has_session, load_info, save_info

_LOG = logging.getLogger("echoic.session")
_SYNC_S = 0.5


class SessionWriter:
    """Records a session, or goes on with one that was begun before. One writer at a time, which a lock on the directory holds.

    Every `append` is in the file when it returns, so it outlives the process; every half second of audio it is synced, so it
    outlives the power. Raises SessionError where the directory holds another recording, SessionDiskError where the disk fails.
    """

    def __init__(self, directory: Path, info: SessionInfo | None = None) -> None:
        self.directory = directory
        self._failed = False
        self._tail: int | None = None
        self._n_unsynced = 0
        if info is None:
            load_info(directory)
        with disk_errors(f"session {directory}"):
            (directory / "audio").mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            try:
                opened.callback(os.close, lock_folder(directory))
            except BlockingIOError as error:
                raise SessionError(f"session {directory} is being recorded by another process; wait until it has ended") from error
            self.info = begin_session(directory, info)
            self.n_clipped = self.info.n_clipped
            self._audio = audio_folder(directory, self.info)
            opened.callback(self._audio.close)
            self._held = np.zeros((self.info.n_channels, self.info.segment_frames), dtype=np.int32)
            with disk_errors(f"session {self.info.id}"):
                self._gap_log = GapLog(directory / "gaps.jsonl")
                opened.callback(self._gap_log.close)
                opened.callback(self._close_tail)
                self._index, self._n_held = self._resume()
            self._opened: ExitStack | None = opened.pop_all()

    @property
    def frames(self) -> int:
        """How many frames are recorded."""
        return self._index * self.info.segment_frames + self._n_held

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What was lost so far."""
        return read_gaps(self.directory / "gaps.jsonl")

    def append(self, samples: Float32Array) -> Recorded:
        """Record samples, float32, shape (channels, frames); gives them back as they will be heard.

        Values that are not finite numbers become 0 and a Gap.
        """
        if samples.ndim != 2 or len(samples) != self.info.n_channels:
            raise SessionError(
                f"session {self.info.id}: expected samples of shape ({self.info.n_channels}, frames), found {samples.shape}; "
                f"the array is {self.info.array.name}"
            )
        if self._failed:
            raise SessionDiskError(f"session {self.info.id}: the recording has ended because the disk failed")
        quantised = quantise(samples)
        recorded = as_recorded(quantised, self.frames, self.info.sample_rate_hz)
        with self._guard():
            for gap in recorded.gaps:
                self._gap_log.append(gap)
            first = 0
            while first < samples.shape[1]:
                first += self._put(quantised.levels[:, first:])
        self.n_clipped += recorded.n_clipped
        return recorded

    def mark_gap(self, gap: Gap) -> None:
        """Note that a stretch was lost."""
        with self._guard():
            self._gap_log.append(gap)

    def start_at(self, started_at: datetime) -> None:
        """Set the wall-clock time of the first frame, once it is known; only before anything is recorded."""
        if self.frames == 0 and started_at != self.info.started_at:
            with self._guard():
                self.info = dataclasses.replace(self.info, started_at=started_at)
                save_info(self.directory, self.info)

    def finish(self, complete: bool = True) -> None:
        """End the recording: everything becomes FLAC, and session.json says whether it is complete."""
        if self._opened is None or self._failed:
            self.close()
            return
        with self._guard():
            self._sync()
            if self._n_held:
                self._seal()
            self.info = dataclasses.replace(
                self.info, complete=complete, n_clipped=self.n_clipped, n_gaps=n_gap_lines(self.directory / "gaps.jsonl")
            )
            save_info(self.directory, self.info)
        if self.n_clipped:
            _LOG.warning(
                "session %s: %d samples are at full scale, so they were probably cut off; lower the gain of the microphones",
                self.info.id,
                self.n_clipped,
            )
        self.close()

    def close(self) -> None:
        """Let go of the files as they are: the recording can be read, and gone on with. May be called twice."""
        if self._opened is None:
            return
        with self._opened:
            self._opened = None
            if not self._failed:
                with self._guard():
                    self._sync()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Turn a disk's refusal into a SessionDiskError, after taking back what was written by half."""
        try:
            with disk_errors(f"session {self.info.id}, after {self.frames / self.info.sample_rate_hz:.2f} s of recording"):
                yield
        except SessionDiskError:
            self._failed = True
            if self._tail is not None and self._n_held:
                # Drop what was written by half at the end: shortening a file works on a full disk too.
                os.ftruncate(self._tail, AU_HEADER_BYTES + self._n_held * self.info.n_channels * SAMPLE_BYTES)
            raise

    def _resume(self) -> tuple[int, int]:
        """Go on where the files end: a last segment that is not full becomes the tail again."""
        self._audio.mend()
        index = self._audio.last_index()
        n_held = self._audio.frames_of(index)
        if index < 0 or n_held == self.info.segment_frames:
            if self._audio.tail_frames(index):
                self._audio.write_flac(index, self._audio.read(index, 0, n_held)[0])
            # A power cut may leave nothing of the tail, and what was before it may have left: time does not begin anew.
            return max(index + 1, -(-first_kept(self.directory, self.info) // self.info.segment_frames)), 0
        if not n_held:
            # Nothing of it can be read. It may have been a whole segment, so time goes on after it, and the file stays.
            self._gap_log.append(gap_at(index * self.info.segment_frames, self.info.segment_frames, self.info.sample_rate_hz, UNREADABLE))
            return index + 1, 0
        levels, lost = self._audio.read(index, 0, n_held)
        for first, length in lost:
            self._gap_log.append(gap_at(index * self.info.segment_frames + first, length, self.info.sample_rate_hz, UNREADABLE))
        self._held[:, :n_held] = levels
        self._audio.write_tail(index, levels)
        self._tail = os.open(self._audio.tail_path(index), os.O_WRONLY | os.O_APPEND)
        return index, n_held

    def _put(self, levels: Levels) -> int:
        """Write as many frames as the segment still takes; how many that were."""
        n_frames: int = min(levels.shape[1], self.info.segment_frames - self._n_held)
        levels = levels[:, :n_frames]
        if self._tail is None:
            self._tail = os.open(self._audio.tail_path(self._index), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o644)
            write_all(self._tail, au_header(self.info.sample_rate_hz, self.info.n_channels))
        write_all(self._tail, pack(levels))
        self._held[:, self._n_held : self._n_held + n_frames] = levels
        self._n_held += n_frames
        self._n_unsynced += n_frames
        if self._n_unsynced >= _SYNC_S * self.info.sample_rate_hz:
            self._sync()
        if self._n_held == self.info.segment_frames:
            self._seal()
        return n_frames

    def _seal(self) -> None:
        """Turn the tail into a FLAC segment."""
        self._audio.write_flac(self._index, self._held[:, : self._n_held])
        self._close_tail()
        self._index, self._n_held = self._index + 1, 0

    def _close_tail(self) -> None:
        if self._tail is not None:
            os.close(self._tail)
        self._tail = None

    def _sync(self) -> None:
        self._gap_log.sync()
        if self._tail is not None:
            os.fdatasync(self._tail)
        self._n_unsynced = 0


def begin_session(directory: Path, info: SessionInfo | None) -> SessionInfo:
    """Write what a session is, or read it where it was begun before. Raises SessionError where that was with another array."""
    if info is None or has_session(directory):
        found = load_info(directory)
        if info is not None and (found.array, found.sample_rate_hz) != (info.array, info.sample_rate_hz):
            raise SessionError(
                f"session {found.id}: recorded with array {found.array.name} ({found.n_channels} channels) at {found.sample_rate_hz} Hz; "
                f"it cannot go on with array {info.array.name} ({info.n_channels} channels) at {info.sample_rate_hz} Hz: "
                "begin a new session"
            )
        return found
    with disk_errors(f"session {info.id}"):
        save_info(directory, info)
    return info
