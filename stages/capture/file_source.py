"""A recording as a source: sound files, videos, and sessions that were recorded before."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.clock import SessionClock
from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock, Gap, nanoseconds
from pipeline.pcm import quantise
from pipeline.recorded import gap_at, ns_to_frames
from pipeline.session_info import SessionInfo
from pipeline.stage import Emit, Out, Source
from stages.capture.graph_rate import GraphRate
from stages.capture.recording import Recording
from stages.capture.sound import Piece, Sound, open_sound
from stages.capture.source_info import GRAPH_RATE_HZ, SourceError, SourceInfo, channels_of, choose_array


def probe(path: str | Path) -> SourceInfo:
    """What a recording offers. Raises SourceError or SessionError where it cannot be used."""
    sound = open_sound(Path(path))
    try:
        return sound.info
    finally:
        sound.close()


def array_for(path: str | Path, array: str = "") -> ArrayGeometry:
    """The array that a recording will be heard with. Raises SourceError where it does not fit, GeometryError where there is none."""
    info = probe(path)
    return _array(info, array, str(path))


def content_hash(path: str | Path, array: str = "") -> str:
    """sha256 over the samples (rounded to 24 bit, at their own rate) and the array: whatever the file is called or packed in."""
    sound = open_sound(Path(path))
    try:
        name = _array(sound.info, array, str(path)).name
        digest = hashlib.sha256(f"{name} {sound.info.n_channels} {sound.info.sample_rate_hz}".encode())
        for piece in sound.pieces():
            digest.update(quantise(piece.samples).levels.T.astype("<i4").tobytes())
    finally:
        sound.close()
    return digest.hexdigest()


class FileSource(Source):
    """Plays a recording into the graph: a sound file, anything that GStreamer decodes, or the directory of a recorded session.

    `array` is the name or the file of the microphone array; without it one channel is mono and two are separate lanes. `speed` 0
    is as fast as it can, 1 real time. `start_s` goes on from there, on the same grid of blocks. The sound is resampled to 16 kHz,
    rounded to 24 bits and, with `copy`, kept in the recording, where an interrupted copy goes on; a recording that is complete is
    read instead of the file. Values that are no numbers and places that cannot be read become zeros and a Gap.
    """

    audio = Out(AudioBlock)

    def __init__(
        self,
        path: str = "",
        array: str = "",
        recording: Recording | None = None,
        speed: float = 0.0,
        block_s: float = 0.032,
        start_s: float = 0.0,
        copy: bool = True,
    ) -> None:
        self.path = path
        self.array = array
        self.speed = speed
        self.block_s = block_s
        self.start_s = start_s
        self.recording = recording if recording is not None and copy else Recording()
        self._interrupted = threading.Event()
        self._sound: Sound | None = None

    def start(self) -> None:
        """Open the recording. Raises SourceError, SessionError or GeometryError where it cannot be used."""
        self._interrupted.clear()
        if not self.path:
            raise SourceError("no recording was named: give its path")
        if self.speed < 0 or not 0.001 <= self.block_s <= 1.0 or self.start_s < 0:
            raise SourceError(
                f"{self.path}: speed and start_s must be at least 0 and block_s from 0.001 to 1, "
                f"found {self.speed}, {self.start_s} and {self.block_s}"
            )
        if self._sound is None and not self._is_recorded():
            self._sound = open_sound(Path(self.path))
            _array(self._sound.info, self.array, self.path)

    def packets(self) -> Iterator[Emit[Any]]:
        """The recording as blocks and gaps, in order."""
        clock = SessionClock(self.speed)
        block_frames = round(self.block_s * GRAPH_RATE_HZ)
        recorded = self.recording.begin(self._session())
        playhead = self.recording.playhead(ns_to_frames(nanoseconds(self.start_s), GRAPH_RATE_HZ), block_frames)
        clock.start(playhead.frame * 10**9 // GRAPH_RATE_HZ)
        complete = False
        try:
            for piece in self._pieces(recorded):
                for first, n_frames, reason in piece.lost:
                    self.recording.mark_gap(gap_at(first, n_frames, GRAPH_RATE_HZ, reason))
                self.recording.append(piece.samples)
                yield from self._paced(self.recording.ready(playhead), clock)
                if self._interrupted.is_set():
                    break
            else:
                complete = True
        finally:
            self.recording.end(complete)
        yield from self._paced(self.recording.ready(playhead), clock)

    def interrupt(self) -> None:
        """End at once: what is left is in the file and the recording, and `start_s` goes on from anywhere."""
        self._interrupted.set()

    def stop(self) -> None:
        """Close the file."""
        if self._sound is not None:
            self._sound.close()
        self._sound = None

    def _paced(self, packets: Iterator[AudioBlock | Gap], clock: SessionClock) -> Iterator[Emit[AudioBlock | Gap]]:
        for packet in packets:
            if not clock.wait_until(packet.end_ns, self._interrupted):
                return
            yield Emit(self.audio.name, packet)

    def _is_recorded(self) -> bool:
        """Whether the recording itself is all that is needed: it is complete, or it is what is to be played."""
        directory = self.recording.directory
        if directory and Path(directory).is_dir() and Path(self.path).is_dir() and Path(directory).samefile(self.path):
            return True
        existing = self.recording.existing()
        return existing is not None and existing.complete

    def _session(self) -> SessionInfo:
        existing = self.recording.existing()
        if existing is not None:
            if self._sound is not None:
                _same_array(existing, _array(self._sound.info, self.array, self.path), self.path)
            return existing
        sound = self._open()
        modified = datetime.fromtimestamp(Path(self.path).stat().st_mtime, tz=UTC)
        return SessionInfo(
            id=Path(self.recording.directory or self.path).name,
            source=self.path,
            array=_array(sound.info, self.array, self.path),
            started_at=sound.info.started_at or modified,
            sample_rate_hz=GRAPH_RATE_HZ,
        )

    def _pieces(self, recorded: int) -> Iterator[Piece]:
        """What is not yet in the recording, with the array's channels, at the graph's rate."""
        if self._is_recorded():
            return
        sound = self._open()
        channels = list(range(sound.info.n_channels)) if sound.info.array else list(channels_of(_array(sound.info, self.array, self.path)))
        rate = GraphRate(sound.info.sample_rate_hz, GRAPH_RATE_HZ, len(channels))
        # Resampling from the middle would not give the same samples, so it starts over and what is there already is dropped.
        seek = recorded if sound.info.sample_rate_hz == GRAPH_RATE_HZ else 0
        drop = recorded - seek
        for piece in rate.converted(Piece(piece.samples[channels], piece.lost) for piece in sound.pieces(seek)):
            dropped = min(drop, piece.samples.shape[1])
            drop -= dropped
            lost = tuple(stretch for stretch in piece.lost if sum(stretch[:2]) > recorded)
            yield Piece(piece.samples[:, dropped:], lost)

    def _open(self) -> Sound:
        if self._sound is None:
            self._sound = open_sound(Path(self.path))
        return self._sound


def _array(info: SourceInfo, array: str, where: str) -> ArrayGeometry:
    if info.array is None:
        return choose_array(array, info.n_channels, where)
    if array and array != info.array.name:
        raise SourceError(f"{where}: recorded with array {info.array.name}, so it cannot be heard with array {array}; leave the array out")
    return info.array


def _same_array(existing: SessionInfo, array: ArrayGeometry, where: str) -> None:
    if existing.array != array:
        raise SourceError(f"{where}: session {existing.id} was begun with array {existing.array.name}, not {array.name}; begin a new one")
