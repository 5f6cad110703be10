"""Localise, track and beam in a row, as a graph would run them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.geometry import ArrayGeometry
from pipeline.packets import BeamBlock, Float32Array, Tracks
from pipeline.stage import Stage
from pipeline.testing import audio_blocks, run_stage
from stages.audio.bearing_tracker import BearingTracker
from stages.audio.mvdr import Mvdr
from stages.audio.srp_phat import SrpPhat
from tests.sound_fields import RATE_HZ


@dataclass(frozen=True)
class Heard:
    """What came out: the tracks of each block, the audio of each beam (0 where it had none), and its presence per block."""

    tracks: list[Tracks]
    beams: dict[str, Float32Array]
    presence: dict[str, Float32Array]

    @property
    def names(self) -> list[str]:
        """Every track that there ever was."""
        return sorted({track.name for packet in self.tracks for track in packet.tracks})

    def azimuth_deg(self, name: str) -> float:
        """The median azimuth of a track while it was active."""
        found = [track.azimuth_deg for packet in self.tracks for track in packet.tracks if track.name == name and track.active]
        return float(np.median([azimuth for azimuth in found if azimuth is not None]))

    def born_s(self, name: str) -> float:
        """When a track was found."""
        return next(packet.end_ns for packet in self.tracks if any(track.name == name for track in packet.tracks)) / 1e9


def hear(array: ArrayGeometry, samples: Float32Array, localise: Stage | None = None, beam: Stage | None = None) -> Heard:
    """Run the front end over a whole recording, shape (channels, frames)."""
    blocks = audio_blocks(samples, array)
    directions = run_stage(localise or SrpPhat(), {"audio": blocks})["directions"]
    tracks = [p for p in run_stage(BearingTracker(), {"audio": blocks, "directions": directions})["tracks"] if isinstance(p, Tracks)]
    beams: dict[str, Float32Array] = {}
    presence: dict[str, Float32Array] = {}
    for packet in run_stage(beam or Mvdr(), {"audio": blocks, "tracks": tracks})["beams"]:
        assert isinstance(packet, BeamBlock)
        first = round(packet.pts_ns * RATE_HZ / 1e9)
        line = beams.setdefault(packet.track.name, np.zeros(samples.shape[1], dtype=np.float32))
        line[first : first + len(packet.samples)] = packet.samples
        presence.setdefault(packet.track.name, np.zeros(len(blocks), dtype=np.float32))[first // 512] = packet.presence
    return Heard(tracks, beams, presence)
