"""A recorded session on disk: written as it happens, read while it is written, made whole after a crash.

SESSION/session.json   what it is (`SessionInfo`)
SESSION/audio/         24-bit FLAC that any audio tool plays, and the newest seconds as AU (`AudioFolder`)
SESSION/gaps.jsonl     what was lost, and why
SESSION/retained.json  from which frame on the audio is kept, where the oldest of it has left (`retention.py`)
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import TracebackType

import numpy as np

from pipeline.audio_folder import audio_folder
from pipeline.gap_log import gap_faults, merge_gaps, read_gaps
from pipeline.packets import Float32Array, Gap, seconds
from pipeline.pcm import Levels, to_float
from pipeline.recorded import UNREADABLE, frames_to_ns, gap_at
from pipeline.retention import RETENTION, first_kept, retained_from
from pipeline.session_info import SessionError, SessionInfo, has_session, load_info
from pipeline.session_writer import SessionWriter, begin_session

__all__ = ["SessionReader", "SessionWriter", "create_session", "recover"]

_LOG = logging.getLogger("echoic.session")
# Every read of a FLAC costs a search for its place, so small ones are served from a larger one.
_AHEAD_FRAMES = 16000


class SessionReader:
    """Reads a recorded session, also while it is being written. Not to be shared between threads.

    Raises SessionError where the directory holds no session, or one that cannot be understood.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.info = load_info(directory)
        self._audio = audio_folder(directory, self.info)
        self._kept_from = first_kept(directory, self.info)
        self._lost: list[Gap] = []
        self._n_taken = 0
        self._n_seen = 0
        self._ahead: tuple[int, Levels] = 0, np.zeros((self.info.n_channels, 0), dtype=np.int32)

    @property
    def frames(self) -> int:
        """How many frames there are by now."""
        index = self._audio.last_index()
        n_frames = self._audio.frames_of(index) if index >= 0 else 0
        # Nothing to read in the newest segment: it is damaged, or all audio has left or is just leaving.
        return index * self.info.segment_frames + n_frames if n_frames else max(index * self.info.segment_frames, self.first_frame)

    @property
    def first_frame(self) -> int:
        """The first frame whose audio is kept by now; what was before it has left (`retention.py`)."""
        return max(self._kept_from, first_kept(self.directory, self.info))

    @property
    def duration_ns(self) -> int:
        """How long the recording is by now."""
        return frames_to_ns(self.frames, self.info.sample_rate_hz)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What was lost when it was recorded, and what `read` has found damaged since; one gap over what has left."""
        found = (*read_gaps(self.directory / "gaps.jsonl"), *self._lost)
        first_frame = self.first_frame
        if not first_frame:
            return merge_gaps(found)
        left = gap_at(0, first_frame, self.info.sample_rate_hz, RETENTION)
        return merge_gaps([left, *(_after(left.end_ns, gap) for gap in found if gap.end_ns > left.end_ns)])

    def read(self, first_frame: int, n_frames: int) -> Float32Array:
        """Samples, float32, shape (channels, frames), full scale +-1; fewer frames where the recording ends.

        What cannot be read, and what has left, is 0, and `gaps` says so from then on.
        """
        first_frame = max(0, first_frame)
        if first_frame + n_frames > self._n_seen:
            self._n_seen = self.frames
        n_frames = max(0, min(n_frames, self._n_seen - first_frame))
        ahead, levels = self._ahead
        if not ahead <= first_frame <= first_frame + n_frames <= ahead + levels.shape[1]:
            ahead, levels = self._ahead = (
                first_frame,
                self._levels(first_frame, min(max(n_frames, _AHEAD_FRAMES), self._n_seen - first_frame)),
            )
        return to_float(levels[:, first_frame - ahead : first_frame - ahead + n_frames])

    def _levels(self, first_frame: int, n_frames: int) -> Levels:
        end = first_frame + n_frames
        pieces = [np.zeros((self.info.n_channels, 0), dtype=np.int32)]
        while first_frame < end:
            if first_frame < self._kept_from:
                count = min(self._kept_from, end) - first_frame
                pieces.append(np.zeros((self.info.n_channels, count), dtype=np.int32))
                first_frame += count
                continue
            index, offset = divmod(first_frame, self.info.segment_frames)
            count = min(self.info.segment_frames - offset, end - first_frame)
            levels, lost = self._audio.read(index, offset, count)
            if lost and self._has_left(first_frame):
                continue
            pieces.append(levels)
            for bad, length in lost:
                gap = gap_at(first_frame - offset + bad, length, self.info.sample_rate_hz, UNREADABLE)
                _LOG.warning("session %s: %.2f to %.2f s cannot be read", self.info.id, seconds(gap.pts_ns), seconds(gap.end_ns))
                self._lost.append(gap)
            first_frame += count
        return np.concatenate(pieces, axis=1)

    def _has_left(self, frame: int) -> bool:
        """Whether a frame that cannot be read has left since this was opened, by another process."""
        self._kept_from = self.first_frame
        if frame >= self._kept_from:
            return False
        self._lost.append(gap_at(frame, self._kept_from - frame, self.info.sample_rate_hz, RETENTION))
        return True

    def take_lost(self) -> list[Gap]:
        """What `read` has found damaged, or gone, since this was last asked."""
        lost, self._n_taken = self._lost[self._n_taken :], len(self._lost)
        return lost

    def faults(self, most_decoded: int = 240) -> list[str]:
        """What is wrong with the files, in words; nothing where the recording is whole.

        Every segment that has not left must be there and be as long as it says; `most_decoded` of them, spread over all, are also
        decoded.
        """
        faults = []
        try:
            retained_from(self.directory)
        except SessionError as error:
            faults.append(f"session {self.info.id}: {error}")
        first, last = -(-self.first_frame // self.info.segment_frames), self._audio.last_index()
        decoded = {first + place * (last - first) // max(most_decoded - 1, 1) for place in range(most_decoded)} if most_decoded else set()
        for index in range(first, last + 1):
            n_frames = self._audio.frames_of(index)
            if n_frames < (self.info.segment_frames if index < last else 1):
                names = ", ".join(path.name for path in self._audio.flac_paths(index))
                faults.append(f"session {self.info.id}: {names} cannot be read, is shorter than it must be, or is missing")
            elif index in decoded and (lost := self._audio.read(index, 0, n_frames)[1]):
                names = ", ".join(path.name for path in self._audio.flac_paths(index))
                lost_s = sum(length for _, length in lost) / self.info.sample_rate_hz
                faults.append(f"session {self.info.id}: {names} is damaged: {lost_s:.2f} s of it cannot be read")
        n_damaged, n_missing = gap_faults(self.directory / "gaps.jsonl", self.info.n_gaps, is_complete=self.info.complete)
        if n_damaged or n_missing:
            faults.append(f"session {self.info.id}: gaps.jsonl is damaged: {n_damaged} lines cannot be read, {n_missing} are missing")
        return faults

    def close(self) -> None:
        """Close the files. May be called twice."""
        self._audio.close()

    def __enter__(self) -> SessionReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _after(start_ns: int, gap: Gap) -> Gap:
    """The part of a gap that lies after a moment."""
    start_ns = max(start_ns, gap.pts_ns)
    return Gap(pts_ns=start_ns, duration_ns=gap.end_ns - start_ns, reason=gap.reason)


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
    if has_session(directory):
        return begin_session(directory, info)
    writer = SessionWriter(directory, info)
    writer.close()
    return writer.info
