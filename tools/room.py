"""A simulated room for scenes: image-source responses from places to the microphones of an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.geometry import ArrayGeometry
from tools.scene_parts import Room, SceneError
from tools.scene_place import SPEED_OF_SOUND_M_PER_S, microphones_m

__all__ = ["SAMPLE_RATE_HZ", "SPEED_OF_SOUND_M_PER_S", "responses"]

SAMPLE_RATE_HZ = 16000
MAX_IMAGE_ORDER = 40
Floats = npt.NDArray[np.float64]


def responses(places: Sequence[Floats], array: ArrayGeometry, room: Room) -> list[list[Floats]]:
    """Impulse responses at 16 kHz by place and microphone; the direct sound comes exactly after its time of flight.

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
