"""Where things are in a scene's room: the microphones, who sits still and who walks, and the bearings at which the array has them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.geometry import ArrayGeometry
from tools.scene_parts import PathPoint, Placed, Room, SceneError

SPEED_OF_SOUND_M_PER_S = 343.0
WALL_M = 0.05
"""What is kept from the walls."""
NEAR_M = 0.05
"""What is kept from the microphones: nearer, a point is no mouth."""
PATH_STEP_S = 0.05
"""How finely a way around the array is cut into straight pieces."""
TRUTH_STEP_S = 0.1
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Position:
    """Where something is at a time of the scene, from the centre of the array, in the array's own frame.

    `azimuth_deg` is None for arrays without bearing, `elevation_deg` also for lines, `distance_m` with measured responses.
    """

    at_s: float
    azimuth_deg: float | None
    elevation_deg: float | None
    distance_m: float | None

    def to_json(self) -> dict[str, float | None]:
        """The position as it stands in truth files."""
        return dict(vars(self))


@dataclass(frozen=True)
class Trajectory:
    """Straight ways between places, float64: `times_s` of shape (points,), rising, and `places_m` of shape (points, 3), in the room."""

    times_s: Floats
    places_m: Floats

    @property
    def moves(self) -> bool:
        """Whether there is more than one place."""
        return bool(np.ptp(self.places_m, axis=0).max() > 0.0)

    def at(self, times_s: Floats) -> Floats:
        """The places at some times, shape (times, 3): the first one before the way begins, the last one after its end."""
        return np.stack([np.interp(times_s, self.times_s, self.places_m[:, axis]) for axis in range(3)], axis=-1)


def turned(points: Floats, yaw_deg: float) -> Floats:
    """Points, shape (..., 3), turned counter-clockwise about the vertical."""
    yaw = math.radians(yaw_deg)
    turn = np.array([[math.cos(yaw), -math.sin(yaw), 0.0], [math.sin(yaw), math.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(points @ turn.T)


def microphones_m(array: ArrayGeometry, room: Room) -> Floats:
    """Where the microphones are in the room, float64, shape (channels, 3); their centre is at `array_at_m`."""
    relative = array.positions - array.positions.mean(axis=0)
    return np.asarray(turned(relative, room.array_yaw_deg) + np.asarray(room.array_at_m))


def trajectory(thing: Placed, array: ArrayGeometry, room: Room, who: str) -> Trajectory:
    """Where something is in the room at all times; `who` ("talker ben") begins the messages of errors.

    Raises SceneError where the array cannot have such an azimuth, or a place is outside the room or inside the array.
    """
    if thing.path is None:
        if thing.position_m is not None:
            place = _inside(np.asarray(thing.position_m), array, room, who)
        else:
            place = _around(thing.azimuth_deg or 0.0, thing.distance_m, thing.height_m, array, room, who)
        return Trajectory(np.zeros(1), place[None])
    times = [thing.path[0].at_s]
    places = [_of_point(thing.path[0], thing, array, room, who)]
    for start, end in pairwise(thing.path):
        n_steps = max(1, math.ceil((end.at_s - start.at_s) / PATH_STEP_S))
        for part in np.arange(1, n_steps + 1) / n_steps:
            times.append(start.at_s + float(part) * (end.at_s - start.at_s))
            if start.azimuth_deg is None or end.azimuth_deg is None:
                ends = [_of_point(point, thing, array, room, who) for point in (start, end)]
                places.append(_inside((1 - part) * ends[0] + part * ends[1], array, room, who))
            else:
                places.append(_of_point(_between(start, end, thing, float(part), array), thing, array, room, who))
    return Trajectory(np.asarray(times), np.stack(places))


def _between(start: PathPoint, end: PathPoint, thing: Placed, part: float, array: ArrayGeometry) -> PathPoint:
    """The point at a share of the way between two bearings, the shorter way round."""
    first_deg, last_deg = start.azimuth_deg or 0.0, end.azimuth_deg or 0.0
    turn_deg = last_deg - first_deg
    if not _is_line(array):
        turn_deg = (turn_deg + 180.0) % 360.0 - 180.0
    azimuth_deg = first_deg + part * turn_deg
    far = [point.distance_m or thing.distance_m for point in (start, end)]
    high = [point.height_m or thing.height_m for point in (start, end)]
    return PathPoint(
        at_s=start.at_s + part * (end.at_s - start.at_s),
        azimuth_deg=azimuth_deg if _is_line(array) else azimuth_deg % 360.0 % 360.0,  # twice: a tiny negative rest gives 360 itself
        distance_m=(1 - part) * far[0] + part * far[1],
        height_m=(1 - part) * high[0] + part * high[1],
    )


def _of_point(point: PathPoint, thing: Placed, array: ArrayGeometry, room: Room, who: str) -> Floats:
    who = f"{who} at {point.at_s:g} s"
    if point.position_m is not None:
        return _inside(np.asarray(point.position_m), array, room, who)
    return _around(point.azimuth_deg or 0.0, point.distance_m or thing.distance_m, point.height_m or thing.height_m, array, room, who)


def _is_line(array: ArrayGeometry) -> bool:
    return array.rank == 1 and array.has_bearing


def _around(azimuth_deg: float, distance_m: float, height_m: float, array: ArrayGeometry, room: Room, who: str) -> Floats:
    """A place by its bearing in the array's convention, seen from its centre.

    For a line the bearing is the angle to its first-to-last direction (the place is on its counter-clockwise side).
    """
    limit = 180.0 if _is_line(array) else 360.0
    if not 0.0 <= azimuth_deg <= limit or azimuth_deg == 360.0:
        allowed = "from 0 to 180 (a line cannot tell its two sides apart)" if limit == 180.0 else "at least 0 and under 360"
        raise SceneError(f"{who}: azimuth_deg {azimuth_deg:g} is not possible for the array {array.name}; allowed is {allowed}")
    rise = height_m - room.array_at_m[2]
    if abs(rise) >= distance_m:
        raise SceneError(
            f"{who}: distance_m {distance_m:g} cannot reach from the array at {room.array_at_m[2]:g} m"
            f" to the height {height_m:g} m; put the talker further away"
        )
    level = math.sqrt(distance_m**2 - rise**2)
    angle = math.radians(azimuth_deg)
    if limit == 180.0:
        if abs(float(array.axis[2])) > 0.01:
            raise SceneError(f"array {array.name}: its line is not level, so talkers around it cannot be placed; use a level one")
        # A line hears the angle to its axis, in which the height has a share: turn the talker so that this angle is the one asked for.
        cosine = math.cos(angle) * distance_m / level
        angle = math.acos(max(-1.0, min(1.0, cosine))) + math.atan2(array.axis[1], array.axis[0])
    away = np.array([level * math.cos(angle), level * math.sin(angle), rise])
    return _inside(np.asarray(turned(away, room.array_yaw_deg) + np.asarray(room.array_at_m)), array, room, who)


def _inside(place: Floats, array: ArrayGeometry, room: Room, who: str) -> Floats:
    at = f"({', '.join(f'{x:.2f}' for x in place)}) m"
    # Measured responses bring a room of their own.
    if room.responses is None and not all(WALL_M <= x <= side - WALL_M for x, side in zip(place, room.size_m, strict=True)):
        size = " x ".join(f"{side:g}" for side in room.size_m)
        raise SceneError(
            f"{who}: at {at}, outside the room of {size} m"
            " (5 cm from the walls are kept); move the talker closer, the array, or make the room larger"
        )
    if np.linalg.norm(microphones_m(array, room) - place, axis=1).min() < NEAR_M:
        raise SceneError(f"{who}: at {at}, within 5 cm of a microphone of the array {array.name}; move it away")
    return place


def bearing(way: Floats, array: ArrayGeometry) -> tuple[float | None, float | None]:
    """Azimuth and elevation of a direction of the array's frame, shape (3,), in the array's convention.

    The azimuth is None without bearing, for a line the angle to its axis (0 to 180), else counter-clockwise from the array's +x, in
    [0, 360). The elevation is None without bearing and for lines.
    """
    if not array.has_bearing:
        return None, None
    length = float(np.linalg.norm(way))
    if array.rank == 1:
        return float(np.degrees(np.arccos(np.clip(way @ array.axis / length, -1.0, 1.0)))), None
    return float(np.degrees(np.arctan2(way[1], way[0])) % 360.0), float(np.degrees(np.arcsin(np.clip(way[2] / length, -1.0, 1.0))))


def way_m(place: Floats, room: Room) -> Floats:
    """The way from the array's centre to a place in the room, in the array's frame, shape (3,)."""
    return turned(place - np.asarray(room.array_at_m), -room.array_yaw_deg)


def position(place: Floats, at_s: float, array: ArrayGeometry, room: Room) -> Position:
    """A place in the room, shape (3,), as the array has it: angles to 0.1 degree, distance to 1 mm."""
    way = way_m(place, room)
    azimuth_deg, elevation_deg = bearing(way, array)
    return Position(
        at_s=round(at_s, 3),
        azimuth_deg=None if azimuth_deg is None else round(azimuth_deg, 1) % 360.0,
        elevation_deg=None if elevation_deg is None else round(elevation_deg, 1),
        distance_m=round(float(np.linalg.norm(way)), 3),
    )


def truth_times_s(moves: bool, start_s: float, end_s: float) -> Floats:
    """The times at which truth says where something is, shape (times,): once, or every 0.1 s if it moves."""
    if not moves:
        return np.array([start_s])
    return np.arange(start_s, end_s, TRUTH_STEP_S)


def delay_s(place: Floats, array: ArrayGeometry, room: Room) -> float:
    """How long sound takes from a place, shape (3,), to the reference microphone."""
    return float(np.linalg.norm(place - microphones_m(array, room)[array.reference]) / SPEED_OF_SOUND_M_PER_S)
