"""Tracks at bearings that somebody gave."""

from __future__ import annotations

from collections.abc import Iterator

from models.bearing_peak import angle_between_deg
from pipeline.packets import AudioBlock, Directions, Track, Tracks, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.audio.lane_tracks import lane_tracks


class FixedBearingsError(ValueError):
    """Bearings that no track can have."""


class FixedBearings(Stage):
    """A track at each given bearing, t1 at the first: for seats that are known. Nothing else becomes a track.

    The same ports as `BearingTracker`. A track is active while something is heard near its bearing.
    On arrays without bearing each channel is a track.

    Args:
        azimuths_deg: the bearings, 0 up to 360 degrees (0 to 180 for a line of microphones), at least one.
        gate_deg: what is heard this near to a bearing belongs to it, if no other is nearer.
        sleep_after_s: a track sleeps when it was not heard for this long.

    Raises:
        FixedBearingsError: where there is no bearing, or one is out of range.
    """

    audio = In(AudioBlock)
    directions = In(Directions)
    tracks = Out(Tracks)

    def __init__(
        self, azimuths_deg: tuple[float, ...] = (0.0, 90.0, 180.0, 270.0), gate_deg: float = 30.0, sleep_after_s: float = 1.0
    ) -> None:
        if not azimuths_deg or any(not 0.0 <= azimuth < 360.0 for azimuth in azimuths_deg):
            raise FixedBearingsError(
                f"azimuths_deg must be one or more bearings from 0 up to (not including) 360, found {list(azimuths_deg)}"
            )
        self._azimuths_deg = tuple(azimuths_deg)
        self._gate_deg = gate_deg
        self._sleep_after_ns = nanoseconds(sleep_after_s)
        self._lanes: tuple[Track, ...] | None = None
        self._circular = True
        self._heard_ns: list[int | None] = []

    def start(self) -> None:
        """Begin with all tracks asleep."""
        self._lanes = None
        self._heard_ns = [None] * len(self._azimuths_deg)

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[Tracks]]:
        """Take note of the array; the samples themselves are not looked at.

        Raises FixedBearingsError where a line of microphones is asked for a bearing over 180 degrees.
        """
        self._lanes = None if block.array.has_bearing else lane_tracks(block.array)
        self._circular = block.array.rank != 1
        if self._lanes is None and not self._circular and max(self._azimuths_deg) > 180.0:
            raise FixedBearingsError(
                f"azimuths_deg has {max(self._azimuths_deg):g}, but the array {block.array.name} is a line: bearings from 0 to 180"
            )
        yield from ()

    def on_directions(self, heard: Directions) -> Iterator[Emit[Tracks]]:
        """Say which of the bearings are active."""
        tracks = self._lanes
        if tracks is None:
            for direction in heard.directions:
                apart = [angle_between_deg(azimuth, direction.azimuth_deg, self._circular) for azimuth in self._azimuths_deg]
                if min(apart) <= self._gate_deg:
                    self._heard_ns[apart.index(min(apart))] = heard.end_ns
            tracks = tuple(
                Track(f"t{number}", azimuth, active=last is not None and heard.end_ns - last < self._sleep_after_ns)
                for number, (azimuth, last) in enumerate(zip(self._azimuths_deg, self._heard_ns, strict=True), start=1)
            )
        yield self.tracks(Tracks(pts_ns=heard.pts_ns, duration_ns=heard.duration_ns, tracks=tracks))
