"""Directions by SRP-PHAT."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock, Directions, Gap
from pipeline.stage import Emit, In, Out, Stage
from stages.audio.bearing_finder import BearingFinder, VoteSource


class SrpPhat(Stage):
    """Tells from which directions sound comes, several at once, by steered response power with phase transform.

    One `Directions` for each block of audio, empty in silence and in diffuse noise, and always empty for arrays without
    bearing. The power of a direction is its share of all the time-frequency bins that hold new sound.

    Args:
        azimuth_step_deg: distance of the directions that are looked at; between them, bearings are interpolated.
        max_directions: how many directions there may be at once.
        least_share: a direction needs this share (0 to 1) of the bins with new sound.
        snr_db: how far over the noise floor of its frequency sound must be to count.
        n_threads: CPU threads for the work; more than one hardly helps.
        device: where the work is done.
    """

    audio = In(AudioBlock)
    directions = Out(Directions)

    def __init__(
        self,
        azimuth_step_deg: float = 3.0,
        max_directions: int = 4,
        least_share: float = 0.065,
        snr_db: float = 9.0,
        n_threads: int = 1,
        device: str = "cpu",
    ) -> None:
        self._azimuth_step_deg = azimuth_step_deg
        self._snr_db = snr_db
        self._n_threads = n_threads
        self._device = device
        self._finder = BearingFinder(self._votes, max_directions, least_share)

    def _votes(self, array: ArrayGeometry, sample_rate_hz: int) -> VoteSource:
        from models.srp_phat import SrpPhat as Algorithm
        from models.torch_threads import limit_torch_threads

        limit_torch_threads(self._n_threads)
        return Algorithm(array.positions, sample_rate_hz, self._azimuth_step_deg, snr_db=self._snr_db, device=self._device)

    def start(self) -> None:
        """Load torch now rather than at the first block."""
        import models.srp_phat  # noqa: F401 - for the time it takes

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[Directions]]:
        """Find the directions in a block."""
        yield self.directions(self._finder.take(block))

    def on_gap(self, gap: Gap) -> Iterator[Emit[Directions]]:  # noqa: ARG002 - what was lost does not matter, only that it was
        """What comes after a gap is not held against what came before."""
        self._finder.reset()
        yield from ()

    def stop(self) -> None:
        """Let go of the buffers."""
        self._finder.close()
