"""Live sound through GStreamer: a microphone array, a network stream, or a file played in real time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.clock import SessionClock, wall_clock
from pipeline.geometry import ArrayGeometry, load_array
from pipeline.packets import NS_PER_S, AudioBlock
from pipeline.recorded import frames_to_ns, ns_to_frames
from pipeline.session_info import SessionError, SessionInfo
from pipeline.stage import Emit, Out, Source
from stages.capture.gst_pipeline import GstPipeline, Pulled
from stages.capture.recording import OVERRUN, Recording
from stages.capture.running_time import RunningTime
from stages.capture.source_info import GRAPH_RATE_HZ, SourceError, channels_of

_LOG = logging.getLogger("echoic.capture")
DROPPED = "dropped"
SOURCE_ENDED = "source ended"
_MOST_CHANNELS = 64
_PULL_NS = 50_000_000
_DRAIN_NS = 300_000_000
_FILL_S = 0.5
# A source that has worked for so long starts again with all its retries.
_STEADY_S = 10.0
_JOIN_S = 10.0


class GstSource(Source):
    """Captures what a GStreamer description gives: `pipeline` is written as for gst-launch-1.0, without a sink.

    `array` is the name or the file of the microphone array. What is not live by itself (a file) is played in real time, or with
    `real_time` off as fast as it can. Session time is the pipeline's running time since the first sample. Where that jumps by
    more than `tolerance_s`, samples were lost: the recording gets zeros in their place, so that its time stays right, and the graph
    a Gap instead of blocks. A source that gives nothing for `patience_s` (0: it may) has failed. A live one that fails is opened
    again after `reconnect_s`, up to `retries` times in a row; with `retry_at_end` also one that ends, as network streams do when
    their server restarts. Raises SourceError, SessionError.
    """

    audio = Out(AudioBlock)

    def __init__(
        self,
        pipeline: str,
        array: str,
        recording: Recording | None = None,
        block_s: float = 0.032,
        real_time: bool = True,
        reconnect_s: float = 1.0,
        retries: int = 30,
        retry_at_end: bool = False,
        patience_s: float = 10.0,
        tolerance_s: float = 0.1,
    ) -> None:
        self.pipeline = pipeline
        self.array = array
        self.recording = recording if recording is not None else Recording()
        self.block_s = block_s
        self.real_time = real_time
        self.reconnect_s = reconnect_s
        self.retries = retries
        self.retry_at_end = retry_at_end
        self.patience_s = patience_s
        self.tolerance_s = tolerance_s
        self.n_reconnects = 0
        self.playing: GstPipeline | None = None
        self._interrupted = threading.Event()
        self._thread: threading.Thread | None = None
        self._clock = SessionClock()
        self._geometry: ArrayGeometry | None = None
        self._time = RunningTime(GRAPH_RATE_HZ, tolerance_s)
        self._is_new = True

    def start(self) -> None:
        """Check the description and the array. Raises SourceError or GeometryError with what to write instead."""
        self._interrupted.clear()
        if not 0.001 <= self.block_s <= 1.0:
            raise SourceError(f"{self._where}: block_s must be from 0.001 to 1, found {self.block_s}")
        self._geometry = load_array(self.array)
        self._built(self._geometry).stop()

    def packets(self) -> Iterator[Emit[Any]]:
        """What is captured, as blocks and gaps; raises what capture failed with after everything before it."""
        array = self._geometry or load_array(self.array)
        info = SessionInfo(
            id=Path(self.recording.directory).name or "live",
            source=self.pipeline,
            array=array,
            started_at=wall_clock(),
            sample_rate_hz=GRAPH_RATE_HZ,
        )
        if self.recording.begin(info):
            raise SourceError(
                f"{self._where}: session {info.id} holds {self.recording.duration_ns / NS_PER_S:.1f} s already; "
                "a live source begins a new session"
            )
        self._thread = threading.Thread(target=self._capture, args=(array,), name="echoic-capture")
        self._thread.start()
        try:
            for packet in self.recording.blocks(0, round(self.block_s * GRAPH_RATE_HZ)):
                yield Emit(self.audio.name, packet)
        finally:
            self.stop()

    def interrupt(self) -> None:
        """End soon: what was captured by now still comes out."""
        self._interrupted.set()

    def stop(self) -> None:
        """End the capture and take the pipeline down."""
        self._interrupted.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)
            if self._thread.is_alive():
                raise SourceError(f"{self._where}: GStreamer did not let go of it within {_JOIN_S:.0f} s")
            self._thread = None

    @property
    def _where(self) -> str:
        return f"source {self.pipeline!r}"

    def _built(self, array: ArrayGeometry) -> GstPipeline:
        most = f"[{max(array.channels) + 1},{_MOST_CHANNELS}]" if array.channels is not None else str(array.n_channels)
        return GstPipeline(self.pipeline, self._where, channels=most, rate_hz=GRAPH_RATE_HZ, paced=self.real_time)

    def _capture(self, array: ArrayGeometry) -> None:
        """The capture thread: from the device into the recording, waiting for nobody but the disk."""
        failure: Exception | None = None
        try:
            self._listen(array)
        except Exception as error:  # whatever it is, the reader has to hear of it
            failure = error
            _LOG.error("capture has ended: %s", error)
        self.recording.end(complete=not isinstance(failure, SessionError), failure=failure)

    def _listen(self, array: ArrayGeometry) -> None:
        failures = 0
        while not self._interrupted.is_set():
            before, self._is_new = self.recording.frames, True
            self.playing = pipeline = self._built(array)
            try:
                error = self._play(pipeline, array)
            finally:
                self.playing = None
                pipeline.stop()
            lost = error or (SourceError(f"{self._where}: the stream has ended") if self.retry_at_end else None)
            if lost is None or self._interrupted.is_set():
                return
            if not self.recording.frames or not (pipeline.is_live or failures):
                raise lost
            failures = 1 if self.recording.frames - before > _STEADY_S * GRAPH_RATE_HZ else failures + 1
            if failures > self.retries:
                raise lost
            self.n_reconnects += 1
            _LOG.warning("%s; trying again in %.1f s (%d of %d)", lost, self.reconnect_s, failures, self.retries)
            self._fill_while_waiting()

    def _play(self, pipeline: GstPipeline, array: ArrayGeometry) -> SourceError | None:
        """Record one pipeline until it ends (None) or fails."""
        channels = list(channels_of(array))
        try:
            pipeline.start()
            waiting = SessionClock()
            waiting.start()
            while not self._interrupted.is_set():
                pulled = pipeline.pull(_PULL_NS)
                if pulled is not None:
                    self._take(pulled, channels)
                    waiting.start()
                elif (error := pipeline.failure()) is not None:
                    self._drain(pipeline, channels, _DRAIN_NS)
                    return error
                elif pipeline.ended:
                    return None
                elif 0 < self.patience_s * NS_PER_S < waiting.now_ns():
                    return SourceError(f"{self._where}: it has given nothing for {self.patience_s:g} s")
            if pipeline.is_live:
                self._drain(pipeline, channels, 0)
        except SourceError as error:
            return error
        return None

    def _drain(self, pipeline: GstPipeline, channels: list[int], timeout_ns: int) -> None:
        """Take what was captured and has not been pulled yet."""
        while (pulled := pipeline.pull(timeout_ns)) is not None:
            self._take(pulled, channels)

    def _take(self, pulled: Pulled, channels: list[int]) -> None:
        """Put samples where their time says that they belong."""
        samples = np.ascontiguousarray(pulled.samples[channels])
        n_frames = samples.shape[1]
        if self._is_new:
            self._begin_pipeline(n_frames)
        if missing := self._time.missing(pulled.time_ns, self.recording.frames):
            reason = OVERRUN if pulled.crowded else DROPPED
            _LOG.warning("%s: %.2f s of sound were lost (%s)", self._where, missing / GRAPH_RATE_HZ, reason)
            self.recording.append_lost(missing, reason)
        self.recording.append(samples)

    def _begin_pipeline(self, n_frames: int) -> None:
        """The first samples of a pipeline: they set the session's start, or after a loss show how long it was."""
        self._is_new = False
        self._time.begin()
        if not self.recording.frames:
            self.recording.start_at(wall_clock() - timedelta(seconds=n_frames / GRAPH_RATE_HZ))
            self._clock.start(frames_to_ns(n_frames, GRAPH_RATE_HZ))
        else:
            self._fill_to_now(n_frames)

    def _fill_to_now(self, n_frames: int = 0) -> None:
        now = ns_to_frames(self._clock.now_ns(), GRAPH_RATE_HZ) - n_frames
        self.recording.append_lost(max(0, now - self.recording.frames), SOURCE_ENDED)

    def _fill_while_waiting(self) -> None:
        """Let the session's time go on while the source is away, so that the graph goes on too."""
        again_ns = self._clock.now_ns() + round(self.reconnect_s * NS_PER_S)
        while not self._interrupted.is_set() and (left_ns := again_ns - self._clock.now_ns()) > 0:
            self._interrupted.wait(min(left_ns / NS_PER_S, _FILL_S))
            self._fill_to_now()
