"""A sink of the benchmark beside the recogniser: writes every beam's sound, and where the tracks were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.packets import BeamBlock, Float32Array, Tracks, seconds
from pipeline.recorded import ns_to_frames
from pipeline.stage import In, Stage


class HearingTap(Stage):
    """Keeps the beams and tracks of a run and writes them at its end.

    `beams.npz` has float32 samples by track, shape (frames,), from the start of the session and zero where the track slept;
    `tracks.jsonl` where the awake tracks were, block by block.
    """

    beam = In(BeamBlock)
    tracks = In(Tracks)

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._blocks: dict[str, list[tuple[int, Float32Array]]] = {}
        self._rows: list[str] = []

    def on_beam(self, block: BeamBlock) -> None:
        """Keep a block."""
        first = ns_to_frames(block.pts_ns, block.sample_rate_hz)
        self._blocks.setdefault(block.track.name, []).append((first, block.samples))

    def on_tracks(self, tracks: Tracks) -> None:
        """Keep where the awake tracks are."""
        awake = [[track.name, track.azimuth_deg] for track in tracks.tracks if track.active]
        self._rows.append(json.dumps({"at_s": seconds(tracks.end_ns), "lasts_s": seconds(tracks.duration_ns), "awake": awake}))

    def flush(self) -> tuple[()]:
        """Write both files."""
        self._directory.mkdir(parents=True, exist_ok=True)
        beams: dict[str, Any] = {}
        for name, blocks in self._blocks.items():
            beams[name] = np.zeros(max(first + len(samples) for first, samples in blocks), dtype=np.float32)
            for first, samples in blocks:
                beams[name][first : first + len(samples)] = samples
        with (self._directory / "beams.npz").open("wb") as file:
            np.savez(file, **beams)
        (self._directory / "tracks.jsonl").write_text("\n".join(self._rows) + "\n", encoding="utf-8")
        return ()
