"""Where a track was while it spoke: its bearing over an utterance, weighed by how much of the sound was its own."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from pipeline.packets import NS_PER_S, SpeechBlock, Track

_KEPT_NS = 60 * NS_PER_S


@dataclass(frozen=True)
class _Entry:
    pts_ns: int
    end_ns: int
    track: Track
    weight: float


class BearingLog:
    """The latest minute of a track's bearings.

    A tracker goes on listening when the talker pauses, and then reverberation can pull the bearing away. So an utterance is not
    placed where the track was when it was cut, but at the mean of its bearings, weighed by energy, presence and probability of speech.
    """

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque()

    def push(self, block: SpeechBlock) -> None:
        """Take note of a block."""
        beam = block.beam
        energy = float(np.mean(np.square(beam.samples, dtype=np.float64))) if beam.samples.size else 0.0
        self._entries.append(_Entry(beam.pts_ns, beam.end_ns, beam.track, energy * beam.presence * block.probability))
        while self._entries[0].end_ns < beam.end_ns - _KEPT_NS:
            self._entries.popleft()

    def track(self, start_ns: int, end_ns: int) -> Track:
        """The track as it was over a span: its newest state, placed at its weighted mean bearing."""
        newest = self._entries[-1].track
        inside = [entry for entry in self._entries if entry.pts_ns < end_ns and entry.end_ns > start_ns and entry.weight > 0.0]
        if newest.azimuth_deg is None or not inside:
            return newest
        weights = np.array([entry.weight for entry in inside])
        turns = np.radians([entry.track.azimuth_deg or 0.0 for entry in inside])
        azimuth_deg = math.degrees(math.atan2(float(weights @ np.sin(turns)), float(weights @ np.cos(turns)))) % 360.0
        elevation_deg = newest.elevation_deg
        if elevation_deg is not None:
            elevation_deg = float(weights @ [entry.track.elevation_deg or 0.0 for entry in inside] / weights.sum())
        return replace(newest, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg)
