"""A beam for each track by MVDR with masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pipeline.geometry import ArrayGeometry
from stages.audio.beam_stage import BeamStage, BeamStageError

if TYPE_CHECKING:
    from models.online_beamformer import OnlineBeamformer


class Mvdr(BeamStage):
    """Separates the tracks: each gets what came from its direction, with the others suppressed.

    Every time-frequency bin is attributed to a track or to noise; from that follow running covariances of each track and, by
    Souden's formula, its MVDR filter. With `masks: direction` a bin goes to the track whose direction explains it best. With
    `masks: guided` that is only the beginning: a mixture learns, from there on and from the past, how each track really sounds at the
    microphones in this room. When its talker is silent, the presence of a beam is mostly under 0.2, while the talker
    speaks mostly over 0.4. On arrays without bearing each channel passes through unchanged.

    Args:
        masks: how bins are attributed: `guided` separates better, `direction` costs half.
        look_ahead_s: how far the filters look ahead.
        step_s: how much is worked through at once; with the look-ahead it makes the delay of the stage.
        memory_s: how fast older sound fades from the filters (time constant); faster while a track moves.
        hold_s: how long a track that has fallen asleep keeps its beam.
        loading: white noise added for robustness, relative to the power of the noise.
        n_threads: CPU threads for the work; more than one hardly helps.
        device: where the work is done.
    """

    def __init__(
        self,
        masks: Literal["guided", "direction"] = "guided",
        look_ahead_s: float = 0.7,
        step_s: float = 0.176,
        memory_s: float = 5.0,
        hold_s: float = 0.5,
        loading: float = 0.001,
        n_threads: int = 1,
        device: str = "cpu",
    ) -> None:
        super().__init__(look_ahead_s, step_s, hold_s, n_threads)
        self.check_not_negative(loading=loading)
        if not memory_s > 0:
            raise BeamStageError(f"Mvdr: memory_s must be over 0, found {memory_s}: it is the time in which older sound fades")
        self._masks: Literal["guided", "direction"] = masks
        self._look_ahead_s = look_ahead_s
        self._step_s = step_s
        self._memory_s = memory_s
        self._loading = loading
        self._device = device

    def beamformer(self, array: ArrayGeometry, sample_rate_hz: int) -> OnlineBeamformer:
        """Souden's MVDR with these masks."""
        from models.online_beamformer import OnlineBeamformer

        return OnlineBeamformer(
            array.positions,
            sample_rate_hz,
            array.reference,
            design="souden",
            masks=self._masks,
            step_s=self._step_s,
            look_ahead_s=self._look_ahead_s,
            memory_s=self._memory_s,
            loading=self._loading,
            device=self._device,
        )
