"""Tracks of sources from the bearings that a localiser reports: a pure state machine, stimulus in, changes out.

A bearing that fits no track collects evidence as a candidate; with enough of it, and only if it has led over all others for a
while, a track is born. Reflections always come with a louder direct sound, so they never lead. A track that is not
heard for a while sleeps; it stays where it was and wakes under its old name when something is heard near it. Between, a Kalman filter
follows its azimuth and how fast that turns (`models/bearing_filter.py`), and all bearings of a step are shared out among the tracks
together (`models/bearing_assignment.py`).

Two talkers who cross are one bearing for a while, since no localiser tells apart what is closer than its own width. A track whose bearing
went to another one near it is in its shadow: it goes on as it went and stays awake, and the bearing, which may be either's, moves the other
one less (as in probabilistic data association; Bar-Shalom, Li and Kirubarajan 2001, sec. 1.5). Two tracks that stay
together like that are one source, and the younger is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from models.bearing_assignment import assign
from models.bearing_filter import BearingFilter, difference_deg, turned
from models.bearing_peak import Peak, angle_between_deg

NS_PER_S = 10**9
BEARING_NOISE_DEG2 = 16.0
USUAL_SHARE = 0.2
# Weaker bearings keep a track awake but do not move it: what is heard near a talker who pauses is reverberation.
LEAST_MOVING_SHARE = 0.15
# Weaker bearings do not lead: where nothing is stronger, they are the tail of something that was.
LEAST_LEADING_SHARE = 0.12
# After this long without a bearing a track's rate fades, with this time constant.
PAUSE_NS = NS_PER_S // 10
FADE_S = 0.4
SHADOW_NS = 3 * NS_PER_S
SHADOW_WIDTH_DEG = 6.0
TOGETHER_DEG = 10.0
END_FIRE = 1.3
FIRST_WAIT_NS = 6 * NS_PER_S // 100
LONGEST_WAIT_NS = NS_PER_S
WAIT_GROWTH = 1.4
# The longest wait is reached long before; more would be more than a number can hold after half an hour of a fan.
MOST_GROWTHS = 20
# Who walked when last heard may be found further along that way, for so long.
WALKING_DEG_PER_S = 8.0
WALK_MEMORY_S = 0.5
WALK_ON_NS = 7 * NS_PER_S // 2


class TrackerError(ValueError):
    """A setting or stimulus that the tracker cannot work with."""


@dataclass(frozen=True)
class Change:
    """Something that happened to a track in a step."""

    kind: Literal["born", "woke", "slept", "forgotten"]
    name: str


@dataclass
class TrackState:
    """A track.

    `heard_ns` is when a bearing was last its own or, in another's shadow, possibly its own; `own_ns` when it was its own for sure.
    `evidence` is what a sleeping track has gathered towards waking, in seconds of full share. `last_deg` is where it was at `own_ns`, and
    `walk_deg_per_s` how fast it had turned over the last half second.
    """

    name: str
    filter: BearingFilter
    elevation_deg: float | None
    heard_ns: int
    own_ns: int
    active: bool
    evidence: float = 0.0
    last_deg: float = 0.0
    walk_deg_per_s: float = 0.0

    @property
    def azimuth_deg(self) -> float:
        """Where it is."""
        return self.filter.azimuth_deg

    @property
    def variance_deg2(self) -> float:
        """How unsure that is."""
        return self.filter.variance_deg2


@dataclass
class Candidate:
    """A bearing on its way to becoming a track. `evidence` and `lead` are in seconds of full share.

    `n_refused` is how often it was refused, `n_refused_alone` how often of these while no track was awake, and `ask_ns` from when on it
    may be asked about again.
    """

    azimuth_deg: float
    elevation_deg: float | None
    evidence: float = 0.0
    lead: float = 0.0
    n_refused: int = 0
    n_refused_alone: int = 0
    ask_ns: int = 0


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
        acceleration_deg2_per_s3: how soon a source may begin to walk: the intensity of its random acceleration.
        together_s: two awake tracks at one place become one when only one bearing was heard there for this long.
        n_most: how many tracks there may be; for one more the track that slept longest is forgotten.
        accept: asked before a candidate becomes a track; where it says no, the candidate is asked about again, less and less often.

    Raises:
        TrackerError: where a setting is not positive.
    """

    def __init__(
        self,
        circular: bool = True,
        gate_deg: float = 20.0,
        birth_s: float = 0.025,
        lead_s: float = 0.003,
        wake_s: float = 0.01,
        sleep_after_s: float = 1.0,
        memory_s: float = 3.0,
        acceleration_deg2_per_s3: float = 100.0,
        together_s: float = 2.5,
        n_most: int = 8,
        accept: Callable[[Candidate], bool] | None = None,
    ) -> None:
        settings = {
            "gate_deg": gate_deg,
            "birth_s": birth_s,
            "wake_s": wake_s,
            "sleep_after_s": sleep_after_s,
            "memory_s": memory_s,
            "acceleration_deg2_per_s3": acceleration_deg2_per_s3,
            "together_s": together_s,
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
        self.acceleration_deg2_per_s3 = acceleration_deg2_per_s3
        self.together_ns = round(together_s * NS_PER_S)
        self.n_most = n_most
        self._accept = accept
        self.tracks: list[TrackState] = []
        self.candidates: list[Candidate] = []
        self.now_ns = 0
        self._n_born = 0
        self._together_ns: dict[tuple[str, str], int] = {}

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
            place = BearingFilter(azimuth_deg, self.circular)
            self.tracks.append(TrackState(name, place, elevation_deg, self.now_ns, self.now_ns, active=False))

    def step(self, end_ns: int, duration_ns: int, peaks: Iterable[Peak]) -> list[Change]:
        """Take what was heard in a stretch of time, strongest first, and say what changed.

        Raises TrackerError where time runs backwards.
        """
        if end_ns < self.now_ns or duration_ns < 0:
            raise TrackerError(f"time must move on: at {self.now_ns} ns came a step of {duration_ns} ns that ends at {end_ns} ns")
        self._forget((end_ns - self.now_ns) / NS_PER_S)
        self.now_ns = end_ns
        duration_s = duration_ns / NS_PER_S
        bearings = list(peaks)
        owners = self._owners(bearings)
        strongest = max((peak.share for peak in bearings), default=0.0)
        changes: list[Change] = []
        for number, peak in enumerate(bearings):
            if number in owners:
                changes += self._hear(owners[number], peak, duration_s, self._shadowed(peak, owners))
            elif all(self._reach(track, peak) > self.gate_deg for track in self.tracks):
                self._strengthen(peak, duration_s, leads=peak.share >= max(strongest, LEAST_LEADING_SHARE))
        changes += self._births()
        changes += self._merge()
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
                paused = self.now_ns - track.heard_ns >= PAUSE_NS
                track.filter.predict(duration_s, self.acceleration_deg2_per_s3, FADE_S if paused else math.inf)

    def _apart(self, a_deg: float, b_deg: float) -> float:
        """How far apart two azimuths are as the array tells them: towards its ends a line sees ever less of a turn."""
        apart = angle_between_deg(a_deg, b_deg, self.circular)
        if self.circular:
            return apart
        return min(apart, END_FIRE * math.degrees(abs(math.cos(math.radians(a_deg)) - math.cos(math.radians(b_deg)))))

    def _owners(self, bearings: list[Peak]) -> dict[int, TrackState]:
        """The track of each bearing that has one, by the bearing's number. Who is awake comes before who sleeps."""
        if not bearings or not self.tracks:
            return {}
        reach = self.gate_deg**2
        costs = [[self._cost(track, peak) for track in self.tracks] for peak in bearings]
        return {number: self.tracks[column] for number, column in assign(costs, 2.0 * reach).items()}

    def _cost(self, track: TrackState, peak: Peak) -> float:
        reach, apart = self.gate_deg**2, self._reach(track, peak) ** 2
        return math.inf if apart > reach else apart + (0.0 if track.active else 0.75 * reach)

    def _reach(self, track: TrackState, peak: Peak) -> float:
        """How far a bearing is from where a track is, or may be by now if it walked when it was last heard."""
        apart = self._apart(track.azimuth_deg, peak.azimuth_deg)
        silent_ns = self.now_ns - track.own_ns
        if abs(track.walk_deg_per_s) < WALKING_DEG_PER_S or silent_ns > WALK_ON_NS:
            return apart
        way = track.walk_deg_per_s * silent_ns / NS_PER_S
        ahead = difference_deg(peak.azimuth_deg, track.last_deg, self.circular)
        return min(apart, max(min(0.0, way) - ahead, ahead - max(0.0, way), 0.0))

    def _shadowed(self, peak: Peak, owners: dict[int, TrackState]) -> list[TrackState]:
        """The awake tracks without a bearing of their own that this bearing may belong to as well."""
        owned = {track.name for track in owners.values()}
        return [
            track
            for track in self.tracks
            if track.active
            and track.name not in owned
            and self.now_ns - track.own_ns < SHADOW_NS
            and self._apart(track.azimuth_deg, peak.azimuth_deg) <= self.gate_deg
        ]

    def _hear(self, track: TrackState, peak: Peak, duration_s: float, shadowed: list[TrackState]) -> list[Change]:
        changes: list[Change] = []
        if not track.active:
            track.evidence += peak.share * duration_s
            if track.evidence < self.wake_s:
                return []
            track.active = True
            track.filter.loosen()
            changes.append(Change("woke", track.name))
        if self._apart(track.azimuth_deg, peak.azimuth_deg) > self.gate_deg:
            # It walked on in silence.
            track.filter = BearingFilter(peak.azimuth_deg, self.circular, BEARING_NOISE_DEG2, track.walk_deg_per_s)
        track.heard_ns = track.own_ns = self.now_ns
        likely = [self._likelihood(peak, other) for other in (track, *shadowed)]
        for other in shadowed:
            other.heard_ns = self.now_ns
        self._move(track, peak, likely[0] / sum(likely))
        follow = 1.0 - math.exp(-duration_s / WALK_MEMORY_S)
        track.walk_deg_per_s += follow * (track.filter.rate_deg_per_s - track.walk_deg_per_s)
        track.last_deg = track.azimuth_deg
        return changes

    def _likelihood(self, peak: Peak, track: TrackState) -> float:
        return math.exp(-0.5 * (self._apart(track.azimuth_deg, peak.azimuth_deg) / SHADOW_WIDTH_DEG) ** 2) + 1e-9

    def _move(self, track: TrackState, peak: Peak, certainty: float) -> None:
        if peak.share < LEAST_MOVING_SHARE:
            return
        noise = BEARING_NOISE_DEG2 * (USUAL_SHARE / peak.share) ** 2 / certainty**2
        gain = track.filter.update(peak.azimuth_deg, noise)
        track.elevation_deg = _blend(track.elevation_deg, peak.elevation_deg, gain)

    def _merge(self) -> list[Change]:
        """Make one of two tracks where only one source has been for a while; the older name stays."""
        together: dict[tuple[str, str], int] = {}
        changes: list[Change] = []
        awake = [track for track in self.tracks if track.active]
        for number, older in enumerate(awake):
            for younger in awake[number + 1 :]:
                if (
                    self._apart(older.azimuth_deg, younger.azimuth_deg) <= TOGETHER_DEG
                    and not older.own_ns == younger.own_ns == self.now_ns
                ):
                    pair = (older.name, younger.name)
                    together[pair] = self._together_ns.get(pair, self.now_ns)
                    if self.now_ns - together[pair] >= self.together_ns and younger in self.tracks:
                        self.tracks.remove(younger)
                        changes += [Change("slept", younger.name), Change("forgotten", younger.name)]
        self._together_ns = together
        return changes

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
        way_deg = difference_deg(peak.azimuth_deg, candidate.azimuth_deg, self.circular)
        candidate.azimuth_deg = turned(candidate.azimuth_deg, gain * way_deg, self.circular)
        candidate.elevation_deg = _blend(candidate.elevation_deg, peak.elevation_deg, gain)

    def _births(self) -> list[Change]:
        changes: list[Change] = []
        for candidate in list(self.candidates):
            if candidate.evidence < self.birth_s or candidate.lead < self.lead_s or self.now_ns < candidate.ask_ns:
                continue
            self.candidates.remove(candidate)
            if any(self._apart(track.azimuth_deg, candidate.azimuth_deg) <= self.gate_deg for track in self.tracks):
                # A track has moved here while the candidate grew: what was heard was that track.
                continue
            if self._accept is not None and not self._accept(candidate):
                grown = WAIT_GROWTH ** min(candidate.n_refused, MOST_GROWTHS)
                candidate.ask_ns = self.now_ns + min(LONGEST_WAIT_NS, round(FIRST_WAIT_NS * grown))
                candidate.n_refused += 1
                candidate.n_refused_alone += not any(track.active for track in self.tracks)
                self.candidates.append(candidate)
                continue
            changes += [Change("forgotten", name) for name in self._make_room()]
            if len(self.tracks) < self.n_most:
                self._n_born += 1
                name = f"t{self._n_born}"
                place = BearingFilter(candidate.azimuth_deg, self.circular, BEARING_NOISE_DEG2)
                self.tracks.append(TrackState(name, place, candidate.elevation_deg, self.now_ns, self.now_ns, active=True))
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
