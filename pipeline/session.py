"""A recorded session on disk: written as it happens, read while it is written, made whole after a crash.

SESSION/session.json   what it is (`SessionInfo`)
SESSION/audio/         24-bit FLAC that any audio tool plays, and the newest seconds as AU (`AudioFolder`)
SESSION/gaps.jsonl     what was lost, and why
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType

import numpy as np

from pipeline.audio_folder import AudioFolder
from pipeline.durable import lock_folder, write_all
from pipeline.gap_log import GapLog, merge_gaps, read_gaps
from pipeline.packets import Float32Array, Gap, seconds
from pipeline.pcm import AU_HEADER_BYTES, SAMPLE_BYTES, Levels, au_header, pack, quantise, to_float
from pipeline.recorded import UNREADABLE, Recorded, as_recorded, frames_to_ns, gap_at
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
        self._gap_log: GapLog | None = None
        self._audio: AudioFolder | None = None
        with disk_errors(f"session {directory}"):
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "audio").mkdir(exist_ok=True)
        try:
            self._lock = lock_folder(directory)
        except BlockingIOError as error:
            raise SessionError(f"session {directory} is being recorded by another process; wait until it has ended") from error
        try:
            self.info = _begin(directory, info)
            self.n_clipped = self.info.n_clipped
            self._n_unsynced = 0
            self._audio = _audio(directory, self.info)
            self._held = np.zeros((self.info.n_channels, self.info.segment_frames), dtype=np.int32)
            with disk_errors(f"session {self.info.id}"):
                self._gap_log = GapLog(directory / "gaps.jsonl")
                self._index, self._n_held = self._resume()
        except BaseException:
            self._release()
            raise

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
        if self._lock < 0:
            return
        with self._guard():
            self._sync()
            if self._n_held:
                self._seal()
            self.info = dataclasses.replace(self.info, complete=complete, n_clipped=self.n_clipped)
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
        if self._lock < 0:
            return
        try:
            if not self._failed:
                with self._guard():
                    self._sync()
        finally:
            if self._tail is not None:
                os.close(self._tail)
            self._tail = None
            self._gap_log.close()
            self._audio.close()
            os.close(self._lock)
            self._lock = -1

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
            return index + 1, 0
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
        if self._tail is not None:
            os.close(self._tail)
        self._tail = None
        self._index, self._n_held = self._index + 1, 0

    def _sync(self) -> None:
        self._gap_log.sync()
        if self._tail is not None:
            os.fdatasync(self._tail)
        self._n_unsynced = 0


class SessionReader:
    """Reads a recorded session, also while it is being written. Not to be shared between threads.

    Raises SessionError where the directory holds no session, or one that cannot be understood.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.info = load_info(directory)
        self._audio = _audio(directory, self.info)
        self._lost: list[Gap] = []
        self._n_seen = 0

    @property
    def frames(self) -> int:
        """How many frames there are by now."""
        index = self._audio.last_index()
        return index * self.info.segment_frames + self._audio.frames_of(index) if index >= 0 else 0

    @property
    def duration_ns(self) -> int:
        """How long the recording is by now."""
        return frames_to_ns(self.frames, self.info.sample_rate_hz)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What was lost when it was recorded, and what `read` has found damaged since."""
        return merge_gaps((*read_gaps(self.directory / "gaps.jsonl"), *self._lost))

    def read(self, first_frame: int, n_frames: int) -> Float32Array:
        """Samples, float32, shape (channels, frames), full scale +-1; fewer frames where the recording ends.

        What cannot be read is 0, and `gaps` says so from then on.
        """
        first_frame = max(0, first_frame)
        if first_frame + n_frames > self._n_seen:
            self._n_seen = self.frames
        end = min(first_frame + n_frames, self._n_seen)
        pieces = [np.zeros((self.info.n_channels, 0), dtype=np.int32)]
        while first_frame < end:
            index, offset = divmod(first_frame, self.info.segment_frames)
            count = min(self.info.segment_frames - offset, end - first_frame)
            levels, lost = self._audio.read(index, offset, count)
            pieces.append(levels)
            for bad, length in lost:
                gap = gap_at(first_frame - offset + bad, length, self.info.sample_rate_hz, UNREADABLE)
                _LOG.warning("session %s: %.2f to %.2f s cannot be read", self.info.id, seconds(gap.pts_ns), seconds(gap.end_ns))
                self._lost.append(gap)
            first_frame += count
        return to_float(np.concatenate(pieces, axis=1))

    def faults(self) -> list[str]:
        """What is wrong with the files, in words; nothing where the recording is whole."""
        faults = []
        last = self._audio.last_index()
        for index in range(last + 1):
            n_frames = self._audio.frames_of(index)
            if n_frames < (self.info.segment_frames if index < last else 1):
                names = ", ".join(path.name for path in self._audio.flac_paths(index))
                faults.append(f"session {self.info.id}: {names} cannot be read, is shorter than it must be, or is missing")
        return faults

    def close(self) -> None:
        """Close the files. May be called twice."""
        self._audio.close()

    def __enter__(self) -> SessionReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def recover(directory: Path) -> int:
    """After a crash: keep every whole frame, turn the tail into FLAC, and remove what was half-written.

    Returns how many frames were kept. The session stays as complete or incomplete as it was. Raises SessionError.
    """
    writer = SessionWriter(directory)
    frames = writer.frames
    writer.finish(complete=writer.info.complete)
    return frames


def create_session(directory: Path, info: SessionInfo) -> SessionInfo:
    """Begin a session without audio yet. Where there is one already it is left as it is, and what it says is returned."""
    writer = SessionWriter(directory, info)
    writer.close()
    return writer.info


def _begin(directory: Path, info: SessionInfo | None) -> SessionInfo:
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


def _audio(directory: Path, info: SessionInfo) -> AudioFolder:
    return AudioFolder(directory / "audio", info.n_channels, info.sample_rate_hz, info.segment_frames)
