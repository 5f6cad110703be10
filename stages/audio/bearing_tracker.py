"""Tracks from directions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from models.bearing_peak import Peak
from models.bearing_tracks import BearingTracks, Candidate
from pipeline.packets import AudioBlock, Directions, Track, Tracks
from pipeline.stage import Emit, In, Out, Stage
from stages.audio.lane_tracks import lane_tracks
from stages.memory.long_term_memory import LongTermMemory


class BearingTracker(Stage):
    """Follows talkers by their bearing.

    They are named t1, t2, ... in the order in which they first speak. In silence a track sleeps; it wakes under the same name
    when something is heard near where it was, or, for a few seconds, on the way on which it walked. One `Tracks` for each block, in
    which all tracks stand.

    A talker is found after 0.1 to 0.3 s of speech as a rule, later under somebody louder. Reflections are quieter than the
    direct sound and so never become tracks; see `models/bearing_tracks.py`. On arrays without bearing each channel is a track.

    Args:
        gate_deg: what is heard this near to a track belongs to it; two tracks are at least this far apart when born.
        birth_s: evidence for a new track, in seconds times share of the sound.
        lead_s: how much of that must have come while nothing else was louder.
        wake_s: evidence for a sleeping track to wake.
        sleep_after_s: a track sleeps when it was not heard for this long.
        max_tracks: how many tracks there may be; for one more, the one that slept longest is forgotten.
        memory: where a resumed session's tracks are found, so that their names go on.
    """

    audio = In(AudioBlock)
    directions = In(Directions)
    tracks = Out(Tracks)

    def __init__(
        self,
        gate_deg: float = 20.0,
        birth_s: float = 0.025,
        lead_s: float = 0.003,
        wake_s: float = 0.01,
        sleep_after_s: float = 1.0,
        max_tracks: int = 8,
        memory: LongTermMemory | None = None,
    ) -> None:
        self._settings = {"gate_deg": gate_deg, "birth_s": birth_s, "lead_s": lead_s, "wake_s": wake_s, "sleep_after_s": sleep_after_s}
        self._max_tracks = max_tracks
        self._memory = memory
        self._tracker = self._new(circular=True)
        self._lanes: tuple[Track, ...] | None = None
        self._seeds: list[tuple[str, float, float | None]] = []

    def _new(self, *, circular: bool) -> BearingTracks:
        return BearingTracks(circular=circular, n_most=self._max_tracks, accept=self._accept(), **self._settings)

    def _accept(self) -> Callable[[Candidate], bool] | None:
        """What is asked before a track is born; here nothing."""
        return None

    def start(self) -> None:
        """Begin with the tracks that the memory has of this session, if it is one that goes on."""
        self._seeds = []
        if self._memory is not None:
            rows = sorted(self._memory.tracks(self._memory.session), key=lambda row: row.last_ns)
            self._seeds = [(row.track, row.azimuth_deg, row.elevation_deg) for row in rows if row.azimuth_deg is not None]
        self._lanes = None
        self._begin(circular=True)

    def _begin(self, *, circular: bool) -> None:
        self._tracker = self._new(circular=circular)
        for name, azimuth_deg, elevation_deg in self._seeds:
            self._tracker.seed(name, azimuth_deg, elevation_deg)

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[Tracks]]:
        """Take note of the array; the samples themselves are not looked at."""
        self._lanes = None if block.array.has_bearing else lane_tracks(block.array)
        circular = block.array.rank != 1
        if self._lanes is None and circular != self._tracker.circular:
            self._begin(circular=circular)
        yield from ()

    def on_directions(self, heard: Directions) -> Iterator[Emit[Tracks]]:
        """Move the tracks on by a block."""
        tracks = self._lanes
        if tracks is None:
            peaks = [Peak(direction.azimuth_deg, direction.elevation_deg, direction.power) for direction in heard.directions]
            self._tracker.step(heard.end_ns, heard.duration_ns, peaks)
            tracks = tuple(Track(t.name, t.azimuth_deg, t.elevation_deg, t.active) for t in self._tracker.tracks)
        yield self.tracks(Tracks(pts_ns=heard.pts_ns, duration_ns=heard.duration_ns, tracks=tracks))
