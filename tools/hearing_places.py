"""Where the talkers were and where the graph put them: whose line is whose, bearing errors, talkers found, false and broken tracks."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
NEAR_DEG = 25.0
"""A line or track further than this from everybody belongs to nobody."""
FOUND_SHARE = 0.5
"""A talker is found whose bearing has a waking track for this share of the time they speak."""
LEAST_S = 3.0
BROKEN_S = 1.0
"""Another track of a talker counts when it was theirs for this long."""


@dataclass(frozen=True)
class Place:
    """Where somebody is: times in seconds and bearings in degrees; in between straight on, before and after as at the ends."""

    at_s: tuple[float, ...]
    azimuth_deg: tuple[float, ...]

    def bearing_deg(self, time_s: float) -> float:
        """The bearing at a time, 0 up to 360 degrees."""
        after = bisect_right(self.at_s, time_s)
        if after == 0:
            return self.azimuth_deg[0]
        if after == len(self.at_s):
            return self.azimuth_deg[-1]
        share = (time_s - self.at_s[after - 1]) / (self.at_s[after] - self.at_s[after - 1])
        turn = (self.azimuth_deg[after] - self.azimuth_deg[after - 1] + 180.0) % 360.0 - 180.0
        return (self.azimuth_deg[after - 1] + share * turn) % 360.0


def apart_deg(one: float, other: float) -> float:
    """The angle between two bearings, 0 to 180."""
    return abs((one - other + 180.0) % 360.0 - 180.0)


def owner(azimuth_deg: float, time_s: float, places: dict[str, Place]) -> str | None:
    """Who was there at that time, or None where nobody was near."""
    far = {who: apart_deg(azimuth_deg, place.bearing_deg(time_s)) for who, place in places.items()}
    nearest = min(far, key=lambda who: far[who], default=None)
    return nearest if nearest is not None and far[nearest] <= NEAR_DEG else None


def by_talker(heard: Sequence[Row], places: dict[str, Place]) -> dict[str | None, list[Row]]:
    """The lines of each talker by bearing; under None those of nobody. Lines without bearing are everybody's."""
    lines: dict[str | None, list[Row]] = {who: [] for who in (*places, None)}
    for row in heard:
        if row["azimuth_deg"] is None:
            for who in places:
                lines[who].append(row)
        else:
            lines[owner(row["azimuth_deg"], (row["start_s"] + row["end_s"]) / 2, places)].append(row)
    return lines


def bearing_errors_deg(lines: dict[str | None, list[Row]], places: dict[str, Place]) -> list[float]:
    """How far the bearing of each line is from its talker's, in the middle of the line."""
    return [
        apart_deg(row["azimuth_deg"], places[who].bearing_deg((row["start_s"] + row["end_s"]) / 2))
        for who, rows in lines.items()
        for row in rows
        if who is not None and row["azimuth_deg"] is not None
    ]


@dataclass(frozen=True)
class TrackCounts:
    """Talkers who speak three seconds or more, how many of them were found, tracks that were nobody's, and second tracks of somebody."""

    n_talkers: int
    n_found: int
    n_false: int
    n_broken: int


def count_tracks(tracks: Sequence[Row], truth: Sequence[Row], places: dict[str, Place]) -> TrackCounts | None:
    """Compare the tracks with the talkers. None where the array has no bearings.

    A track is false that was nobody's for more than half of its waking time. It is broken off where a talker has more than one.
    """
    if any(azimuth is None for row in tracks for _, azimuth in row["awake"]):
        return None
    spoken_s = {who: sum(row["end_s"] - row["start_s"] for row in truth if row["track"] == who) for who in places}
    speech = {who: [(row["start_s"], row["end_s"]) for row in truth if row["track"] == who] for who in places}
    covered_s = dict.fromkeys(places, 0.0)
    own_s: dict[str, dict[str, float]] = {}
    awake_s: dict[str, float] = {}
    for row in tracks:
        middle_s = row["at_s"] - row["lasts_s"] / 2
        there = set()
        for name, azimuth in row["awake"]:
            awake_s[name] = awake_s.get(name, 0.0) + row["lasts_s"]
            who = owner(azimuth, middle_s, places)
            if who is not None:
                there.add(who)
                by = own_s.setdefault(name, {})
                by[who] = by.get(who, 0.0) + row["lasts_s"]
        for who in there:
            if any(start <= middle_s < end for start, end in speech[who]):
                covered_s[who] += row["lasts_s"]
    false = [name for name, waking_s in awake_s.items() if sum(own_s.get(name, {}).values()) < waking_s / 2]
    n_broken = 0
    for who in places:
        mine = [
            name for name, by in own_s.items() if name not in false and by.get(who, 0.0) >= BROKEN_S and max(by, key=lambda w: by[w]) == who
        ]
        n_broken += max(0, len(mine) - 1)
    longer = [who for who, length_s in spoken_s.items() if length_s >= LEAST_S]
    found = [who for who in longer if covered_s[who] >= FOUND_SHARE * spoken_s[who]]
    return TrackCounts(len(longer), len(found), len(false), n_broken)


def median(values: Sequence[float]) -> float:
    """The median; nan of nothing."""
    import statistics

    return statistics.median(values) if values else math.nan
