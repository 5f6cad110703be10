"""Which channels of a microphone array cannot be trusted, told from the sound alone, online and at fixed points of the stream.

Each chunk of about a quarter of a second gives signs for and against each fault; a fault is there once its signs have added up to
some seconds. Looked at are each channel's own samples (`models.channel_levels`), its coherence with its neighbours
(`models.channel_coherence`) and its delays against the geometry (`models.channel_places`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.channel_coherence import ChannelCoherence
from models.channel_delays import ChunkSpectra, Delays
from models.channel_faults import Evidence, Finding, Repair
from models.channel_levels import Levels, levels
from models.channel_places import ChannelPlaces
from models.steering import geometry_rank

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

LEVEL_LOWEST_HZ = 300.0
SILENT_DBFS = -80.0
QUIETER_DB = 25.0
MUCH_QUIETER_DB = 35.0
COHERENT = 0.5
INCOHERENT = 0.2
AGREED = 0.5
DISAGREED = 0.2
OFFSET = 0.02
OFFSET_SHARE = 0.1
"""What a chunk adds to the running mean: it follows within some 3 s."""
LOUD_PEAK = 0.1
ZEROS_S = 0.25
LANE_ZEROS_S = 30.0
SIGNS_S = 2.0
CLIPPED_S = 1.0
GONE_S = 10.0
LOUDEST = 1e4
TINY = 1e-30

ABOUT = {
    "dead": "is silent while the others hear something",
    "noisy": "hears something else than the others",
    "clipped": "clips",
    "inverted": "has the polarity opposite to the others'",
    "offset": "has a constant offset",
    "not finite": "has samples that are not finite",
}


class ChannelHealthError(ValueError):
    """Samples that do not belong to the array."""


class ChannelHealth:
    """Follows the channels of one array. `repair` is what is to be done now.

    Args:
        positions_m: where the microphones are said to be, float64, shape (channels, 3); None for separate recordings, of which only
            the levels are looked at.
        n_channels: how many channels there are.
        sample_rate_hz: of the samples.
        reference: the channel to side with where half of the array opposes the other half.
    """

    def __init__(self, positions_m: Float64Array | None, n_channels: int, sample_rate_hz: int, reference: int = 0) -> None:
        self._n = n_channels
        self._spectra = ChunkSpectra(sample_rate_hz)
        self._chunk_s = self._spectra.chunk_frames / sample_rate_hz
        self._held = np.zeros((n_channels, 0), dtype=np.float32)
        self._now_s = 0.0
        self._findings: dict[tuple[str, tuple[int, ...]], Finding] = {}
        self._has_places = positions_m is not None and n_channels > 1
        self._positions = positions_m if positions_m is not None else np.zeros((n_channels, 3))
        if self._has_places:
            self._coherence = ChannelCoherence(self._positions, self._spectra.frequency_hz, reference)
            self._places = ChannelPlaces(self._positions)
            self._high = self._spectra.frequency_hz >= LEVEL_LOWEST_HZ
        on_s, off_s = (ZEROS_S, GONE_S) if self._has_places else (LANE_ZEROS_S, 1.0)
        self._zeros = Evidence(n_channels, on_s, off_s)
        self._quiet, self._noisy, self._inverted, self._offset = (Evidence(n_channels, SIGNS_S, GONE_S) for _ in range(4))
        self._mean, self._sway = np.zeros(n_channels), np.zeros(n_channels)
        self._clipped = Evidence(n_channels, CLIPPED_S, GONE_S)
        self.repair = Repair.none(n_channels)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was ever found, each once, in the order in which it was."""
        return tuple(self._findings.values())

    def push(self, samples: Float32Array) -> None:
        """Take samples, float32, shape (channels, frames); those that are not finite count as 0.

        Raises ChannelHealthError where the number of channels is another one.
        """
        if samples.ndim != 2 or len(samples) != self._n:
            raise ChannelHealthError(f"channel health: samples of shape {samples.shape}; there must be {self._n} rows, one a channel")
        finite = np.isfinite(samples)
        if not finite.all():
            self._find("not finite", np.asarray(~finite.all(axis=1)))
            samples = np.where(finite, samples, np.float32(0.0))
        # Far over full scale nothing can be told any more, and squares of squares would not be finite.
        samples = np.clip(samples, -LOUDEST, LOUDEST)
        held = np.concatenate([self._held, samples], axis=1)
        n = self._spectra.chunk_frames
        done = held.shape[1] // n * n
        for first in range(0, done, n):
            self._now_s += self._chunk_s
            self._judge(held[:, first : first + n])
        self._held = held[:, done:].copy()

    def interrupt(self, lost_s: float = 0.0) -> None:
        """A stretch is missing: what is held of a chunk goes, what was learnt stays."""
        self._now_s += lost_s + self._held.shape[1] / self._spectra.sample_rate_hz
        self._held = self._held[:, :0]

    def _find(self, kind: str, channels: BoolArray) -> None:
        for channel in np.flatnonzero(channels):
            self._keep(Finding(kind, (int(channel),), self._now_s, ABOUT[kind]))

    def _keep(self, finding: Finding) -> None:
        self._findings.setdefault((finding.kind, finding.channels), finding)

    def _judge(self, chunk: Float32Array) -> None:
        level = levels(chunk)
        self._mean += OFFSET_SHARE * (level.mean - self._mean)
        self._sway += OFFSET_SHARE * ((level.mean - self._mean) ** 2 - self._sway)
        is_offset = np.abs(self._mean) > np.maximum(OFFSET, 2.0 * np.sqrt(self._sway))
        self._offset.take(is_offset, ~is_offset, self._chunk_s)
        self._clipped.take(level.clipped, (level.peak >= LOUD_PEAK) & ~level.clipped, self._chunk_s)
        others_sound = _dbfs(_others(level.power)) > SILENT_DBFS
        self._zeros.take(level.constant & others_sound, others_sound & ~level.constant, self._chunk_s)
        if self._has_places and level.power.any():
            self._judge_array(chunk, level, others_sound)
        self._tell()
        self.repair = self._repair()

    def _judge_array(self, chunk: Float32Array, level: Levels, others_sound: BoolArray) -> None:
        cross = self._spectra.cross(chunk)
        out = self._out()
        if (~out).sum() < 2:
            out = np.zeros(self._n, dtype=bool)
        power = np.einsum("fcc->cf", cross).real[:, self._high].sum(axis=1)
        sign, strength = self._coherence.judge(cross, ~out)
        lower_db = _dbfs(_others(power)) - _dbfs(power)
        quiet = others_sound & ((lower_db > MUCH_QUIETER_DB) | ((lower_db > QUIETER_DB) & (strength < COHERENT)))
        self._quiet.take(quiet, others_sound & ~quiet, self._chunk_s)
        usual = float(np.median(strength[~out]))
        telling = others_sound & (sign != 0) & (usual >= COHERENT) & ~quiet & ~level.constant
        self._inverted.take(telling & (sign < 0) & (strength >= COHERENT), telling & (sign > 0) & (strength >= COHERENT), self._chunk_s)
        noisy = telling & (strength < INCOHERENT) & ~self._places.out
        if (self._inverted.suspected & ~self._inverted.faulty & ~out).any():
            self._noisy.take(noisy, telling & (strength >= COHERENT), self._chunk_s)
            return
        turn = np.where(self._inverted.faulty, -1.0, 1.0)
        reference = int(np.argmax(np.where(out, -1.0, strength)))
        delays = self._spectra.delays(cross * (turn[:, None] * turn), reference, self._places.most_s)
        noisy |= _disagrees(delays, ~out, reference) & others_sound & ~self._places.out
        self._noisy.take(noisy, telling & (strength >= COHERENT), self._chunk_s)
        suspected = self._quiet.suspected | self._noisy.suspected | self._clipped.suspected | self._zeros.suspected
        if not (suspected & ~out).any():
            for finding in self._places.push(delays, ~out, self._now_s):
                self._keep(finding)

    def _overloaded(self) -> bool:
        return bool(2 * self._clipped.faulty.sum() > self._n)

    def _out(self) -> BoolArray:
        clipped = self._clipped.faulty & (not self._overloaded())
        out = self._zeros.faulty | self._quiet.faulty | self._noisy.faulty | clipped
        return out | self._places.out if self._has_places else out

    def _tell(self) -> None:
        self._find("dead", self._zeros.faulty | self._quiet.faulty)
        self._find("noisy", self._noisy.faulty & ~self._zeros.faulty & ~self._quiet.faulty)
        self._find("inverted", self._inverted.faulty)
        self._find("offset", self._offset.faulty)
        if self._overloaded():
            self._keep(Finding("overload", (), self._now_s, "most channels clip"))
        else:
            self._find("clipped", self._clipped.faulty)

    def _repair(self) -> Repair:
        if not self._has_places:
            return Repair.none(self._n)
        place = self._places.place
        kept = np.flatnonzero(~self._out())
        if len(kept) < self._n and not self._suffice(place[kept]):
            kept = np.arange(self._n)
            self._keep(Finding("too few", (), self._now_s, "too few channels are left to leave any out"))
        order = kept[np.argsort(place[kept], kind="stable")]
        sign = np.where(self._inverted.faulty[order], -1, 1)
        return Repair(tuple(map(int, order)), tuple(map(int, sign)), tuple(map(int, place[order])))

    def _suffice(self, kept: npt.NDArray[np.intp]) -> bool:
        rank = geometry_rank(self._positions)
        return len(kept) > rank and geometry_rank(self._positions[kept]) == rank


def _others(values: Float64Array) -> Float64Array:
    """The median of the others, for each channel; its own value where there are none. Shape (channels,)."""
    n = len(values)
    if n == 1:
        return values
    order = np.argsort(values, kind="stable")
    rest = np.broadcast_to(values[order], (n, n))[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    result = np.empty(n)
    result[order] = 0.5 * (rest[:, (n - 2) // 2] + rest[:, (n - 1) // 2])
    return result


def _dbfs(power: Float64Array) -> Float64Array:
    return np.asarray(10.0 * np.log10(power + TINY))


def _disagrees(delays: Delays, good: BoolArray, reference: int) -> BoolArray:
    """The channels that correlate with nothing while the others do; of fewer than four, nobody can say which. Shape (channels,)."""
    others = good & (np.arange(len(good)) != reference)
    if others.sum() < 3:
        return np.zeros(len(good), dtype=bool)
    return np.asarray((float(np.median(delays.agreement[others])) >= AGREED) & (delays.agreement < DISAGREED) & others)
