"""What can be wrong with the channels of an array, and what is done about it: plain data, shared by the checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Finding:
    """Something wrong: its kind, the channels (counted from 0), when it was noticed, and a figure where there is one.

    Kinds are "dead", "clipped", "noisy", "drifting", "misplaced", "inverted", "swapped", "offset", "not finite" (of channels),
    and "overload", "geometry", "drift" and "too few" (of the array). `about` says in words what was found.
    """

    kind: str
    channels: tuple[int, ...]
    at_s: float
    about: str
    value: float = 0.0


@dataclass(frozen=True)
class Repair:
    """How to make the best of a faulty array.

    Output channel k is input channel `source[k]` times `sign[k]` and stands where the geometry has microphone `place[k]`.
    """

    source: tuple[int, ...]
    sign: tuple[int, ...]
    place: tuple[int, ...]

    @classmethod
    def none(cls, n_channels: int) -> Repair:
        """Nothing to do."""
        every = tuple(range(n_channels))
        return cls(every, (1,) * n_channels, every)

    @property
    def is_none(self) -> bool:
        """Whether nothing is to be done."""
        return self.source == self.place == tuple(range(len(self.source))) and min(self.sign) > 0


class Evidence:
    """Gathers signs of one fault for each channel: it is there after `on_s` of signs, and gone after `off_s` of signs against it."""

    def __init__(self, n_channels: int, on_s: float, off_s: float) -> None:
        self._on_s, self._fall = on_s, on_s / off_s
        self._score: npt.NDArray[np.float64] = np.zeros(n_channels)
        self.faulty: npt.NDArray[np.bool_] = np.zeros(n_channels, dtype=bool)

    @property
    def suspected(self) -> npt.NDArray[np.bool_]:
        """Which channels have some signs of the fault, bool, shape (channels,)."""
        return self._score > 0.0

    def take(self, signs: npt.NDArray[np.bool_], against: npt.NDArray[np.bool_], duration_s: float) -> None:
        """Take what a chunk of `duration_s` says: signs of the fault and signs against it, bool, shape (channels,)."""
        self._score += duration_s * np.where(signs, 1.0, np.where(against, -self._fall, 0.0))
        np.clip(self._score, 0.0, self._on_s, out=self._score)
        self.faulty = (self.faulty | (self._score >= self._on_s - 1e-9)) & (self._score > 0.0)
