"""Tracks of arrays without bearing: each channel is one, for ever."""

from __future__ import annotations

from pipeline.geometry import ArrayGeometry
from pipeline.packets import Track


def lane_tracks(array: ArrayGeometry) -> tuple[Track, ...]:
    """A track without bearing for each channel: t1 is lane 0, t2 lane 1, and so on."""
    return tuple(Track(name=f"t{lane + 1}", azimuth_deg=None, lane=lane) for lane in range(array.n_channels))
