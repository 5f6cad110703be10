"""Where samples belong in a session, by the running time of the pipeline that gave them."""

from __future__ import annotations

from pipeline.packets import NS_PER_S


class RunningTime:
    """Maps a pipeline's running time to session frames; anew for every pipeline that a session has. Pure state.

    Samples follow each other unless their times say that more than `tolerance_s` is missing: clocks drift and timestamps are
    rounded. Time that goes back by more is taken to go on where the session stands, because session time cannot go back.
    """

    def __init__(self, sample_rate_hz: int, tolerance_s: float) -> None:
        self._rate = sample_rate_hz
        self._tolerance = tolerance_s * sample_rate_hz
        self._origin: int | None = None

    @property
    def begun(self) -> bool:
        """Whether the pipeline has given samples."""
        return self._origin is not None

    def begin(self) -> None:
        """Another pipeline comes: its first samples follow what there is."""
        self._origin = None

    def missing(self, time_ns: int | None, frames: int) -> int:
        """How many frames were lost before samples of a running time, when the session has `frames`; without a time, none."""
        if time_ns is None:
            return 0
        position = round(time_ns * self._rate / NS_PER_S)
        if self._origin is None:
            self._origin = frames - position
        step = self._origin + position - frames
        if step < -self._tolerance:
            self._origin -= step
        return step if step > self._tolerance else 0
