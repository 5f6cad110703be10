"""A GStreamer pipeline that gives samples: built from a description, pulled from, and taken down without leaving anything behind."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.packets import Float32Array
from stages.capture.source_info import SourceError

_SINK = "echoic_sink"
_FILTER = "echoic_filter"
_QUEUE = "echoic_queue"
# How much a live source may run ahead of the disk before samples are lost.
_SLACK_NS = 10 * 10**9
_SETTER = "echoic_setter"
_NO_POSITIONS = "audio/x-raw,channel-mask=(bitmask)0x0"
# GStreamer takes the channels of a FLAC file for loudspeakers and sorts them; with 7 and 8 that changes their order. Microphones
# have no such order, so it is undone (the permutation is its own inverse).
_FLAC_ORDER = {7: (0, 1, 4, 5, 2, 3, 6), 8: (0, 1, 4, 5, 2, 3, 6, 7)}
_PACKAGES = {
    "gstreamer1.0-plugins-base": ("alsasrc", "audioconvert", "audioresample", "audiotestsrc", "decodebin", "uridecodebin", "tcpclientsrc"),
    "gstreamer1.0-plugins-good": (
        "autoaudiosrc",
        "pulsesrc",
        "rtspsrc",
        "rtpjitterbuffer",
        "udpsrc",
        "souphttpsrc",
        "jackaudiosrc",
        "wavparse",
    ),
    "gstreamer1.0-plugins-bad": ("rtmp2src", "srtsrc", "webrtcbin", "mpegtsdemux", "tsdemux", "openalsrc", "rtmpsrc", "aiffparse"),
    "gstreamer1.0-alsa": ("alsasrc",),
    "gstreamer1.0-pipewire": ("pipewiresrc", "pipewiredeviceprovider"),
    "gstreamer1.0-pulseaudio": ("pulsesrc",),
    "gstreamer1.0-libav": ("avdec_aac", "avdec_mp3", "avdec_h264", "avdemux_ape"),
    "gstreamer1.0-nice": ("nicesrc",),
}


@dataclass(frozen=True)
class Pulled:
    """One buffer: float32, shape (channels, frames). `time_ns` is None where the source gives no time.

    `crowded` says that the samples have waited so long that others were probably dropped.
    """

    samples: Float32Array
    sample_rate_hz: int
    time_ns: int | None
    crowded: bool = False


def load_gst(where: str) -> Any:
    """GStreamer's Python binding, initialised. Raises SourceError where it is not installed; `where` says who needs it."""
    try:
        import gi

        gi.require_version("Gst", "1.0")
        from gi.repository import Gst
    except (ImportError, ValueError) as error:
        raise SourceError(
            f"{where}: needs GStreamer, and its Python binding cannot be loaded ({error}); "
            "install gir1.2-gstreamer-1.0 and libgirepository1.0-dev, then PyGObject"
        ) from error
    Gst.init(None)
    return Gst


class GstPipeline:
    """Plays a description (without sink) into this process as float32, interleaved.

    `channels` is what GStreamer may negotiate with the source ("8", or a range "[7,64]"; "" for anything); samples are resampled
    where a rate is given. `paced` plays what is not live in real time. Raises SourceError with GStreamer's own words.
    """

    def __init__(self, description: str, where: str, *, channels: str = "", rate_hz: int | None = None, paced: bool = False) -> None:
        self._gst = load_gst(where)
        self.where = where
        self.is_live = False
        self._channels = channels
        self._paced = paced
        self._missing: list[str] = []
        wanted = "audio/x-raw" + (f",channels={channels}" if channels else "")
        given = "audio/x-raw,format=F32LE,layout=interleaved" + (f",rate={rate_hz}" if rate_hz else "")
        text = (
            f'{description} ! capsfilter name={_FILTER} caps="{wanted}" ! capssetter name={_SETTER} caps=audio/x-raw '
            f"! audioconvert ! audioresample ! {given} "
            f"! queue name={_QUEUE} max-size-buffers=0 max-size-bytes=0 max-size-time={_SLACK_NS} ! appsink name={_SINK} max-buffers=1"
        )
        self._pipeline = self._parsed(description, text)
        self._sink = self._pipeline.get_by_name(_SINK)
        self._queue = self._pipeline.get_by_name(_QUEUE)
        self._bus = self._pipeline.get_bus()
        self._is_flac: bool | None = None
        self._pad = self.element(_FILTER).get_static_pad("sink")
        self._probe = self._pad.add_probe(self._gst.PadProbeType.EVENT_DOWNSTREAM, self._look_at_caps)

    def element(self, name: str) -> Any:
        """An element of the description by its name."""
        return self._pipeline.get_by_name(name)

    def start(self) -> None:
        """Play. Raises SourceError where the source cannot be opened."""
        gst = self._gst
        result = self._pipeline.set_state(gst.State.PAUSED)
        if result == gst.StateChangeReturn.ASYNC:
            result, _, _ = self._pipeline.get_state(0)
        if result == gst.StateChangeReturn.FAILURE:
            raise self.failure() or SourceError(f"{self.where}: GStreamer cannot open it and does not say why")
        self.is_live = result == gst.StateChangeReturn.NO_PREROLL
        # What is live cannot wait for whoever pulls, so there the oldest samples make room.
        self._queue.set_property("leaky", "downstream" if self.is_live else "no")
        self._sink.set_property("sync", self._paced and not self.is_live)
        if self._pipeline.set_state(gst.State.PLAYING) == gst.StateChangeReturn.FAILURE:
            raise self.failure() or SourceError(f"{self.where}: GStreamer cannot play it and does not say why")

    def pull(self, timeout_ns: int) -> Pulled | None:
        """The next samples; None where none came in time, or none will come any more (`failure`, `ended`)."""
        sample = self._sink.emit("try-pull-sample", timeout_ns)
        if sample is None:
            return None
        structure = sample.get_caps().get_structure(0)
        n_channels, rate = structure.get_int("channels")[1], structure.get_int("rate")[1]
        buffer = sample.get_buffer()
        mapped, info = buffer.map(self._gst.MapFlags.READ)
        if not mapped:
            raise SourceError(f"{self.where}: a buffer of GStreamer's cannot be read")
        try:
            frames = np.frombuffer(info.data, dtype="<f4").reshape(-1, n_channels)
            samples = np.ascontiguousarray(frames.T[self._order(n_channels)], dtype=np.float32)
        finally:
            buffer.unmap(info)
        time_ns = (
            sample.get_segment().to_running_time(self._gst.Format.TIME, buffer.pts) if buffer.pts != self._gst.CLOCK_TIME_NONE else None
        )
        if time_ns == self._gst.CLOCK_TIME_NONE:
            time_ns = None
        crowded = self._queue.get_property("current-level-time") > _SLACK_NS * 0.9
        return Pulled(samples, rate, time_ns, crowded)

    def _look_at_caps(self, pad: Any, info: Any) -> Any:
        """GStreamer wants it said when channels have no loudspeaker positions, as those of a plain WAV of an array have none."""
        del pad
        event = info.get_event()
        if event.type == self._gst.EventType.CAPS:
            structure = event.parse_caps().get_structure(0)
            if structure.get_int("channels")[1] > 2 and not structure.has_field("channel-mask"):
                self.element(_SETTER).set_property("caps", self._gst.Caps.from_string(_NO_POSITIONS))
        return self._gst.PadProbeReturn.OK

    def _order(self, n_channels: int) -> list[int]:
        """The order that the channels had before the decoder sorted them."""
        if self._is_flac is None:
            elements = self._pipeline.iterate_recurse()
            self._is_flac = False
            while (step := elements.next())[0] == self._gst.IteratorResult.OK:
                factory = step[1].get_factory()
                self._is_flac |= factory is not None and factory.get_name() in {"flacdec", "avdec_flac"}
        return list(_FLAC_ORDER.get(n_channels, range(n_channels)) if self._is_flac else range(n_channels))

    @property
    def ended(self) -> bool:
        """Whether the stream has come to its end and everything was pulled."""
        return bool(self._sink.get_property("eos"))

    def failure(self) -> SourceError | None:
        """What the pipeline failed with since it was last asked, in GStreamer's words."""
        gst = self._gst
        kinds = gst.MessageType.ERROR | gst.MessageType.ELEMENT
        while (message := self._bus.pop_filtered(kinds)) is not None:
            if message.type == gst.MessageType.ERROR:
                return self._told(*message.parse_error())
            structure = message.get_structure()
            if structure is not None and structure.get_name() == "missing-plugin":
                self._missing.append(str(structure.get_string("name")))
        return None

    def _offered(self) -> str:
        """What the description offers where Echoic's part begins, as GStreamer writes it."""
        pad = self.element(_FILTER).get_static_pad("sink").get_peer()
        caps = pad.query_caps(None) if pad is not None else None
        return str(caps.to_string()) if caps is not None else ""

    def duration_ns(self) -> int | None:
        """The length that the stream declares."""
        known, duration = self._pipeline.query_duration(self._gst.Format.TIME)
        return int(duration) if known and duration >= 0 else None

    def stop(self) -> None:
        """Take the pipeline down. May be called twice."""
        self._pipeline.set_state(self._gst.State.NULL)
        if self._probe is not None:
            # The probe holds this object, which holds the pipeline: a circle that nothing else would break.
            self._pad.remove_probe(self._probe)
            self._probe = None
        self._bus.set_flushing(True)

    def _told(self, error: Any, details: str | None) -> SourceError:
        words = error.message.strip().rstrip(".")
        if any(reason in f"{details}" for reason in ("not-linked", "not-negotiated")):
            fitting = f" with {self._channels} channels, which the array needs" if self._channels else " that GStreamer can decode"
            offered = self._offered()
            return SourceError(
                f"{self.where}: there is no sound in it{fitting}" + (f"; it offers {offered}" if "channels" in offered else "")
            )
        if self._missing:
            return SourceError(
                f"{self.where}: GStreamer lacks {', '.join(self._missing)}; install gstreamer1.0-libav or gstreamer1.0-plugins-bad"
            )
        # The last line of the details is what the element itself said.
        reason = (details or "").strip().splitlines()[-1:] or [""]
        tail = f" ({reason[0].rpartition('): ')[2] if '): ' in reason[0] else reason[0]})" if len((details or "").splitlines()) > 1 else ""
        return SourceError(f"{self.where}: {words}{tail}")

    def _parsed(self, description: str, text: str) -> Any:
        from gi.repository import GLib

        try:
            return self._gst.parse_launch(text)
        except GLib.Error as error:
            words = str(error.message)
            if _FILTER in words:
                raise SourceError(f"{self.where}: it does not give what is needed ({words.partition(', ')[2] or words})") from error
            missing = words.partition('no element "')[2].rstrip('"')
            hint = (
                self._hint(missing)
                if missing
                else "write it as for gst-launch-1.0, without a sink; try it with: gst-launch-1.0 " + (f"{description} ! fakesink")
            )
            raise SourceError(f"{self.where}: GStreamer says {words}; {hint}") from error

    def _hint(self, element: str) -> str:
        package = next((package for package, elements in reversed(_PACKAGES.items()) if element in elements), "")
        if package:
            return f"install it: apt-get install {package}"
        features = self._gst.Registry.get().get_feature_list(self._gst.ElementFactory)
        near = difflib.get_close_matches(element, [feature.get_name() for feature in features], n=1)
        return f"did you mean {near[0]}?" if near else "see what there is with: gst-inspect-1.0"
