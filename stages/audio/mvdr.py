"""A beam for each track by MVDR with masks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock, BeamBlock, Gap, Tracks
from pipeline.stage import Emit, In, Out, Stage
from stages.audio.beam_stream import BeamStream

if TYPE_CHECKING:
    from models.online_beamformer import OnlineBeamformer


class Mvdr(Stage):
    """Separates the tracks: each gets what came from its direction, with the others suppressed.

    Every time-frequency bin is attributed to the track whose direction explains it best, or to noise; from that follow running
    covariances of each track and, by Souden's formula, its MVDR filter. Beam blocks have exactly the times of
    the audio blocks, sample for sample as the reference microphone hears the talker. A track has beam blocks while it is awake:
    from up to `look_ahead_s` before it was found, so that first words are whole, until `hold_s` after it fell
    asleep. `presence` says how much of a block came from the track's own direction: when the talker is silent it is mostly under
    0.2, while the talker speaks mostly over 0.4.

    On arrays without bearing each channel passes through unchanged.

    Args:
        look_ahead_s: how far the filters look ahead.
        step_s: how much is worked through at once; with the look-ahead it makes the delay of the stage.
        memory_s: how fast older sound fades from the filters (time constant).
        hold_s: how long a track that has fallen asleep keeps its beam.
        loading: white noise added for robustness, relative to the power of the noise.
        n_threads: CPU threads for the work; more than one hardly helps.
        device: where the work is done.
    """

    audio = In(AudioBlock)
    tracks = In(Tracks)
    beams = Out(BeamBlock)

    def __init__(
        self,
        look_ahead_s: float = 0.7,
        step_s: float = 0.176,
        memory_s: float = 5.0,
        hold_s: float = 0.5,
        loading: float = 0.001,
        n_threads: int = 1,
        device: str = "cpu",
    ) -> None:
        self._look_ahead_s = look_ahead_s
        self._step_s = step_s
        self._memory_s = memory_s
        self._loading = loading
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
            design="souden",
            step_s=self._step_s,
            look_ahead_s=self._look_ahead_s,
            memory_s=self._memory_s,
            loading=self._loading,
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
        """Finish the beams up to the gap; what was learnt about the tracks stays."""
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
