"""A room for scenes: image-source responses from talkers to the microphones of an array, and background noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.geometry import ArrayGeometry
from tools.scene_script import Noise, Room, SceneError, Talker

SAMPLE_RATE_HZ = 16000
SPEED_OF_SOUND_M_PER_S = 343.0
MAX_IMAGE_ORDER = 40
N_NOISE_DIRECTIONS = 48
NOISE_CORNER_HZ = 100.0
NOISE_SLOPE_DB_PER_OCTAVE = -5.0
"""The fall of Hoth noise, the telephone engineers' model of a room (IEEE 269, ITU-T P.800)."""
Vector = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]


def _turn(points: Vector, yaw_deg: float) -> Vector:
    yaw = math.radians(yaw_deg)
    turn = np.array([[math.cos(yaw), -math.sin(yaw), 0.0], [math.sin(yaw), math.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(points @ turn.T)


def microphones_m(array: ArrayGeometry, room: Room) -> Vector:
    """Where the microphones are in the room, float64, shape (channels, 3); their centre is at `array_at_m`."""
    relative = array.positions - array.positions.mean(axis=0)
    return np.asarray(_turn(relative, room.array_yaw_deg) + np.asarray(room.array_at_m))


def talker_m(talker: Talker, array: ArrayGeometry, room: Room, who: str) -> Vector:
    """Where a talker's mouth is in the room, float64, shape (3,).

    `azimuth_deg` is in the array's convention, seen from its centre; for a line the angle to its first-to-last direction
    (the talker is put on its counter-clockwise side).

    Raises SceneError where the array cannot have such an azimuth or the place is outside the room.
    """
    limit = 180.0 if array.rank == 1 and array.has_bearing else 360.0
    if not 0.0 <= talker.azimuth_deg <= limit or talker.azimuth_deg == 360.0:
        allowed = "from 0 to 180 (a line cannot tell its two sides apart)" if limit == 180.0 else "at least 0 and under 360"
        raise SceneError(
            f"talker {who}: azimuth_deg {talker.azimuth_deg:g} is not possible for the array {array.name}; allowed is {allowed}"
        )
    rise = talker.height_m - room.array_at_m[2]
    if abs(rise) >= talker.distance_m:
        raise SceneError(
            f"talker {who}: distance_m {talker.distance_m:g} cannot reach from the array at {room.array_at_m[2]:g} m"
            f" to the height {talker.height_m:g} m; put the talker further away"
        )
    level = math.sqrt(talker.distance_m**2 - rise**2)
    angle = math.radians(talker.azimuth_deg)
    if limit == 180.0:
        if abs(float(array.axis[2])) > 0.01:
            raise SceneError(f"array {array.name}: its line is not level, so talkers around it cannot be placed; use a level one")
        # A line hears the angle to its axis, in which the height has a share: turn the talker so that this angle is the one asked for.
        cosine = math.cos(angle) * talker.distance_m / level
        angle = math.acos(max(-1.0, min(1.0, cosine))) + math.atan2(array.axis[1], array.axis[0])
    away = np.array([level * math.cos(angle), level * math.sin(angle), rise])
    place = np.asarray(_turn(away, room.array_yaw_deg) + np.asarray(room.array_at_m))
    size = " x ".join(f"{side:g}" for side in room.size_m)
    if not all(0.05 <= x <= side - 0.05 for x, side in zip(place, room.size_m, strict=True)):
        raise SceneError(
            f"talker {who}: at ({', '.join(f'{x:.2f}' for x in place)}) m, outside the room of {size} m"
            " (5 cm from the walls are kept); move the talker closer, the array, or make the room larger"
        )
    return place


def azimuth_deg(place: Vector, array: ArrayGeometry, room: Room) -> float | None:
    """The bearing of a place in the room as the array reports it.

    None without bearing, for a line the angle to its axis (0 to 180), else counter-clockwise from the array's +x, in [0, 360).
    """
    if not array.has_bearing:
        return None
    way = _turn(place - np.asarray(room.array_at_m), -room.array_yaw_deg)
    if array.rank == 1:
        return float(np.degrees(np.arccos(np.clip(way @ array.axis / np.linalg.norm(way), -1.0, 1.0))))
    return float(np.degrees(np.arctan2(way[1], way[0])) % 360.0)


def delay_s(place: Vector, array: ArrayGeometry, room: Room) -> float:
    """How long sound takes from a place to the reference microphone."""
    return float(np.linalg.norm(place - microphones_m(array, room)[array.reference]) / SPEED_OF_SOUND_M_PER_S)


def responses(places: Sequence[Vector], array: ArrayGeometry, room: Room) -> list[list[Floats]]:
    """Impulse responses at 16 kHz by talker and microphone; the direct sound comes exactly after its time of flight.

    Raises SceneError where the array is outside the room or no wall can give such an RT60.
    """
    import pyroomacoustics as pra

    mics = microphones_m(array, room)
    if not ((mics > 0.02) & (mics < np.asarray(room.size_m) - 0.02)).all():
        raise SceneError(f"array {array.name}: at {room.array_at_m} m it is not inside the room of {room.size_m} m")
    materials: Any = pra.Material(1.0)
    order = 0
    if room.rt60_s > 0.0:
        try:
            absorption, order = pra.inverse_sabine(room.rt60_s, room.size_m, c=SPEED_OF_SOUND_M_PER_S)
        except ValueError as error:
            raise SceneError(
                f"room: rt60_s {room.rt60_s:g} is too short for {room.size_m} m whatever the walls; use 0 for no echo"
            ) from error
        materials = pra.Material(absorption)
    # One thread: the images are then summed in one order, and the same scene is the same to the last bit.
    pra.constants.set("num_threads", 1)
    pra.constants.set("c", SPEED_OF_SOUND_M_PER_S)
    box = pra.ShoeBox(room.size_m, fs=SAMPLE_RATE_HZ, materials=materials, max_order=min(order, MAX_IMAGE_ORDER), air_absorption=False)
    for place in places:
        box.add_source(place)
    box.add_microphone_array(mics.T)
    box.compute_rir()
    lead = int(pra.constants.get("frac_delay_length")) // 2  # the simulator's own delay, which no room has
    return [[np.asarray(box.rir[m][t][lead:], dtype=np.float64) for m in range(len(mics))] for t in range(len(places))]


def background(noise: Noise, array: ArrayGeometry, n_frames: int, seed: int) -> Floats:
    """Noise of unit power at each microphone, float64, shape (channels, frames).

    `diffuse` falls by 5 dB per octave and comes from directions spread evenly over the sphere, so between microphones it is as
    coherent as the noise of a real room.
    """
    random = np.random.default_rng([seed, 1])
    if noise.kind == "none":
        return np.zeros((array.n_channels, n_frames))
    if noise.kind == "white":
        return random.standard_normal((array.n_channels, n_frames))
    n_fft = 1 << (n_frames + SAMPLE_RATE_HZ // 10 - 1).bit_length()
    frequency_hz = np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE_HZ)
    tilt = np.maximum(frequency_hz, NOISE_CORNER_HZ) ** (NOISE_SLOPE_DB_PER_OCTAVE / (20 * math.log10(2)))
    tilt[0] = 0.0
    index = np.arange(N_NOISE_DIRECTIONS) + 0.5
    polar, around = np.arccos(1 - 2 * index / N_NOISE_DIRECTIONS), np.pi * (1 + math.sqrt(5)) * index
    ways = np.stack([np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)], axis=1)
    delays_s = (array.positions - array.positions[array.reference]) @ ways.T / SPEED_OF_SOUND_M_PER_S
    spectrum = np.zeros((array.n_channels, len(frequency_hz)), dtype=np.complex128)
    for direction in range(N_NOISE_DIRECTIONS):
        wave = tilt * (random.standard_normal(len(tilt)) + 1j * random.standard_normal(len(tilt)))
        for channel in range(array.n_channels):
            spectrum[channel] += wave * np.exp(2j * np.pi * frequency_hz * delays_s[channel, direction])
    samples = np.fft.irfft(spectrum, n_fft)[:, :n_frames]
    return np.asarray(samples / np.sqrt(np.mean(samples[array.reference] ** 2)))
