"""For authors of stages: run a stage without a graph, and make small signals.

packets = run_stage(EnergyVad(threshold_dbfs=-30.0), {"audio": [block]})["speech"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.geometry import ArrayGeometry
from pipeline.packets import NS_PER_S, AudioBlock, BeamBlock, Float32Array, Gap, Packet, Track
from pipeline.stage import Emit, Source, Stage


class FakeClock:
    """A clock that moves only when told to: hand it to what takes a `now_ns` callable."""

    def __init__(self, now_ns: int = 0) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        """The time, as a real clock would tell it."""
        return self.now_ns

    def advance(self, duration_ns: int) -> None:
        """Let time pass."""
        self.now_ns += duration_ns


def merged(inputs: Mapping[str, Sequence[Packet]]) -> list[tuple[str, Packet]]:
    """The packets of several ports in the order in which a graph would deliver them: by end, then by port name."""
    rows = [(packet.end_ns, port, index, packet) for port, packets in inputs.items() for index, packet in enumerate(packets)]
    return [(port, packet) for _, port, _, packet in sorted(rows, key=lambda row: row[:3])]


def run_stage(stage: Stage, inputs: Mapping[str, Sequence[Packet]] | None = None) -> dict[str, list[Packet]]:
    """Start a stage, feed it packets as a graph would, flush and stop it; what came out, by output port.

    `Gap` packets among the inputs go to `on_gap`. A source takes no inputs and runs to its end.
    """
    out: dict[str, list[Packet]] = {name: [] for name in stage.outputs}

    def take(emits: Any) -> None:
        for emit in emits:
            if not isinstance(emit, Emit):
                raise TypeError(f"{type(stage).__name__} yielded {emit!r}; yield self.<output>(packet)")
            out[emit.port].append(emit.packet)

    stage.start()
    try:
        if isinstance(stage, Source):
            take(stage.packets())
        for port, packet in merged(inputs or {}):
            if isinstance(packet, Gap):
                take(stage.on_gap(packet))
            elif hasattr(stage, f"batch_{port}"):
                take(getattr(stage, f"batch_{port}")([packet]))
            else:
                take(getattr(stage, f"on_{port}")(packet))
        take(stage.flush())
    finally:
        stage.stop()
    return out


def line_array(n_channels: int = 2, spacing_m: float = 0.05) -> ArrayGeometry:
    """A line of microphones along x."""
    return ArrayGeometry(name="line", positions_m=tuple((index * spacing_m, 0.0, 0.0) for index in range(n_channels)))


def one_microphone() -> ArrayGeometry:
    """A single microphone: no bearing."""
    return ArrayGeometry(name="mono", positions_m=((0.0, 0.0, 0.0),), lanes=True)


def tone(frequency_hz: float, duration_s: float, sample_rate_hz: int = 16000, amplitude: float = 0.1) -> Float32Array:
    """A sine, float32, shape (frames,)."""
    times = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    return (amplitude * np.sin(2 * np.pi * frequency_hz * times)).astype(np.float32)


def noise(duration_s: float, sample_rate_hz: int = 16000, amplitude: float = 0.01, seed: int = 0) -> Float32Array:
    """White noise, float32, shape (frames,)."""
    generator = np.random.default_rng(seed)
    return (amplitude * generator.standard_normal(round(duration_s * sample_rate_hz))).astype(np.float32)


def audio_blocks(
    samples: Float32Array, array: ArrayGeometry, sample_rate_hz: int = 16000, block_frames: int = 512, start_ns: int = 0
) -> list[AudioBlock]:
    """Cut samples, shape (channels, frames), into blocks as a source would; the last one may be shorter."""
    blocks = []
    for first in range(0, samples.shape[1], block_frames):
        piece = np.ascontiguousarray(samples[:, first : first + block_frames])
        start = start_ns + first * NS_PER_S // sample_rate_hz
        end = start_ns + (first + piece.shape[1]) * NS_PER_S // sample_rate_hz
        blocks.append(AudioBlock(pts_ns=start, duration_ns=end - start, samples=piece, sample_rate_hz=sample_rate_hz, array=array))
    return blocks


def beam_blocks(
    samples: Float32Array, track: Track | None = None, sample_rate_hz: int = 16000, block_frames: int = 512, start_ns: int = 0
) -> list[BeamBlock]:
    """Cut mono samples, shape (frames,), into blocks of one beam."""
    track = track or Track(name="t1", azimuth_deg=None, lane=0)
    return [
        BeamBlock(pts_ns=b.pts_ns, duration_ns=b.duration_ns, samples=b.samples[0].copy(), sample_rate_hz=sample_rate_hz, track=track)
        for b in audio_blocks(samples[None, :], one_microphone(), sample_rate_hz, block_frames, start_ns)
    ]
