"""A beam for each track by delay and sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.geometry import ArrayGeometry
from stages.audio.beam_stage import BeamStage

if TYPE_CHECKING:
    from models.online_beamformer import OnlineBeamformer


class DelayAndSum(BeamStage):
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

    def __init__(
        self, look_ahead_s: float = 0.7, step_s: float = 0.176, hold_s: float = 0.5, n_threads: int = 1, device: str = "cpu"
    ) -> None:
        super().__init__(look_ahead_s, step_s, hold_s, n_threads)
        self._look_ahead_s = look_ahead_s
        self._step_s = step_s
        self._device = device

    def beamformer(self, array: ArrayGeometry, sample_rate_hz: int) -> OnlineBeamformer:
        """Delays and sums."""
        from models.online_beamformer import OnlineBeamformer

        return OnlineBeamformer(
            array.positions,
            sample_rate_hz,
            array.reference,
            design="delay_and_sum",
            step_s=self._step_s,
            look_ahead_s=self._look_ahead_s,
            device=self._device,
        )
