"""A recorded session on disk: written as it happens, read while it is written, made whole after a crash.

SESSION/session.json   what it is (`SessionInfo`)
SESSION/audio/         24-bit FLAC that any audio tool plays, and the newest seconds as AU (`AudioFolder`)
SESSION/gaps.jsonl     what was lost, and why
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import TracebackType

import numpy as np

from pipeline.gap_log import gap_faults, merge_gaps, read_gaps
from pipeline.packets import Float32Array, Gap, seconds
from pipeline.pcm import Levels, to_float
from pipeline.recorded import UNREADABLE, frames_to_ns, gap_at
from pipeline.session_info import SessionInfo, has_session, load_info
from pipeline.session_writer import SessionWriter, audio_folder, begin_session

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
        self._lost: list[Gap] = []
        self._n_taken = 0
        self._n_seen = 0
        self._ahead: tuple[int, Levels] = 0, np.zeros((self.info.n_channels, 0), dtype=np.int32)

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
            index, offset = divmod(first_frame, self.info.segment_frames)
            count = min(self.info.segment_frames - offset, end - first_frame)
            levels, lost = self._audio.read(index, offset, count)
            pieces.append(levels)
            for bad, length in lost:
                gap = gap_at(first_frame - offset + bad, length, self.info.sample_rate_hz, UNREADABLE)
                _LOG.warning("session %s: %.2f to %.2f s cannot be read", self.info.id, seconds(gap.pts_ns), seconds(gap.end_ns))
                self._lost.append(gap)
            first_frame += count
        return np.concatenate(pieces, axis=1)

    def take_lost(self) -> list[Gap]:
        """What `read` has found damaged since this was last asked."""
        lost, self._n_taken = self._lost[self._n_taken :], len(self._lost)
        return lost

    def faults(self, most_decoded: int = 240) -> list[str]:
        """What is wrong with the files, in words; nothing where the recording is whole.

        Every segment must be there and be as long as it says; `most_decoded` of them, spread over all, are also decoded.
        """
        faults = []
        last = self._audio.last_index()
        decoded = {place * last // max(most_decoded - 1, 1) for place in range(most_decoded)} if most_decoded else set()
        for index in range(last + 1):
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
