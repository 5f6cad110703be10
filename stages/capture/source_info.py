"""What a source of sound offers, and which arrays fit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.geometry import ArrayGeometry, load_array, shipped_arrays

# What all stages that follow are made for; sources resample to it.
GRAPH_RATE_HZ = 16000
_DEFAULT_ARRAYS = {1: "mono", 2: "two_lanes"}


class SourceError(ValueError):
    """A source cannot be used; the message says which, why, and what would do."""


@dataclass(frozen=True)
class SourceInfo:
    """What a source offers. `n_frames` (at its own rate) is None where the file does not say.

    A recorded session brings its array and the wall-clock time of its start.
    """

    n_channels: int
    sample_rate_hz: int
    n_frames: int | None
    array: ArrayGeometry | None = None
    started_at: datetime | None = None

    @property
    def duration_s(self) -> float | None:
        """The length in seconds, where it is known."""
        return None if self.n_frames is None else self.n_frames / self.sample_rate_hz


def fits(array: ArrayGeometry, n_channels: int) -> bool:
    """Whether a source of so many channels can come from an array: exactly its own number, or all that it names."""
    if array.channels is None:
        return n_channels == array.n_channels
    return n_channels > max(array.channels)


def fitting_arrays(n_channels: int) -> list[str]:
    """The names of the shipped arrays that a source of so many channels can come from."""
    return [name for name in shipped_arrays() if fits(load_array(name), n_channels)]


def choose_array(array: str, n_channels: int, where: str) -> ArrayGeometry:
    """The array with a name or in a file; without one, `mono` for one channel and `two_lanes` for two.

    Raises SourceError where it does not fit the channels, with the arrays that would; GeometryError where there is none.
    """
    name = array or _DEFAULT_ARRAYS.get(n_channels, "")
    if name and fits(geometry := load_array(name), n_channels):
        return geometry
    fitting = fitting_arrays(n_channels)
    advice = f"arrays that fit are {', '.join(fitting)}" if fitting else "no shipped array fits"
    found = f"array {name} needs {_needed(geometry)}" if name else "an array must be named"
    raise SourceError(f"{where}: {_channels(n_channels)}, but {found}; {advice}, or give the path of a .yaml file with your own")


def channels_of(array: ArrayGeometry) -> Sequence[int]:
    """Which channels of the source the array's microphones are, in order."""
    return range(array.n_channels) if array.channels is None else array.channels


def _channels(n_channels: int) -> str:
    return f"{n_channels} channel{'s' if n_channels != 1 else ''}"


def _needed(array: ArrayGeometry) -> str:
    if array.channels is None:
        return f"exactly {array.n_channels}"
    return f"at least {max(array.channels) + 1}"
