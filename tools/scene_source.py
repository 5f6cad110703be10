"""What sounds in a scene: a talker or a noise, the way it goes, and, where its room was measured, which responses it has on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.geometry import ArrayGeometry
from tools.measured_responses import MeasuredResponses, load_responses
from tools.scene_parts import Placed, Room, SceneError
from tools.scene_place import Position, Trajectory, bearing, delay_s, position, trajectory, truth_times_s, way_m

FIND_STEP_S = 0.02
"""How often the nearest measured response of somebody who walks is looked for."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stretch:
    """While it is on a way, from a time on, a measured source is the nearest."""

    start_s: float
    source: int


@dataclass(frozen=True)
class Source:
    """Something that sounds in a room, as an array has it. With `measured`, `stretches` say which of its responses hold when."""

    name: str
    array: ArrayGeometry
    room: Room
    way: Trajectory
    bearing_known: bool = True
    measured: MeasuredResponses | None = None
    stretches: tuple[Stretch, ...] = ()

    @property
    def moves(self) -> bool:
        """Whether it is not in one place all the time."""
        return self.way.moves if self.measured is None else len(self.stretches) > 1

    def delay_s(self, at_s: float) -> float:
        """How long its direct sound takes to the reference microphone when it is made at a time."""
        if self.measured is not None:
            return self.measured.delay_s(self._source(at_s), self.array.reference)
        return delay_s(self.way.at(np.array([at_s]))[0], self.array, self.room)

    def position(self, at_s: float) -> Position:
        """Where it is at a time; of measured responses the direction that the file says, or else the script's."""
        if self.measured is None:
            return position(self.way.at(np.array([at_s]))[0], at_s, self.array, self.room)
        ways, source = self.measured.ways, self._source(at_s)
        if ways is None and not self.bearing_known:
            return Position(round(at_s, 3), None, None, None)
        if ways is None:
            return replace(position(self.way.at(np.array([at_s]))[0], at_s, self.array, self.room), distance_m=None)
        azimuth_deg, elevation_deg = bearing(ways[source], self.array)
        return Position(
            at_s=round(at_s, 3),
            azimuth_deg=None if azimuth_deg is None else round(azimuth_deg, 1) % 360.0,
            elevation_deg=None if elevation_deg is None else round(elevation_deg, 1),
            distance_m=None,
        )

    def positions(self, start_s: float, end_s: float) -> tuple[Position, ...]:
        """Where it is over a time: one position if it stands still, else one every 0.1 s."""
        return tuple(self.position(float(at_s)) for at_s in truth_times_s(self.moves, start_s, end_s))

    def _source(self, at_s: float) -> int:
        return [stretch.source for stretch in self.stretches if stretch.start_s <= at_s or stretch is self.stretches[0]][-1]


def sources(things: Mapping[str, Placed], kind: str, array: ArrayGeometry, room: Room) -> dict[str, Source]:
    """The things of a scene in their places; each file of responses is read once.

    Raises SceneError where one cannot be where it is put, or its responses do not fit.
    """
    files: dict[Path, MeasuredResponses] = {}
    placed = {}
    for name, thing in things.items():
        who, file = f"{kind} {name}", thing.responses or room.responses
        if file is None:
            if thing.source is not None:
                raise SceneError(f"{who}: source {thing.source} is of measured responses, but there are none; give responses: FILE")
            placed[name] = Source(name, array, room, trajectory(thing, array, room, who))
            continue
        if file not in files:
            files[file] = load_responses(file, array)
        placed[name] = _measured(name, who, thing, files[file], array, room.model_copy(update={"responses": file}))
    return placed


def _measured(name: str, who: str, thing: Placed, measured: MeasuredResponses, array: ArrayGeometry, room: Room) -> Source:
    known = thing.azimuth_deg is not None or thing.position_m is not None or thing.path is not None
    way = trajectory(thing, array, room, who)
    if way.moves and (measured.ways is None or thing.source is not None):
        raise SceneError(f"{who}: walks, but {measured.path} is used without the directions of its sources; let the talker stand still")
    times = np.arange(way.times_s[0], way.times_s[-1] + FIND_STEP_S, FIND_STEP_S) if way.moves else way.times_s
    stretches: list[Stretch] = []
    for at_s, place in zip(times, way.at(times), strict=True):
        source = measured.source(way_m(place, room) if known else None, thing.source, who)
        if not stretches or stretches[-1].source != source:
            stretches.append(Stretch(float(at_s), source))
    return Source(name, array, room, way, known, measured, tuple(stretches))
