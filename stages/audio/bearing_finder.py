"""What all localisers share: votes of an algorithm become the `Directions` of a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock, Direction, Directions, Float32Array, seconds

if TYPE_CHECKING:
    from models.direction_peaks import PeakPicker, Votes
    from models.steering import DirectionGrid


class VoteSource(Protocol):
    """An algorithm that votes for directions, such as `models.srp_phat.SrpPhat`."""

    grid: DirectionGrid

    def push(self, samples: Float32Array) -> Votes:
        """Votes of what became complete with these samples, shape (channels, frames)."""

    def reset(self) -> None:
        """Forget what came before."""


class BearingFinder:
    """Runs an algorithm over blocks, made anew when the array changes.

    Args:
        make: makes the algorithm for an array and a sample rate.
        max_directions: how many directions a block may have.
        least_share: the share of votes that a direction needs.
    """

    def __init__(self, make: Callable[[ArrayGeometry, int], VoteSource], max_directions: int, least_share: float) -> None:
        self._make = make
        self._max_directions = max_directions
        self._least_share = least_share
        self._for: tuple[ArrayGeometry, int] | None = None
        self._source: VoteSource | None = None
        self._picker: PeakPicker | None = None

    def take(self, block: AudioBlock) -> Directions:
        """The directions in a block; none for arrays without bearing."""
        directions: tuple[Direction, ...] = ()
        if block.array.has_bearing:
            source, picker = self._ready(block.array, block.sample_rate_hz)
            peaks = picker.push(source.push(block.samples), seconds(block.duration_ns))
            directions = tuple(Direction(peak.azimuth_deg, peak.elevation_deg, peak.share) for peak in peaks)
        return Directions(pts_ns=block.pts_ns, duration_ns=block.duration_ns, directions=directions)

    def _ready(self, array: ArrayGeometry, sample_rate_hz: int) -> tuple[VoteSource, PeakPicker]:
        if self._source is None or self._picker is None or self._for != (array, sample_rate_hz):
            from models.direction_peaks import PeakPicker

            self._source = self._make(array, sample_rate_hz)
            self._picker = PeakPicker(self._source.grid, n_most=self._max_directions, least_share=self._least_share)
            self._for = (array, sample_rate_hz)
        return self._source, self._picker

    def reset(self) -> None:
        """The next block has nothing to do with those before."""
        if self._source is not None and self._picker is not None:
            self._source.reset()
            self._picker.reset()

    def close(self) -> None:
        """Let go of the algorithm."""
        self._source = self._picker = self._for = None
