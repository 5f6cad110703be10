"""Faulty microphone channels, found and worked around before anything listens to them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock, Gap, seconds
from pipeline.stage import Emit, In, Out, Stage

if TYPE_CHECKING:
    from models.channel_faults import Finding, Repair
    from models.channel_health import ChannelHealth

DONE = {
    "dead": "it is left out until it is heard again",
    "clipped": "it is left out until it no longer clips",
    "noisy": "it is left out until it agrees with the others again",
    "drifting": "it is left out",
    "misplaced": "it is left out",
    "inverted": "its sign is turned",
    "swapped": "they are changed back",
    "offset": "nothing needs to be done; the microphone or its input may be broken",
    "not finite": "they count as 0",
    "overload": "nothing can be done; lower the gain",
    "geometry": "bearings and beams will be wrong; check the array's file and the order of the channels",
    "drift": "bearings and beams will get worse; record all channels with one clock",
    "too few": "all are used as they are",
}


class ChannelCheck(Stage):
    """Finds dead, clipped, noisy, inverted, swapped, misplaced and drifting channels, and passes on an array without the fault.

    A healthy array is never touched: its blocks pass as they are, at once. An inverted channel is turned, swapped channels are changed
    back, and other faulty channels are left out: then the blocks are of an array that lacks these microphones. What is done in a
    block follows from what was heard before it. Where too few channels would be left, all pass as they are. Each finding is logged
    once, with the channel's number counted from 0, and stays in `findings`.

    On arrays without bearing (one microphone, separate recordings) samples that are not finite become 0 and the rest is only told.

    Args:
        repair: false only tells what is found; samples that are not finite still become 0.
    """

    audio = In(AudioBlock)
    checked = Out(AudioBlock)

    def __init__(self, repair: bool = True) -> None:
        self._repairs = repair
        self._log = logging.getLogger("echoic.channels")
        self._clear()

    def _clear(self) -> None:
        self._for: tuple[ArrayGeometry, int] | None = None
        self._health: ChannelHealth | None = None
        self._array: ArrayGeometry | None = None
        self._repair: Repair | None = None
        self._told: set[tuple[str, tuple[int, ...]]] = set()
        self._end_ns: int | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found in this array, each once, in the order in which it was."""
        return self._health.findings if self._health is not None else ()

    def start(self) -> None:
        """Forget an earlier stream, and load scipy now rather than at the first block."""
        import models.channel_health  # noqa: F401 - for the time it takes

        self._clear()

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[AudioBlock]]:
        """Pass a block on, repaired as far as faults are known, and learn from it."""
        health = self._ready(block)
        if self._end_ns is not None and block.pts_ns > self._end_ns + 1:
            health.interrupt(seconds(block.pts_ns - self._end_ns))
        self._end_ns = block.end_ns
        yield self.checked(self._repaired(block, health.repair))
        health.push(block.samples)
        self._tell(health, block.array)

    def _ready(self, block: AudioBlock) -> ChannelHealth:
        if self._health is None or self._for != (block.array, block.sample_rate_hz):
            from models.channel_health import ChannelHealth

            self._clear()
            positions = block.array.positions if block.array.has_bearing else None
            self._health = ChannelHealth(positions, block.array.n_channels, block.sample_rate_hz, block.array.reference)
            self._for = (block.array, block.sample_rate_hz)
        return self._health

    def _repaired(self, block: AudioBlock, repair: Repair) -> AudioBlock:
        is_whole = repair.is_none or not self._repairs
        is_finite = bool(np.isfinite(block.samples).all())
        if is_whole and is_finite:
            return block
        samples = block.samples if is_finite else np.nan_to_num(block.samples, nan=0.0, posinf=0.0, neginf=0.0)
        if is_whole:
            return replace(block, samples=samples)
        samples = samples[list(repair.source)] * np.array(repair.sign, dtype=np.float32)[:, None]
        if self._array is None or self._repair != repair:
            self._array, self._repair = _part(block.array, repair), repair
        return replace(block, samples=samples, array=self._array)

    def _tell(self, health: ChannelHealth, array: ArrayGeometry) -> None:
        for finding in health.findings[len(self._told) :]:
            self._told.add((finding.kind, finding.channels))
            done = DONE[finding.kind] if self._repairs and array.has_bearing else "nothing is done about it"
            if finding.kind == "not finite":
                done = DONE["not finite"]
            self._log.warning("array %s, %.1f s: %s%s: %s", array.name, finding.at_s, _named(finding.channels), finding.about, done)

    def on_gap(self, gap: Gap) -> Iterator[Emit[AudioBlock]]:  # noqa: ARG002 - the next block's time says how long it was
        """What was learnt stays."""
        yield from ()

    def memory_bytes(self) -> int:
        """A chunk and its spectra, for 32 channels."""
        return 16 * 2**20

    def stop(self) -> None:
        """Nothing to let go of: the findings stay to be read."""


def _named(channels: tuple[int, ...]) -> str:
    if not channels:
        return ""
    numbers = " and ".join(map(str, channels))
    return f"channel{'s' if len(channels) > 1 else ''} {numbers} (counted from 0) "


def _part(array: ArrayGeometry, repair: Repair) -> ArrayGeometry:
    """The array of the microphones that are left; the reference is the one nearest to what it was."""
    if len(repair.place) == array.n_channels:
        return array
    positions = array.positions[list(repair.place)]
    # To the millimetre: microphones that are equally near differ by rounding, and the first of them is meant.
    nearest = int(np.argmin(np.linalg.norm(positions - array.positions[array.reference], axis=1).round(3)))
    return replace(
        array,
        positions_m=tuple(array.positions_m[index] for index in repair.place),
        channels=tuple((array.channels or range(array.n_channels))[index] for index in repair.source),
        reference=nearest,
    )
