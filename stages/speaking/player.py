"""Plays sound through GStreamer, and stops at once when told to."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array
from pipeline.stage import Resource
from stages.capture.gst_pipeline import load_gst
from stages.capture.source_info import SourceError
from stages.speaking.speaking_errors import SinkError, SpeakingError

_BLOCK_S = 0.05
_POLL_NS = 20_000_000
_LATE_NS = 50_000_000
_NO_DEVICE = "fake-audio-sink"


class Player(Resource):
    """Where Echoic is heard. `play` waits until everything was heard; `stop`, from any thread, cuts it short.

    Args:
        sink: what GStreamer plays into: a sink such as "autoaudiosink" or "pulsesink device=...", or a chain that ends in one, such as
            "wavenc ! filesink location=answer.wav".
    """

    def __init__(self, sink: str = "autoaudiosink") -> None:
        self.sink = sink
        self._lock = threading.Lock()
        self._cut = threading.Event()
        self._is_playing = False
        self.listener = ""
        """The track of whoever is played to, "" for anybody: their speech may cut it short (`BargeIn`)."""

    @property
    def is_playing(self) -> bool:
        """Whether something is being played."""
        return self._is_playing

    def stop(self) -> None:
        """Cut short what is being played; what is played next is played. May be called at any time."""
        self._cut.set()

    def play(self, pieces: Iterable[Float32Array], sample_rate_hz: int, listener: str = "") -> bool:
        """Play pieces as they come, each float32, shape (frames,) or (channels, frames) with as many channels as the first.

        Returns whether everything was played; False where it was cut short. One `play` at a time: another one waits its turn.
        Raises SinkError where the sink cannot be understood, SpeakingError where it cannot be played into, and what making a piece raises.
        """
        with self._lock:
            self._cut.clear()
            self.listener = listener
            self._is_playing = True
            try:
                return self._played(pieces, sample_rate_hz)
            finally:
                self._is_playing = False

    def _played(self, pieces: Iterable[Float32Array], sample_rate_hz: int) -> bool:
        stream: _Stream | None = None
        try:
            for piece in pieces:
                if self._cut.is_set():
                    return False
                samples = np.atleast_2d(piece)
                if stream is None:
                    stream = _Stream(self.sink, len(samples), sample_rate_hz)
                stream.push(samples)
            if stream is None:
                return True
            stream.end()
            while not stream.is_over(_POLL_NS):
                if self._cut.is_set():
                    return False
            return True
        finally:
            if stream is not None:
                stream.close()


class _Stream:
    """One GStreamer pipeline from pushed samples to a sink."""

    def __init__(self, sink: str, n_channels: int, sample_rate_hz: int) -> None:
        try:
            self._gst = gst = load_gst(f"sink {sink!r}")
        except SourceError as error:
            raise SpeakingError(str(error)) from error
        from gi.repository import GLib

        self._where = f"sink {sink!r}"
        self._rate = sample_rate_hz
        self._next_ns = 0
        caps = f"audio/x-raw,format=F32LE,layout=interleaved,rate={sample_rate_hz},channels={n_channels}"
        text = f'appsrc name=echoic_answer format=time max-bytes=0 caps="{caps}" ! audioconvert ! audioresample ! {sink}'
        try:
            self._pipeline = gst.parse_launch(text)
        except GLib.Error as error:
            told = f"{self._where}: GStreamer cannot understand it ({error.message}); give a sink such as autoaudiosink"
            raise SinkError(told) from error
        self._source = self._pipeline.get_by_name("echoic_answer")
        self._bus = self._pipeline.get_bus()
        failed = self._pipeline.set_state(gst.State.PLAYING) == gst.StateChangeReturn.FAILURE
        if failed or self._plays_into_nothing():
            failure = self._failure()
            self.close()
            raise failure or SpeakingError(f"{self._where}: there is no sound device that it can play to; choose another sink")

    def push(self, samples: Float32Array) -> None:
        """Hand in samples, shape (channels, frames)."""
        size = round(_BLOCK_S * self._rate)
        self._next_ns = max(self._next_ns, self._running_ns())
        for first in range(0, samples.shape[1], size):
            block = np.ascontiguousarray(samples[:, first : first + size].T, dtype="<f4")
            buffer = self._gst.Buffer.new_wrapped(block.tobytes())
            buffer.pts = self._next_ns
            buffer.duration = len(block) * NS_PER_S // self._rate
            self._next_ns += buffer.duration
            self._source.emit("push-buffer", buffer)
        if (failure := self._failure()) is not None:
            raise failure

    def end(self) -> None:
        """Nothing more comes."""
        self._source.emit("end-of-stream")

    def is_over(self, patience_ns: int) -> bool:
        """Whether everything was played, after waiting a little for it. Raises SpeakingError."""
        gst = self._gst
        message = self._bus.timed_pop_filtered(patience_ns, gst.MessageType.EOS | gst.MessageType.ERROR)
        if message is not None and message.type == gst.MessageType.ERROR:
            raise self._told(message)
        return message is not None

    def close(self) -> None:
        """Take the pipeline down."""
        self._pipeline.set_state(self._gst.State.NULL)

    def _running_ns(self) -> int:
        """How far it has played; what comes later than that by its time would be thrown away."""
        clock = self._pipeline.get_clock()
        if clock is None or self._next_ns == 0:
            return 0
        return int(clock.get_time() - self._pipeline.get_base_time()) + _LATE_NS

    def _plays_into_nothing(self) -> bool:
        """Whether there is no device: autoaudiosink then takes a sink of this name, and only warns."""
        elements = self._pipeline.iterate_recurse()
        while (step := elements.next())[0] == self._gst.IteratorResult.OK:
            if step[1].get_name() == _NO_DEVICE:
                return True
        return False

    def _failure(self) -> SpeakingError | None:
        message = self._bus.pop_filtered(self._gst.MessageType.ERROR)
        return None if message is None else self._told(message)

    def _told(self, message: Any) -> SpeakingError:
        """What an error on the bus says is wrong."""
        error, _ = message.parse_error()
        return SpeakingError(f"{self._where}: no sound can be played there ({error.message.rstrip('.')}); choose another sink")
