"""Tracks of sources from the bearings that a localiser reports: a pure state machine, stimulus in, changes out.

A bearing that fits no track collects evidence as a candidate; with enough of it, and only if it has led over all others for a
while, a track is born. Reflections always come with a louder direct sound, so they never lead. A track that is not
heard for a while sleeps; it stays where it was and wakes under its old name when something is heard near it. Between, a scalar Kalman
filter with a random walk follows the azimuth (Bar-Shalom et al. 2001, ch. 5).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from models.bearing_peak import Peak, angle_between_deg

NS_PER_S = 10**9
BEARING_NOISE_DEG2 = 16.0
USUAL_SHARE = 0.2
WIDEST_DEG2 = 100.0
# Weaker bearings keep a track awake but do not move it: what is heard near a talker who pauses is reverberation.
LEAST_MOVING_SHARE = 0.15


class TrackerError(ValueError):
    """A setting or stimulus that the tracker cannot work with."""


@dataclass(frozen=True)
class Change:
    """Something that happened to a track in a step."""

    kind: Literal["born", "woke", "slept", "forgotten"]
    name: str


@dataclass
class TrackState:
    """A track. `evidence` is what a sleeping track has gathered towards waking, in seconds of full share."""

    name: str
    azimuth_deg: float
    elevation_deg: float | None
    variance_deg2: float
    heard_ns: int
    active: bool
    evidence: float = 0.0


@dataclass
class Candidate:
    """A bearing on its way to becoming a track. `evidence` and `lead` are in seconds of full share."""

    azimuth_deg: float
    elevation_deg: float | None
    evidence: float = 0.0
    lead: float = 0.0


class BearingTracks:
    """Follows sources over time.

    Args:
        circular: whether azimuths run around (False for a line of microphones, 0 to 180 degrees).
        gate_deg: bearings this near to a track belong to it.
        birth_s: evidence that a candidate needs, in seconds times share: a talker with a fifth of all votes for a
            quarter of a second has gathered 0.05.
        lead_s: how much of that must have come while it was the strongest.
        wake_s: evidence that a sleeping track needs.
        sleep_after_s: a track that has not been heard for this long sleeps.
        memory_s: how fast candidates forget (time constant).
        walk_deg_per_sqrt_s: how far a source may wander in a second.
        n_most: how many tracks there may be; for one more the track that slept longest is forgotten.

    Raises:
        TrackerError: where a setting is not positive.
    """

    def __init__(
        self,
        circular: bool = True,
        gate_deg: float = 20.0,
        birth_s: float = 0.025,
        lead_s: float = 0.008,
        wake_s: float = 0.01,
        sleep_after_s: float = 1.0,
        memory_s: float = 3.0,
        walk_deg_per_sqrt_s: float = 4.0,
        n_most: int = 8,
    ) -> None:
        settings = {
            "gate_deg": gate_deg,
            "birth_s": birth_s,
            "wake_s": wake_s,
            "sleep_after_s": sleep_after_s,
            "memory_s": memory_s,
            "walk_deg_per_sqrt_s": walk_deg_per_sqrt_s,
            "n_most": n_most,
        }
        for name, value in settings.items():
            if not value > 0:
                raise TrackerError(f"{name} must be over 0, found {value}")
        if not 0 <= lead_s <= birth_s:
            raise TrackerError(f"lead_s must be from 0 to birth_s ({birth_s}), found {lead_s}: a part of the evidence cannot exceed it")
        self.circular = circular
        self.gate_deg = gate_deg
        self.birth_s = birth_s
        self.lead_s = lead_s
        self.wake_s = wake_s
        self.sleep_after_ns = round(sleep_after_s * NS_PER_S)
        self.memory_s = memory_s
        self.walk_deg2_per_s = walk_deg_per_sqrt_s**2
        self.n_most = n_most
        self.tracks: list[TrackState] = []
        self.candidates: list[Candidate] = []
        self.now_ns = 0
        self._n_born = 0

    def seed(self, name: str, azimuth_deg: float, elevation_deg: float | None = None) -> None:
        """Put a sleeping track where one was in an earlier part of the session; new names go on after the highest.

        Raises TrackerError where the name is taken.
        """
        if any(track.name == name for track in self.tracks):
            raise TrackerError(f"there is a track {name!r} already; names of tracks are unique")
        number = name.removeprefix("t")
        if number.isdigit():
            self._n_born = max(self._n_born, int(number))
        self._make_room()
        if len(self.tracks) < self.n_most:
            self.tracks.append(TrackState(name, azimuth_deg, elevation_deg, WIDEST_DEG2, self.now_ns, active=False))

    def step(self, end_ns: int, duration_ns: int, peaks: Iterable[Peak]) -> list[Change]:
        """Take what was heard in a stretch of time, strongest first, and say what changed.

        Raises TrackerError where time runs backwards.
        """
        if end_ns < self.now_ns or duration_ns < 0:
            raise TrackerError(f"time must move on: at {self.now_ns} ns came a step of {duration_ns} ns that ends at {end_ns} ns")
        self._forget((end_ns - self.now_ns) / NS_PER_S)
        self.now_ns = end_ns
        duration_s = duration_ns / NS_PER_S
        changes: list[Change] = []
        taken: set[str] = set()
        for rank, peak in enumerate(peaks):
            track = self._nearest(peak)
            if track is None:
                self._strengthen(peak, duration_s, leads=rank == 0)
            elif track.name not in taken:
                taken.add(track.name)
                changes += self._hear(track, peak, duration_s)
        changes += self._births()
        for track in self.tracks:
            if track.active and self.now_ns - track.heard_ns >= self.sleep_after_ns:
                track.active, track.evidence = False, 0.0
                changes.append(Change("slept", track.name))
        return changes

    def _forget(self, duration_s: float) -> None:
        keep = math.exp(-duration_s / self.memory_s)
        for candidate in self.candidates:
            candidate.evidence *= keep
            candidate.lead *= keep
        self.candidates = [candidate for candidate in self.candidates if candidate.evidence > self.birth_s / 50.0]
        for track in self.tracks:
            track.evidence *= keep
            if track.active:
                track.variance_deg2 = min(WIDEST_DEG2, track.variance_deg2 + self.walk_deg2_per_s * duration_s)

    def _apart(self, a_deg: float, b_deg: float) -> float:
        return angle_between_deg(a_deg, b_deg, self.circular)

    def _nearest(self, peak: Peak) -> TrackState | None:
        near = [track for track in self.tracks if self._apart(track.azimuth_deg, peak.azimuth_deg) <= self.gate_deg]
        return min(near, key=lambda track: self._apart(track.azimuth_deg, peak.azimuth_deg), default=None)

    def _hear(self, track: TrackState, peak: Peak, duration_s: float) -> list[Change]:
        if not track.active:
            track.evidence += peak.share * duration_s
            if track.evidence < self.wake_s:
                return []
            # Whoever sat here may have shifted meanwhile, so the first bearings weigh much.
            track.active, track.variance_deg2 = True, WIDEST_DEG2
            track.heard_ns = self.now_ns
            self._move(track, peak)
            return [Change("woke", track.name)]
        track.heard_ns = self.now_ns
        self._move(track, peak)
        return []

    def _move(self, track: TrackState, peak: Peak) -> None:
        if peak.share < LEAST_MOVING_SHARE:
            return
        noise = BEARING_NOISE_DEG2 * (USUAL_SHARE / max(peak.share, 0.01)) ** 2
        gain = track.variance_deg2 / (track.variance_deg2 + noise)
        track.variance_deg2 *= 1.0 - gain
        track.azimuth_deg = self._towards(track.azimuth_deg, peak.azimuth_deg, gain)
        track.elevation_deg = _blend(track.elevation_deg, peak.elevation_deg, gain)

    def _towards(self, from_deg: float, to_deg: float, gain: float) -> float:
        if not self.circular:
            return from_deg + gain * (to_deg - from_deg)
        # The outer modulo: a tiny negative sum rounds to exactly 360.
        return (from_deg + gain * ((to_deg - from_deg + 180.0) % 360.0 - 180.0)) % 360.0 % 360.0

    def _strengthen(self, peak: Peak, duration_s: float, *, leads: bool) -> None:
        near = [c for c in self.candidates if self._apart(c.azimuth_deg, peak.azimuth_deg) <= self.gate_deg]
        candidate = min(near, key=lambda c: self._apart(c.azimuth_deg, peak.azimuth_deg), default=None)
        if candidate is None:
            candidate = Candidate(peak.azimuth_deg, peak.elevation_deg)
            self.candidates.append(candidate)
        amount = peak.share * duration_s
        candidate.evidence += amount
        candidate.lead += amount if leads else 0.0
        gain = amount / candidate.evidence if candidate.evidence > 0.0 else 0.0
        candidate.azimuth_deg = self._towards(candidate.azimuth_deg, peak.azimuth_deg, gain)
        candidate.elevation_deg = _blend(candidate.elevation_deg, peak.elevation_deg, gain)

    def _births(self) -> list[Change]:
        changes: list[Change] = []
        for candidate in list(self.candidates):
            if candidate.evidence < self.birth_s or candidate.lead < self.lead_s:
                continue
            self.candidates.remove(candidate)
            if any(self._apart(track.azimuth_deg, candidate.azimuth_deg) <= self.gate_deg for track in self.tracks):
                # A track has moved here while the candidate grew: what was heard was that track.
                continue
            changes += [Change("forgotten", name) for name in self._make_room()]
            if len(self.tracks) < self.n_most:
                self._n_born += 1
                name = f"t{self._n_born}"
                self.tracks.append(
                    TrackState(name, candidate.azimuth_deg, candidate.elevation_deg, BEARING_NOISE_DEG2, self.now_ns, active=True)
                )
                changes.append(Change("born", name))
        return changes

    def _make_room(self) -> list[str]:
        """Forget the track that slept longest where there is no room for another; its name."""
        sleeping = [track for track in self.tracks if not track.active]
        if len(self.tracks) < self.n_most or not sleeping:
            return []
        oldest = min(sleeping, key=lambda track: track.heard_ns)
        self.tracks.remove(oldest)
        return [oldest.name]


def _blend(old: float | None, new: float | None, gain: float) -> float | None:
    if old is None or new is None:
        return new if old is None else old
    return old + gain * (new - old)
