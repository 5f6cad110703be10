"""What all beamformers share: blocks and tracks in, a block for each awake track out, at exactly the times of the input."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.step_sizes import StepSizes
from pipeline.geometry import ArrayGeometry
from pipeline.packets import NS_PER_S, AudioBlock, BeamBlock, Float32Array, Track, Tracks, nanoseconds
from stages.audio.array_part import heard_by

if TYPE_CHECKING:
    from models.online_beamformer import BeamStep, OnlineBeamformer

GRAPH_RATE_HZ = 16000
TINY = 1e-20


@dataclass
class _Voice:
    """What a beam has made and not yet emitted: from sample `start` of the stream on, with the energies of each hop."""

    start: int
    samples: Float32Array
    own: Float32Array
    whole: Float32Array

    def append(self, samples: Float32Array, own: Float32Array, whole: Float32Array) -> None:
        self.samples = np.concatenate([self.samples, samples])
        self.own = np.concatenate([self.own, own])
        self.whole = np.concatenate([self.whole, whole])


class BeamStream:
    """Turns a stream of blocks and tracks into beams with an `OnlineBeamformer`.

    A track has beam blocks while it is active, from the look-ahead before its first moment until `hold_s` after it fell asleep.
    On arrays without bearing the channels pass through.

    Where an array loses microphones, because they are found to be faulty, what is still held is worked through without them: so the
    faulty sound of the look-ahead never reaches a beam, and who is found just afterwards is heard from before.

    Args:
        make: makes the beamformer for an array and a sample rate.
        step_s: how much is worked through at once.
        look_ahead_s: how far filters look ahead, and how long before it was found a new track is heard.
        hold_s: how long a track that has fallen asleep keeps its beam.
    """

    def __init__(self, make: Callable[[ArrayGeometry, int], OnlineBeamformer], step_s: float, look_ahead_s: float, hold_s: float) -> None:
        self._make = make
        self._step_s = step_s
        self._look_ahead_s = look_ahead_s
        self._hold_ns = nanoseconds(hold_s)
        self._core: OnlineBeamformer | None = None
        self._for: tuple[ArrayGeometry, int] | None = None
        self.delay_ns = self._delay_ns(GRAPH_RATE_HZ)
        self._clear()

    def _delay_ns(self, sample_rate_hz: int) -> int:
        sizes = StepSizes.of(sample_rate_hz, self._step_s, self._look_ahead_s)
        return -(-sizes.latency_frames * NS_PER_S // sample_rate_hz)

    def _clear(self) -> None:
        self._waiting: deque[tuple[int, AudioBlock]] = deque()
        self._past: deque[AudioBlock] = deque()
        self._history: deque[Tracks] = deque()
        self._voices: dict[str, _Voice] = {}
        self._n_frames = 0

    def take_audio(self, block: AudioBlock) -> Iterator[BeamBlock]:
        """Take a block of the array. Gives what is still held where this block is of another array that is no part of the one before."""
        if self._for != (block.array, block.sample_rate_hz):
            held = self._held_for(block)
            if held is None:
                yield from self.end()
            self._for = (block.array, block.sample_rate_hz)
            self._core = self._make(block.array, block.sample_rate_hz) if block.array.has_bearing else None
            self.delay_ns = self._delay_ns(block.sample_rate_hz)
            if held is not None:
                self._begin_again(held)
        self._waiting.append((self._n_frames, block))
        self._push(block)

    def _push(self, block: AudioBlock) -> None:
        self._n_frames += block.samples.shape[1]
        if self._core is not None:
            self._core.push(block.samples)

    def _held_for(self, block: AudioBlock) -> list[AudioBlock] | None:
        """What is held and a window of what came before it, as this block's array heard it; None where it has other microphones."""
        if not self._waiting or self._waiting[-1][1].sample_rate_hz != block.sample_rate_hz:
            return None
        return heard_by([*self._past, *(waiting for _, waiting in self._waiting)], block.array)

    def _begin_again(self, held: list[AudioBlock]) -> None:
        """Hand what is held to a new beamformer; the window before it is there so that no beam fades in."""
        n_past = len(self._past)
        self._waiting.clear()
        self._past.clear()
        self._voices.clear()
        self._n_frames = 0
        for number, block in enumerate(held):
            if number >= n_past:
                self._waiting.append((self._n_frames, block))
            self._push(block)

    def take_tracks(self, tracks: Tracks) -> Iterator[BeamBlock]:
        """Take the tracks of the newest block and give the blocks of all beams that are complete."""
        self._history.append(tracks)
        if self._core is None:
            yield from self._lanes(tracks)
            return
        while self._core.is_ready():
            yield from self._step(self._core)

    def end(self) -> Iterator[BeamBlock]:
        """Give what is still held: the stream has ended, or is interrupted. What follows is a new stream."""
        if self._core is not None and self._waiting:
            self._core.finish()
            while self._waiting and self._core.is_ready(at_end=True):
                yield from self._step(self._core)
        if self._core is not None:
            self._core.reset()
        self._clear()

    def close(self) -> None:
        """Let go of the beamformer."""
        self._core = self._for = None
        self._clear()

    def _lanes(self, tracks: Tracks) -> Iterator[BeamBlock]:
        while self._waiting and self._waiting[0][1].end_ns <= tracks.end_ns:
            block = self._waiting.popleft()[1]
            for track in tracks.tracks:
                if track.lane is not None:
                    yield _beam_block(block, block.samples[track.lane], track, 1.0)
        self._history.clear()

    def _step(self, core: OnlineBeamformer) -> Iterator[BeamBlock]:
        since_ns = self._waiting[0][1].pts_ns - self._hold_ns if self._waiting else 0
        while self._history and self._history[0].end_ns <= since_ns:
            self._history.popleft()
        awake = {track.name: track for tracks in self._history for track in tracks.tracks if track.active and track.azimuth_deg is not None}
        if self._history:
            core.forget([track.name for track in self._history[-1].tracks])
        step = core.step({name: (track.azimuth_deg or 0.0, track.elevation_deg) for name, track in awake.items()})
        self._keep(step, core.sizes.hop_frames)
        n_done = step.first_frame + core.sizes.n_step * core.sizes.hop_frames
        while self._waiting and self._waiting[0][0] + self._waiting[0][1].samples.shape[1] <= n_done:
            first, block = self._waiting.popleft()
            yield from self._emit(first, block, awake, core.sizes.hop_frames)
            self._past.append(block)
        n_past = sum(block.samples.shape[1] for block in self._past)
        while self._past and n_past - self._past[0].samples.shape[1] >= core.sizes.window_frames:
            n_past -= self._past.popleft().samples.shape[1]
        self._trim(core.sizes.hop_frames)

    def _keep(self, step: BeamStep, hop_frames: int) -> None:
        self._voices = {name: voice for name, voice in self._voices.items() if name in step.samples}
        # A stream's first step begins before the first sample, with the silence that was put there.
        n_early = max(0, -step.first_frame)
        for name, samples in step.samples.items():
            parts = samples[n_early:], step.own[name][n_early // hop_frames :], step.whole[name][n_early // hop_frames :]
            if name in self._voices:
                self._voices[name].append(*parts)
            else:
                self._voices[name] = _Voice(step.first_frame + n_early, *parts)

    def _emit(self, first: int, block: AudioBlock, awake: dict[str, Track], hop_frames: int) -> Iterator[BeamBlock]:
        n_frames = block.samples.shape[1]
        for name in awake:
            voice = self._voices[name]
            at = first - voice.start
            if at < 0:
                continue
            hops = slice(at // hop_frames, -(-(at + n_frames) // hop_frames))
            whole = float(voice.whole[hops].sum())
            presence = min(1.0, float(voice.own[hops].sum()) / whole) if whole > TINY else 0.0
            yield _beam_block(block, voice.samples[at : at + n_frames].copy(), self._track_at(name, block.end_ns, awake[name]), presence)

    def _track_at(self, name: str, time_ns: int, newest: Track) -> Track:
        """A track as it stood at a time, or as it first was where it was found later."""
        for tracks in self._history:
            if tracks.end_ns >= time_ns:
                for track in tracks.tracks:
                    if track.name == name:
                        return track
        return newest

    def _trim(self, hop_frames: int) -> None:
        first = self._waiting[0][0] if self._waiting else self._n_frames
        for voice in self._voices.values():
            n_hops = max(0, first - voice.start) // hop_frames
            voice.start += n_hops * hop_frames
            voice.samples = voice.samples[n_hops * hop_frames :]
            voice.own = voice.own[n_hops:]
            voice.whole = voice.whole[n_hops:]


def _beam_block(block: AudioBlock, samples: Float32Array, track: Track, presence: float) -> BeamBlock:
    return BeamBlock(
        pts_ns=block.pts_ns,
        duration_ns=block.duration_ns,
        samples=samples,
        sample_rate_hz=block.sample_rate_hz,
        track=track,
        presence=presence,
    )
