"""What was heard before an array lost microphones, as the rest of the array heard it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock


def heard_by(blocks: Iterable[AudioBlock], array: ArrayGeometry) -> list[AudioBlock] | None:
    """Blocks with the channels of an array that is a part of theirs, in its order; None where it has microphones that theirs have not.

    Which channel is which is told by the places of the microphones, exactly. Arrays without bearing have no parts.
    """
    parts: list[AudioBlock] = []
    for block in blocks:
        places = block.array.positions_m
        if not (array.has_bearing and block.array.has_bearing) or any(place not in places for place in array.positions_m):
            return None
        rows = [places.index(place) for place in array.positions_m]
        parts.append(replace(block, samples=block.samples[rows], array=array))
    return parts
