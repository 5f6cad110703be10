"""The recording of a session: the sensory store. It is also the queue between a device, which cannot wait, and the graph."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from pipeline.packets import AudioBlock, Float32Array, Gap, seconds
from pipeline.pcm import quantise
from pipeline.recorded import as_recorded, frames_to_ns, gap_at
from pipeline.session import SessionReader, SessionWriter
from pipeline.session_info import SessionError, SessionInfo, has_session, load_info
from pipeline.stage import Resource
from stages.capture.playhead import Playhead
from stages.capture.source_info import GRAPH_RATE_HZ

_LOG = logging.getLogger("echoic.recording")
_FILL_FRAMES = 16000
OVERRUN = "overrun"


class Recording(Resource):
    """Keeps what is captured: the last `ring_s` seconds in RAM, everything in the session's `directory` on disk.

    Capture appends, and waits for nothing but the disk; whoever reads comes behind, from RAM, or from the disk where it has
    fallen behind by more than the ring. Without a directory the ring is all there is: what is overwritten before it was read is
    counted and becomes a Gap. One thread appends, one reads. Raises SessionError.
    """

    def __init__(self, directory: str = "", ring_s: float = 30.0) -> None:
        self.directory = directory
        self.ring_s = ring_s
        self.info: SessionInfo | None = None
        self.n_overruns = 0
        self.n_clipped = 0
        self._changed = threading.Condition()
        self._writer: SessionWriter | None = None
        self._reader: SessionReader | None = None
        self._playhead: Playhead | None = None
        self._ring: Float32Array = np.zeros((0, 0), dtype=np.float32)
        self._first = 0
        self._frames = 0
        self._begun_at = 0
        self._gaps: list[Gap] = []
        self._ended = False
        self._failure: Exception | None = None

    def memory_bytes(self) -> int:
        """The ring: of the session that has begun, before that of one with eight channels."""
        return self.ring_bytes(self.info.n_channels if self.info else 8)

    def ring_bytes(self, n_channels: int) -> int:
        """What the ring takes of RAM for so many channels once it is full."""
        return round(self.ring_s * (self.info.sample_rate_hz if self.info else GRAPH_RATE_HZ)) * n_channels * 4

    def ring_used_bytes(self) -> int:
        """What of the ring has been written to; never more than `memory_bytes`."""
        with self._changed:
            n_channels, n_frames = self._ring.shape
            return int(min(self._frames - self._begun_at, n_frames) * n_channels * 4)

    def existing(self) -> SessionInfo | None:
        """What the session in the directory says of itself, where one was begun."""
        return load_info(Path(self.directory)) if self.directory and has_session(Path(self.directory)) else None

    def begin(self, info: SessionInfo) -> int:
        """Open the recording of a session; how many frames are in it already.

        Where the directory holds the session already, it goes on where it ended, and keeps what it says of itself; one that is
        complete is only read.
        """
        self.stop()
        frames = 0
        gaps: tuple[Gap, ...] = ()
        if self.directory:
            existing = self.existing()
            if existing is None or not existing.complete:
                self._writer = SessionWriter(Path(self.directory), info)
            self._reader = SessionReader(Path(self.directory))
            info, frames, gaps = self._reader.info, self._reader.frames, self._reader.gaps
        with self._changed:
            self.info = info
            self._ring = np.zeros((info.n_channels, max(1, round(self.ring_s * info.sample_rate_hz))), dtype=np.float32)
            self._first = self._frames = self._begun_at = frames
            self._gaps = list(gaps)
            self._playhead = None
            self._ended, self._failure = info.complete, None
            self.n_overruns, self.n_clipped = 0, info.n_clipped
        return frames

    @property
    def frames(self) -> int:
        """How many frames are recorded."""
        return self._frames

    @property
    def duration_ns(self) -> int:
        """How long the recording is by now."""
        return frames_to_ns(self._frames, self.info.sample_rate_hz) if self.info else 0

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What was lost so far."""
        with self._changed:
            return tuple(self._gaps)

    @property
    def lag_ns(self) -> int:
        """How far the reading is behind the capture."""
        if self.info is None or self._playhead is None:
            return 0
        return max(0, frames_to_ns(self._frames - self._playhead.frame, self.info.sample_rate_hz))

    def append(self, samples: Float32Array) -> None:
        """Record samples, float32, shape (channels, frames)."""
        info = self._begun()
        if self._ended:
            raise SessionError(f"session {info.id}: the recording has ended; nothing can be added to it")
        if self._writer is not None:
            recorded = self._writer.append(samples)
        else:
            recorded = as_recorded(quantise(samples), self._frames, info.sample_rate_hz)
        with self._changed:
            for gap in recorded.gaps:
                self._note(gap)
            size = self._ring.shape[1]
            latest = recorded.samples[:, -size:]
            start = (self._frames + samples.shape[1] - latest.shape[1]) % size
            fits = min(latest.shape[1], size - start)
            self._ring[:, start : start + fits] = latest[:, :fits]
            self._ring[:, : latest.shape[1] - fits] = latest[:, fits:]
            self._frames += samples.shape[1]
            self._first = max(self._first, self._frames - size)
            self.n_clipped += recorded.n_clipped
            self._changed.notify_all()

    def mark_gap(self, gap: Gap) -> None:
        """Note that a stretch was lost; before the frames after it are appended."""
        if self._writer is not None:
            self._writer.mark_gap(gap)
        with self._changed:
            self._note(gap)

    def append_lost(self, n_frames: int, reason: str) -> None:
        """Keep time over a stretch that was lost: zeros in the recording, and a Gap that says so."""
        info = self._begun()
        while n_frames > 0:
            count = min(n_frames, _FILL_FRAMES)
            self.mark_gap(gap_at(self._frames, count, info.sample_rate_hz, reason))
            self.append(np.zeros((info.n_channels, count), dtype=np.float32))
            n_frames -= count

    def start_at(self, started_at: datetime) -> None:
        """Set the wall-clock time of the first frame, once it is known; only before anything is recorded."""
        if self._writer is not None:
            self._writer.start_at(started_at)
            self.info = self._writer.info
        elif self.info is not None and not self._frames:
            self.info = dataclasses.replace(self.info, started_at=started_at)

    def end(self, complete: bool = True, failure: Exception | None = None) -> None:
        """Nothing more will be appended. `failure` is raised to the reader after it has had everything."""
        try:
            if self._writer is not None and not self._ended:
                self._writer.finish(complete)
        except SessionError as error:
            failure = failure or error
        finally:
            with self._changed:
                self._ended = True
                self._failure = self._failure or failure
                self._changed.notify_all()

    def stop(self) -> None:
        """Let go of the files; the session can be gone on with."""
        if self._writer is not None:
            self._writer.close()
        if self._reader is not None:
            self._reader.close()
        self._writer = self._reader = None

    def playhead(self, start_frame: int, block_frames: int) -> Playhead:
        """A new reading from the block in which a frame lies."""
        info = self._begun()
        with self._changed:
            self._playhead = Playhead(info.array, info.sample_rate_hz, block_frames, start_frame)
            self._playhead.marks.extend(self._gaps)
            return self._playhead

    def ready(self, playhead: Playhead) -> Iterator[AudioBlock | Gap]:
        """The packets that can be had without waiting; all that are left once the recording has ended."""
        with self._changed:
            frames, ended, oldest = self._frames, self._ended, self._first
        if self._reader is None and playhead.frame < min(oldest, frames):
            self._overrun(playhead, oldest)
        yield from playhead.cut(self._read, frames, ended)

    def blocks(self, start_frame: int, block_frames: int) -> Iterator[AudioBlock | Gap]:
        """The packets from the block in which a frame lies to the end of the recording, as they come.

        Raises what capture ended with, after everything before it.
        """
        playhead = self.playhead(start_frame, block_frames)
        ended = False
        while not ended:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or self._frames >= playhead.frame + block_frames)
                ended = self._ended
            yield from self.ready(playhead)
        if self._failure is not None:
            raise self._failure

    def _read(self, first: int, n_frames: int) -> Float32Array:
        """Samples from the ring, or from the disk where the ring has gone on."""
        with self._changed:
            if first >= self._first:
                size = self._ring.shape[1]
                start = first % size
                head = self._ring[:, start : start + n_frames]
                return np.concatenate((head, self._ring[:, : n_frames - head.shape[1]]), axis=1)
        if self._reader is None:
            # Overwritten between two looks; the reader is told with its next block.
            lost = gap_at(first, n_frames, self._begun().sample_rate_hz, OVERRUN)
            self.n_overruns += 1
            self.mark_gap(lost)
            return np.zeros((self._ring.shape[0], n_frames), dtype=np.float32)
        samples = self._reader.read(first, n_frames)
        if self._playhead is not None:
            self._playhead.marks.extend(self._reader.take_lost())
        return samples

    def _overrun(self, playhead: Playhead, oldest: int) -> None:
        start = playhead.frame
        lost = gap_at(start, playhead.jump(oldest) - start, self._begun().sample_rate_hz, OVERRUN)
        self.n_overruns += 1
        _LOG.warning(
            "the graph fell behind the ring of %.0f s: %.2f to %.2f s are lost", self.ring_s, seconds(lost.pts_ns), seconds(lost.end_ns)
        )
        self.mark_gap(lost)

    def _note(self, gap: Gap) -> None:
        """Remember a gap and tell the reader; the caller holds the lock."""
        last = self._gaps[-1] if self._gaps else None
        if last is not None and last.reason == gap.reason and last.pts_ns <= gap.pts_ns <= last.end_ns:
            # A source may be away for weeks, and is told second by second.
            end_ns = max(last.end_ns, gap.end_ns)
            self._gaps[-1] = Gap(pts_ns=last.pts_ns, duration_ns=end_ns - last.pts_ns, reason=gap.reason)
        else:
            self._gaps.append(gap)
        if self._playhead is not None:
            self._playhead.marks.append(gap)

    def _begun(self) -> SessionInfo:
        if self.info is None:
            raise SessionError("the recording has not begun: a source begins it with what it knows of its session")
        return self.info
