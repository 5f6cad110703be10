"""Measured impulse responses for scenes, from .sofa (AES69), .npz and .wav files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.geometry import ArrayGeometry
from tools.scene_parts import SceneError

SAMPLE_RATE_HZ = 16000
ONSET = 0.5
"""The direct sound is where a response first reaches this share of its peak."""
ALLOWED = ".sofa, .npz, .wav, .flac"
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MeasuredResponses:
    """Responses at 16 kHz, float64, shape (sources, channels, frames).

    `ways` are the directions from the array to the sources, shape (sources, 3), x ahead, y to the left, z up; None where the file
    does not say them.
    """

    path: Path
    samples: Floats
    ways: Floats | None = None

    def source(self, way: Floats | None, given: int | None, who: str) -> int:
        """The source that was asked for, or whose direction is nearest to `way`, shape (3,).

        Raises SceneError where there is no such source, or the file holds several without directions and none was asked for.
        """
        n_sources = len(self.samples)
        if given is not None:
            if given >= n_sources:
                raise SceneError(f"{who}: source {given} is not in {self.path}; it has {n_sources}, counted from 0")
            return given
        if n_sources == 1:
            return 0
        if self.ways is None or way is None:
            raise SceneError(f"{who}: {self.path} has {n_sources} sources; say which with source: 0 to {n_sources - 1}")
        unit = self.ways / np.linalg.norm(self.ways, axis=1, keepdims=True)
        return int(np.argmax(unit @ way))

    def delay_s(self, source: int, channel: int) -> float:
        """When the direct sound of a source reaches a channel."""
        level = np.abs(self.samples[source, channel])
        return int(np.argmax(level >= ONSET * level.max())) / SAMPLE_RATE_HZ


def load_responses(path: Path, array: ArrayGeometry) -> MeasuredResponses:
    """The responses in a file, for the microphones of an array (by its `channels` where the file has more).

    Raises SceneError where there is no such file, it cannot be read, or it does not fit the array.
    """
    if not path.is_file():
        raise SceneError(f"responses {path}: there is no such file")
    readers = {".sofa": _sofa, ".npz": _npz, ".wav": _sound, ".flac": _sound}
    if path.suffix.lower() not in readers:
        raise SceneError(f"responses {path}: the type {path.suffix or 'without suffix'} is not known; allowed are {ALLOWED}")
    samples, rate_hz, ways = readers[path.suffix.lower()](path)
    if not rate_hz > 0.0:
        raise SceneError(f"responses {path}: found a sample rate of {rate_hz:g} Hz; it must be over 0")
    wanted = array.n_channels
    if samples.shape[1] != wanted:
        if array.channels is None or samples.shape[1] <= max(array.channels):
            raise SceneError(
                f"responses {path}: found {samples.shape[1]} channels, but the array {array.name} has {wanted} microphones;"
                " use an array file for the microphones that were measured"
            )
        samples = samples[:, list(array.channels)]
    if not np.isfinite(samples).all() or not np.abs(samples).max(axis=(1, 2), initial=0.0).all():
        raise SceneError(f"responses {path}: a source has no sound, or samples that are not finite; measure it again")
    return MeasuredResponses(path, _at_16_khz(samples, rate_hz), ways)


def _at_16_khz(samples: Floats, rate_hz: float) -> Floats:
    import soxr

    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    n_sources, n_channels, n_frames = samples.shape
    flat = soxr.resample(np.ascontiguousarray(samples.reshape(-1, n_frames).T), rate_hz, SAMPLE_RATE_HZ)
    # A filter's sum, not its samples, must stay.
    return np.asarray(flat.T.reshape(n_sources, n_channels, -1) * (rate_hz / SAMPLE_RATE_HZ))


def _sound(path: Path) -> tuple[Floats, float, Floats | None]:
    import soundfile

    try:
        samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise SceneError(f"responses {path}: cannot be read: {error}") from error
    return samples.T[None], float(rate_hz), None


def _npz(path: Path) -> tuple[Floats, float, Floats | None]:
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = {name: np.asarray(file[name], dtype=np.float64) for name in file.files}
    except (ValueError, OSError, EOFError) as error:
        raise SceneError(f"responses {path}: cannot be read: {error}") from error
    samples = parts.get("responses")
    if samples is None or "sample_rate_hz" not in parts or samples.ndim not in (2, 3):
        found = ", ".join(f"{name} {value.shape}" for name, value in parts.items()) or "nothing"
        raise SceneError(
            f"responses {path}: expected the arrays responses (sources, channels, frames) and sample_rate_hz, and perhaps"
            f" azimuth_deg and elevation_deg (sources,); found {found}"
        )
    samples = samples.reshape(-1, *samples.shape[-2:])
    azimuth_deg = parts.get("azimuth_deg")
    if azimuth_deg is None:
        return samples, float(parts["sample_rate_hz"]), None
    elevation_deg = parts.get("elevation_deg", np.zeros(len(samples)))
    if azimuth_deg.size != len(samples) or elevation_deg.size != len(samples):
        raise SceneError(f"responses {path}: {len(samples)} sources need as many azimuth_deg and elevation_deg; found {azimuth_deg.size}")
    return samples, float(parts["sample_rate_hz"]), _ways(np.stack([azimuth_deg.ravel(), elevation_deg.ravel()], axis=1))


def _sofa(path: Path) -> tuple[Floats, float, Floats | None]:
    import h5py

    try:
        with h5py.File(path) as file:
            missing = [name for name in ("Data.IR", "Data.SamplingRate") if name not in file]
            if missing:
                raise SceneError(
                    f"responses {path}: {' and '.join(missing)} not in it; only SOFA files of impulse responses (FIR) can be used"
                )
            samples = np.asarray(file["Data.IR"], dtype=np.float64)
            rate_hz = float(np.ravel(file["Data.SamplingRate"])[0])
            delays = np.asarray(file["Data.Delay"], dtype=np.float64) if "Data.Delay" in file else np.zeros((1, 1))
            ways = _sofa_ways(file, samples.shape[0]) if "SourcePosition" in file else None
    except OSError as error:
        raise SceneError(f"responses {path}: cannot be read as SOFA (HDF5): {error}") from error
    if samples.ndim != 3:
        raise SceneError(f"responses {path}: Data.IR has the shape {samples.shape}; allowed are measurements x receivers x samples (FIR)")
    if delays.any():
        samples = _delayed(samples, np.broadcast_to(delays, samples.shape[:2]))
    return samples, rate_hz, ways


def _delayed(samples: Floats, delays: Floats) -> Floats:
    """Responses later by whole samples, shape (sources, channels)."""
    late = np.round(np.maximum(delays, 0.0)).astype(int)
    longer = np.zeros((*samples.shape[:2], samples.shape[2] + int(late.max())))
    for source, channel in np.ndindex(*late.shape):
        longer[source, channel, late[source, channel] : late[source, channel] + samples.shape[2]] = samples[source, channel]
    return longer


def _sofa_ways(file: Any, n_sources: int) -> Floats:
    """The directions of the sources as the listener has them, who looks along ListenerView (its tilt is not looked at)."""
    sources = _sofa_places(file["SourcePosition"])
    listener = _sofa_places(file["ListenerPosition"]) if "ListenerPosition" in file else np.zeros((1, 3))
    view = _sofa_places(file["ListenerView"]) if "ListenerView" in file else np.array([[1.0, 0.0, 0.0]])
    ways = np.broadcast_to(sources, (n_sources, 3)) - np.broadcast_to(listener, (n_sources, 3))
    yaw = -np.arctan2(view[:, 1], view[:, 0])
    x = np.cos(yaw) * ways[:, 0] - np.sin(yaw) * ways[:, 1]
    y = np.sin(yaw) * ways[:, 0] + np.cos(yaw) * ways[:, 1]
    return np.stack([x, y, ways[:, 2]], axis=1)


def _sofa_places(variable: Any) -> Floats:
    values = np.asarray(variable, dtype=np.float64).reshape(-1, 3)
    kind = variable.attrs.get("Type", b"cartesian")
    if (kind.decode() if isinstance(kind, bytes) else str(kind)) != "spherical":
        return values
    return _ways(values[:, :2]) * values[:, 2:]


def _ways(angles_deg: Floats) -> Floats:
    """Unit vectors of azimuth (counter-clockwise) and elevation, shape (sources, 2)."""
    azimuth, elevation = angles_deg[:, 0] * math.pi / 180, angles_deg[:, 1] * math.pi / 180
    return np.stack([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)], axis=1)
