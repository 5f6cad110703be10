"""A beam for each track by delay and sum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock, BeamBlock, Gap, Tracks
from pipeline.stage import Emit, In, Out, Stage
from stages.audio.beam_stream import BeamStream

if TYPE_CHECKING:
    from models.online_beamformer import OnlineBeamformer


class DelayAndSum(Stage):
    """Points at each track by lining the channels up for its direction and averaging them.

    The same ports, timing and meaning as `Mvdr`. It never distorts and needs little computing, but with a small array it hardly
    separates talkers. On arrays without bearing each channel passes through unchanged.

    Args:
        look_ahead_s: how long before it was found a new track is heard.
        step_s: how much is worked through at once; with the look-ahead it makes the delay of the stage.
        hold_s: how long a track that has fallen asleep keeps its beam.
        n_threads: CPU threads for the work; more than one hardly helps.
        device: where the work is done.
    """

    audio = In(AudioBlock)
    tracks = In(Tracks)
    beams = Out(BeamBlock)

    def __init__(
        self, look_ahead_s: float = 0.7, step_s: float = 0.176, hold_s: float = 0.5, n_threads: int = 1, device: str = "cpu"
    ) -> None:
        self._look_ahead_s = look_ahead_s
        self._step_s = step_s
        self._n_threads = n_threads
        self._device = device
        self._stream = BeamStream(self._beamformer, step_s, look_ahead_s, hold_s)
        self.delay_ns = self._stream.delay_ns

    def _beamformer(self, array: ArrayGeometry, sample_rate_hz: int) -> OnlineBeamformer:
        from models.online_beamformer import OnlineBeamformer
        from models.torch_threads import limit_torch_threads

        limit_torch_threads(self._n_threads)
        return OnlineBeamformer(
            array.positions,
            sample_rate_hz,
            array.reference,
            design="delay_and_sum",
            step_s=self._step_s,
            look_ahead_s=self._look_ahead_s,
            device=self._device,
        )

    def start(self) -> None:
        """Load torch now rather than at the first block."""
        import models.online_beamformer  # noqa: F401 - for the time it takes

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[BeamBlock]]:
        """Take a block; its beams come once the look-ahead has passed."""
        for beam in self._stream.take_audio(block):
            yield self.beams(beam)
        self.delay_ns = self._stream.delay_ns

    def on_tracks(self, tracks: Tracks) -> Iterator[Emit[BeamBlock]]:
        """Take the tracks of the newest block and give the beams that are complete."""
        for beam in self._stream.take_tracks(tracks):
            yield self.beams(beam)

    def on_gap(self, gap: Gap) -> Iterator[Emit[BeamBlock]]:  # noqa: ARG002 - what was lost does not matter, only that it was
        """Finish the beams up to the gap."""
        yield from self.flush()

    def flush(self) -> Iterator[Emit[BeamBlock]]:
        """The beams up to the last sample."""
        for beam in self._stream.end():
            yield self.beams(beam)

    def memory_bytes(self) -> int:
        """Spectra of the look-ahead and the covariances of eight tracks, for 16 microphones."""
        return 64 * 2**20

    def stop(self) -> None:
        """Let go of the buffers."""
        self._stream.close()
