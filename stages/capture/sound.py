"""Recorded sound of any kind, piece by piece: files that libsndfile reads, anything else through GStreamer, and recorded sessions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array
from pipeline.recorded import UNREADABLE, ns_to_frames
from pipeline.session import SessionReader
from pipeline.session_info import has_session
from pipeline.sound_file import SoundFile, SoundFileError
from stages.capture.container import is_cut_off
from stages.capture.gst_pipeline import GstPipeline, Pulled
from stages.capture.source_info import SourceError, SourceInfo

_PIECE_S = 0.5
# Timestamps of a compressed stream are rounded; a step within this is none.
_TOLERANCE_S = 0.02
_PULL_NS = 100_000_000
# How long GStreamer may give nothing: decodebin can swallow the error of a demuxer, and then says nothing any more.
_PATIENCE_S = 20
_FIRST_PATIENCE_S = 5


@dataclass(frozen=True)
class Piece:
    """Some samples, float32, shape (channels, frames), and what was lost: (first frame of the sound, frames, reason).

    A stretch may be lost after the last sample: it is then not in the samples.
    """

    samples: Float32Array
    lost: tuple[tuple[int, int, str], ...] = ()


class Sound(ABC):
    """Sound that was recorded before. Use it from one thread, and close it."""

    info: SourceInfo

    @abstractmethod
    def pieces(self, first_frame: int = 0) -> Iterator[Piece]:
        """The sound from a frame on, at its own rate, without holes. Raises SourceError."""

    @abstractmethod
    def close(self) -> None:
        """Close what is open. May be called twice."""


def open_sound(path: Path) -> Sound:
    """A file with sound in it, or the directory of a recorded session. Raises SourceError, SessionError."""
    if path.is_dir():
        if not has_session(path):
            raise SourceError(f"{path}: a directory, but not a recorded session (there is no session.json); give a sound file or a session")
        return SessionSound(path)
    try:
        empty = path.stat().st_size == 0
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    if empty:
        raise SourceError(f"{path}: the file is empty")
    try:
        return FileSound(path)
    except SoundFileError:
        return GstSound(path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error


class FileSound(Sound):
    """A WAV, FLAC, Ogg, MP3, AIFF or AU file. Raises SoundFileError where libsndfile does not know it."""

    def __init__(self, path: Path) -> None:
        self._file = SoundFile(path)
        self.info = SourceInfo(self._file.n_channels, self._file.sample_rate_hz, self._file.n_frames)
        if not self._file.readable_end:
            self._file.close()
            cut = f"; it was cut off before the first of {self.info.n_frames} samples" if self.info.n_frames else ""
            raise SourceError(f"{path}: there is no sound in it{cut}")

    def pieces(self, first_frame: int = 0) -> Iterator[Piece]:
        """What can be read; damaged places inside are zeros, and what is missing at the end is told with the last piece."""
        size = round(_PIECE_S * self.info.sample_rate_hz)
        while first_frame < self._file.readable_end:
            samples, lost = self._file.read(first_frame, min(size, self._file.readable_end - first_frame))
            held = max(0, self._file.readable_end - first_frame)
            within = tuple(
                (first, min(n, self._file.readable_end - first), UNREADABLE) for first, n in lost if first < self._file.readable_end
            )
            yield Piece(samples[:, :held].astype(np.float32, copy=False), within)
            first_frame += min(samples.shape[1], held)
        missing = self._file.n_frames - self._file.readable_end
        if missing > 0:
            yield _only_lost(self.info.n_channels, self._file.readable_end, missing)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class SessionSound(Sound):
    """A session that was recorded before; its gaps are told again."""

    def __init__(self, directory: Path) -> None:
        self._reader = SessionReader(directory)
        info = self._reader.info
        self.info = SourceInfo(info.n_channels, info.sample_rate_hz, self._reader.frames, info.array, info.started_at)
        if not self.info.n_frames:
            raise SourceError(f"{directory}: nothing was recorded in this session")
        if self._reader.first_frame >= self.info.n_frames:
            raise SourceError(
                f"{directory}: all audio of this session has left to keep the bounds of its memory, so it cannot be heard again; what was "
                "said stands in that memory (`echoic export`)"
            )

    def pieces(self, first_frame: int = 0) -> Iterator[Piece]:
        """The recording, with its gaps told before the first sample, and damage where it is found."""
        rate = self.info.sample_rate_hz
        gaps = list(self._reader.gaps)
        while (samples := self._reader.read(first_frame, round(_PIECE_S * rate))).shape[1]:
            gaps.extend(self._reader.take_lost())
            frames = [(ns_to_frames(gap.pts_ns, rate), ns_to_frames(gap.end_ns, rate), gap.reason) for gap in gaps]
            gaps = []
            yield Piece(samples, tuple((first, end - first, reason) for first, end, reason in frames))
            first_frame += samples.shape[1]

    def close(self) -> None:
        """Close the files."""
        self._reader.close()


class GstSound(Sound):
    """Any other file with sound in it (MP4, MKV, M4A, ...), decoded by GStreamer. Starts decoding at once, to know what it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._error: SourceError | None = None
        self._pipeline = self._started()
        try:
            self._next = self._pull(_FIRST_PATIENCE_S)
            if self._next is None:
                raise self._failed_to_begin()
        except BaseException:
            self._pipeline.stop()
            raise
        n_channels, rate = len(self._next.samples), self._next.sample_rate_hz
        duration_ns = self._pipeline.duration_ns()
        self.info = SourceInfo(n_channels, rate, None if duration_ns is None else round(duration_ns * rate / NS_PER_S))
        self._used = False

    def pieces(self, first_frame: int = 0) -> Iterator[Piece]:
        """The sound as its timestamps say: where it begins late there is silence, and where it jumps a lost stretch."""
        if self._used:
            self._pipeline.stop()
            self._pipeline = self._started()
            self._next = self._pull()
        self._used = True
        frame, rate = 0, self.info.sample_rate_hz
        while (pulled := self._next) is not None:
            lost: tuple[tuple[int, int, str], ...] = ()
            missing = 0 if pulled.time_ns is None else round(pulled.time_ns * rate / NS_PER_S) - frame
            if len(pulled.samples) != self.info.n_channels or pulled.sample_rate_hz != rate:
                self._error = SourceError(f"{self._path}: its channels or its rate change after {frame / rate:.1f} s")
                break
            samples = pulled.samples
            if missing > _TOLERANCE_S * rate:
                samples = np.concatenate((np.zeros((len(samples), missing), dtype=np.float32), samples), axis=1)
                lost = ((frame, missing, UNREADABLE),) if frame else ()
            after = samples[:, max(0, first_frame - frame) :]
            if after.shape[1]:
                yield Piece(after, lost)
            frame += samples.shape[1]
            self._next = self._pull()
        if self._error is not None or is_cut_off(self._path):
            yield _only_lost(self.info.n_channels, frame, max(0, (self.info.n_frames or 0) - frame) or 1)

    def close(self) -> None:
        """Take the pipeline down."""
        self._pipeline.stop()

    def _failed_to_begin(self) -> SourceError:
        if is_cut_off(self._path):
            return SourceError(f"{self._path}: the file was cut off, and what is there cannot be played without the rest")
        return self._error or SourceError(f"{self._path}: there is no sound in it")

    def _started(self) -> GstPipeline:
        self._error = None
        pipeline = GstPipeline("filesrc name=echoic_file ! decodebin", str(self._path))
        try:
            pipeline.element("echoic_file").set_property("location", str(self._path))
            pipeline.start()
        except BaseException:
            pipeline.stop()
            raise
        return pipeline

    def _pull(self, patience_s: int = _PATIENCE_S) -> Pulled | None:
        """The next samples; None at the end, which is the end of the file or `_error`."""
        for _ in range(patience_s * NS_PER_S // _PULL_NS):
            pulled = self._pipeline.pull(_PULL_NS)
            if pulled is not None:
                return pulled
            if self._error is not None or self._pipeline.ended:
                return None
            # What was decoded before an error may still be on its way, so pull once more.
            self._error = self._pipeline.failure()
        self._error = SourceError(f"{self._path}: GStreamer gave nothing for {patience_s} s")
        return None


def _only_lost(n_channels: int, first: int, n_frames: int) -> Piece:
    return Piece(np.zeros((n_channels, 0), dtype=np.float32), ((first, n_frames, UNREADABLE),))
