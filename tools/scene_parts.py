"""The parts of a scene's script: the room, its noises, and what stands or walks where."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SceneError(ValueError):
    """A scene cannot be made; the message says what to change."""


class Part(BaseModel):
    """A part of a script: unknown keys are mistakes, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Coordinates = tuple[float, float, float]


class Room(Part):
    """A box of a room, with the centre of the array at `array_at_m` and the array's +x turned by `array_yaw_deg`.

    With `responses` (.sofa, .npz, .wav) sound comes through measured impulse responses instead of a simulated box.
    """

    size_m: Coordinates = (6.0, 5.0, 2.8)
    rt60_s: float = Field(default=0.28, ge=0.0, le=3.0)
    array_at_m: Coordinates = (2.8, 2.4, 0.9)
    array_yaw_deg: float = 0.0
    responses: Path | None = None


class Noise(Part):
    """The room's background: `diffuse` is room noise from all around, `white` each microphone's own, `file` a recording.

    `snr_db` is the level of the speech of all talkers at the reference microphone while anybody speaks, over the noise.
    `slope_db_per_octave` shapes the diffuse noise above 100 Hz (default: Hoth's room noise). A `file` of one channel is played
    from all around, each direction another stretch of it; one of as many channels as the array is taken as the array heard it.
    """

    kind: Literal["none", "white", "diffuse", "file"] = "diffuse"
    snr_db: float = 28.0
    slope_db_per_octave: float = Field(default=-5.0, ge=-20.0, le=20.0)
    file: Path | None = None

    @model_validator(mode="after")
    def _file_where_it_is_used(self) -> Noise:
        if (self.kind == "file") != (self.file is not None):
            raise ValueError("kind: file and file: PATH belong together; give both or neither")
        return self


class PathPoint(Part):
    """Where somebody who walks is at a time: a bearing as the array sees it, or a place in the room."""

    at_s: float = Field(ge=0.0)
    azimuth_deg: float | None = None
    distance_m: float | None = Field(default=None, gt=0.0)
    height_m: float | None = Field(default=None, gt=0.0)
    position_m: Coordinates | None = None

    @model_validator(mode="after")
    def _one_way_to_say_where(self) -> PathPoint:
        if (self.azimuth_deg is None) == (self.position_m is None):
            raise ValueError("a point of a path needs azimuth_deg or position_m, and not both")
        return self


class Placed(Part):
    """Something that sounds from somewhere.

    Where is told by `azimuth_deg` (as the array sees it; lines: 0 to 180) with `distance_m`, or by `position_m` in the room, or by a
    `path` of such points in order of their times: it stands at the first one before that time and at the last one afterwards; between two
    bearings it goes around the array the shorter way, else straight. `responses` are its own measured impulse responses;
    `source` says which of their sources it is (without: the one whose bearing is nearest).
    """

    azimuth_deg: float | None = None
    distance_m: float = Field(default=1.4, gt=0.0)
    height_m: float = Field(default=1.15, gt=0.0)
    position_m: Coordinates | None = None
    path: Annotated[tuple[PathPoint, ...], Field(min_length=1)] | None = None
    responses: Path | None = None
    source: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _somewhere(self) -> Placed:
        n_given = sum(value is not None for value in (self.azimuth_deg, self.position_m, self.path))
        if n_given > 1 or (n_given == 0 and self.responses is None and self.source is None):
            raise ValueError("expected one of azimuth_deg, position_m, path (none only with measured responses)")
        times = [point.at_s for point in self.path or ()]
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError(f"the points of a path must be in order of at_s; found {', '.join(f'{t:g}' for t in times)}")
        return self


class Talker(Placed):
    """Who speaks, from where, and how loud against the others (at the mouth)."""

    level_db: float = 0.0
    voice: str | None = None
    speed: float = Field(default=1.0, gt=0.3, lt=3.0)


class PointNoise(Placed):
    """A noise from one place: a recording, looped, or without `file` steady noise that falls by `slope_db_per_octave`, as of a fan.

    `snr_db` is the level of the speech over it, both at the reference microphone while they sound.
    """

    file: Path | None = None
    snr_db: float = 10.0
    slope_db_per_octave: float = Field(default=-5.0, ge=-20.0, le=20.0)
    start_s: float = Field(default=0.0, ge=0.0)
    end_s: float | None = Field(default=None, gt=0.0)

    @model_validator(mode="after")
    def _ends_later(self) -> PointNoise:
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"end_s {self.end_s:g} must be later than start_s {self.start_s:g}")
        return self
