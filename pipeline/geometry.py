"""Microphone arrays: where each microphone is, read from configs/arrays/*.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml


class GeometryError(ValueError):
    """An array's file cannot be used; the message says what to change."""


@dataclass(frozen=True)
class ArrayGeometry:
    """One microphone array.

    `positions_m` are (x, y, z) of each microphone in metres in the array's own frame. `channels` says which channels of the
    source they are, in order (None: the first ones). With `lanes` the channels are separate recordings without a common
    geometry: each is a track of its own and nothing has a bearing.
    """

    name: str
    positions_m: tuple[tuple[float, float, float], ...]
    sample_rate_hz: int = 16000
    channels: tuple[int, ...] | None = None
    reference: int = 0
    lanes: bool = field(default=False)

    @property
    def n_channels(self) -> int:
        """How many microphones the array has."""
        return len(self.positions_m)

    @cached_property
    def positions(self) -> npt.NDArray[np.float64]:
        """The positions in metres, float64, shape (channels, 3)."""
        return np.asarray(self.positions_m, dtype=np.float64).reshape(-1, 3)

    @cached_property
    def rank(self) -> int:
        """0 for a point, 1 for a line, 2 for a plane, 3 for a body."""
        centred = self.positions - self.positions.mean(axis=0)
        return int(np.linalg.matrix_rank(centred, tol=1e-4)) if len(centred) > 1 else 0

    @property
    def has_bearing(self) -> bool:
        """Whether a direction can be told with this array at all."""
        return not self.lanes and self.rank > 0

    @property
    def axis(self) -> npt.NDArray[np.float64]:
        """For a line: the unit vector from the first to the last microphone, shape (3,)."""
        way = self.positions[-1] - self.positions[0]
        return np.asarray(way / np.linalg.norm(way))


_KEYS = {"name", "sample_rate_hz", "positions_m", "channels", "reference", "lanes"}


def shipped_arrays() -> list[str]:
    """The names of the arrays that come with Echoic."""
    folder = resources.files("configs") / "arrays"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load_array(name_or_path: str) -> ArrayGeometry:
    """The array with a shipped name, or in the YAML file at a path.

    Raises GeometryError where there is no such array or its file has a mistake.
    """
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        if not path.is_file():
            raise GeometryError(f"array file {path}: there is no such file")
        text = path.read_text(encoding="utf-8")
    else:
        entry = resources.files("configs") / "arrays" / f"{name_or_path}.yaml"
        if not entry.is_file():
            raise GeometryError(
                f"array {name_or_path!r} is not known; the arrays are {', '.join(shipped_arrays())}, or give the path of a .yaml file"
            )
        text = entry.read_text(encoding="utf-8")
    return _parse(text, name_or_path)


def _parse(text: str, where: str) -> ArrayGeometry:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise GeometryError(f"array {where}: not YAML: {error}") from error
    if not isinstance(data, dict) or "positions_m" not in data:
        raise GeometryError(f"array {where}: expected name, sample_rate_hz and positions_m: [[x, y, z], ...]")
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise GeometryError(f"array {where}: unknown {', '.join(unknown)}; allowed are {', '.join(sorted(_KEYS))}")
    try:
        positions = tuple((float(x), float(y), float(z)) for x, y, z in data["positions_m"])
        channels = tuple(int(channel) for channel in data["channels"]) if data.get("channels") is not None else None
    except (TypeError, ValueError) as error:
        raise GeometryError(f"array {where}: positions_m must be [[x, y, z], ...] in metres and channels a list of numbers") from error
    if not positions or (channels is not None and len(channels) != len(positions)):
        raise GeometryError(f"array {where}: there are {len(positions)} positions and {len(channels or ())} channels; they must match")
    reference = int(data.get("reference", 0))
    if not 0 <= reference < len(positions):
        raise GeometryError(f"array {where}: reference {reference} is not one of the {len(positions)} microphones (counted from 0)")
    return ArrayGeometry(
        name=str(data.get("name", Path(where).stem)),
        positions_m=positions,
        sample_rate_hz=int(data.get("sample_rate_hz", 16000)),
        channels=channels,
        reference=reference,
        lanes=bool(data.get("lanes", False)),
    )
