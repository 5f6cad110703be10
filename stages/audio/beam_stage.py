"""What every stage that makes beams is: its ports, and how blocks and tracks go through a `BeamStream`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock, BeamBlock, Gap, Tracks
from pipeline.stage import Emit, In, Out, Stage
from stages.audio.beam_stream import BeamStream

if TYPE_CHECKING:
    from models.online_beamformer import OnlineBeamformer


class BeamStageError(ValueError):
    """A setting that no beam can be made with."""

    exit_code = 2


class BeamStage(Stage, ABC):
    """A beam for each track; a subclass says by which `OnlineBeamformer`.

    Beam blocks have exactly the times of the audio blocks, sample for sample as the reference microphone hears the talker. A
    track has beam blocks while it is awake: from up to `look_ahead_s` before it was found, so that first words are whole, until
    `hold_s` after it fell asleep. `presence` says how much of a block came from the track's own direction. On arrays without
    bearing each channel passes through unchanged.
    """

    audio = In(AudioBlock)
    tracks = In(Tracks)
    beams = Out(BeamBlock)

    def __init__(self, look_ahead_s: float, step_s: float, hold_s: float, n_threads: int) -> None:
        self.check_not_negative(hold_s=hold_s)
        if n_threads < 1:
            raise BeamStageError(f"{type(self).__name__}: n_threads must be at least 1, found {n_threads}")
        self._n_threads = n_threads
        self._stream = BeamStream(self._made, step_s, look_ahead_s, hold_s)
        self.delay_ns = self._stream.delay_ns

    def check_not_negative(self, **settings: float) -> None:
        """Raises BeamStageError for a setting below 0."""
        for name, value in settings.items():
            if not value >= 0:
                raise BeamStageError(f"{type(self).__name__}: {name} must be at least 0, found {value}")

    @abstractmethod
    def beamformer(self, array: ArrayGeometry, sample_rate_hz: int) -> OnlineBeamformer:
        """The beamformer for an array with bearing, with the step and the look-ahead of this stage."""

    def _made(self, array: ArrayGeometry, sample_rate_hz: int) -> OnlineBeamformer:
        from models.torch_threads import limit_torch_threads

        limit_torch_threads(self._n_threads)
        return self.beamformer(array, sample_rate_hz)

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
        """Spectra and their products over a look-ahead of 1 s and the covariances of eight tracks, for 16 microphones."""
        return 128 * 2**20

    def stop(self) -> None:
        """Let go of the buffers."""
        self._stream.close()
