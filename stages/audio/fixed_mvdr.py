"""A beam for each track by an MVDR filter that its bearing alone determines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.geometry import ArrayGeometry
from stages.audio.beam_stage import BeamStage

if TYPE_CHECKING:
    from models.online_beamformer import OnlineBeamformer


class FixedMvdr(BeamStage):
    """Points at each track as sharply as the array can, without learning from what is heard.

    The filter lets a plane wave from the track's bearing pass and takes away a diffuse noise field (a superdirective beam) and, with
    `null_power`, plane waves from the other awake tracks. The same ports, timing and meaning as `Mvdr`. It costs as little as
    `DelayAndSum` and separates better, most of all at low frequencies; it knows nothing of echoes, so it separates far less than
    `Mvdr`. On arrays without bearing each channel passes through unchanged.

    Args:
        look_ahead_s: how long before it was found a new track is heard.
        step_s: how much is worked through at once; with the look-ahead it makes the delay of the stage.
        hold_s: how long a track that has fallen asleep keeps its beam.
        loading: the microphones' own noise, relative to the diffuse noise: less makes sharper beams of more hiss.
        null_power: power of the other tracks relative to the diffuse noise; 0 leaves them to the diffuse field.
        n_threads: CPU threads for the work; more than one hardly helps.
        device: where the work is done.
    """

    def __init__(
        self,
        look_ahead_s: float = 0.7,
        step_s: float = 0.176,
        hold_s: float = 0.5,
        loading: float = 0.01,
        null_power: float = 1.0,
        n_threads: int = 1,
        device: str = "cpu",
    ) -> None:
        super().__init__(look_ahead_s, step_s, hold_s, n_threads)
        self.check_not_negative(loading=loading, null_power=null_power)
        self._look_ahead_s = look_ahead_s
        self._step_s = step_s
        self._loading = loading
        self._null_power = null_power
        self._device = device

    def beamformer(self, array: ArrayGeometry, sample_rate_hz: int) -> OnlineBeamformer:
        """Superdirective beams, with the other tracks nulled."""
        from models.online_beamformer import OnlineBeamformer

        return OnlineBeamformer(
            array.positions,
            sample_rate_hz,
            array.reference,
            design="fixed",
            step_s=self._step_s,
            look_ahead_s=self._look_ahead_s,
            loading=self._loading,
            null_power=self._null_power,
            device=self._device,
        )
