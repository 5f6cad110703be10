"""How a sound reaches the microphones of a scene: through one response where it stands still, through many where it walks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.room import SAMPLE_RATE_HZ, SPEED_OF_SOUND_M_PER_S, responses
from tools.scene_place import microphones_m
from tools.scene_source import Source

STEP_M = 0.05
"""The echoes of somebody who walks are computed at places so far apart and cross-faded between; the direct sound is exact everywhere."""
N_AT_ONCE = 8
FADE_S = 0.05
"""How long the change from one measured response to the next takes."""
OVERSAMPLING = 8
Floats = npt.NDArray[np.float64]


def image(dry: Floats, source: Source) -> Floats:
    """The sound of a source at each microphone, float64, shape (channels, frames), from its dry sound, 16 kHz, shape (frames,)."""
    heard = np.zeros((source.array.n_channels, len(dry)))
    if source.measured is not None:
        for piece in _stretches(source, len(dry)):
            _add(heard, dry, piece, source.measured.samples[source.stretches[piece.node].source])
        return heard
    if not source.moves:
        for channel, response in enumerate(responses([source.way.places_m[0]], source.array, source.room)[0]):
            heard[channel] = _through(dry, response)[: len(dry)]
        return heard
    heard += _direct(dry, source)
    if source.room.rt60_s == 0.0:
        return heard
    pieces, places = _walk(source, dry)
    anechoic = source.room.model_copy(update={"rt60_s": 0.0})
    for first in range(0, len(pieces), N_AT_ONCE):
        batch = pieces[first : first + N_AT_ONCE]
        nodes = [places[piece.node] for piece in batch]
        with_echo, without = responses(nodes, source.array, source.room), responses(nodes, source.array, anechoic)
        for piece, late, direct in zip(batch, with_echo, without, strict=True):
            for channel in range(len(late)):
                late[channel][: len(direct[channel])] -= direct[channel]
            _add(heard, dry, piece, late)
    return heard


@dataclass(frozen=True)
class _Piece:
    """From the frame `first` on, a node has a share in the sound, float64, shape (frames,)."""

    node: int
    first: int
    weights: Floats


def _through(dry: Floats, response: Floats) -> Floats:
    from scipy.signal import oaconvolve

    return np.asarray(oaconvolve(dry, response))


def _add(heard: Floats, dry: Floats, piece: _Piece, by_channel: Floats | list[Floats]) -> None:
    said = dry[piece.first : piece.first + len(piece.weights)] * piece.weights
    if not said.any():
        return
    for channel, response in enumerate(by_channel):
        wet = _through(said, response)[: heard.shape[1] - piece.first]
        heard[channel, piece.first : piece.first + len(wet)] += wet


def _stretches(source: Source, n_frames: int) -> Iterator[_Piece]:
    """The time of each measured response, with a linear cross-fade in the middle of which the next one takes over."""
    starts = [stretch.start_s for stretch in source.stretches[1:]]
    frames = np.arange(n_frames)
    for node in range(len(source.stretches)):
        weights = np.ones(n_frames)
        if node > 0:
            weights = np.minimum(weights, (frames / SAMPLE_RATE_HZ - starts[node - 1]) / FADE_S + 0.5)
        if node < len(starts):
            weights = np.minimum(weights, (starts[node] - frames / SAMPLE_RATE_HZ) / FADE_S + 0.5)
        some = np.flatnonzero(weights > 0.0)
        if len(some):
            yield _Piece(node, int(some[0]), weights[some[0] : some[-1] + 1])


def _walk(source: Source, dry: Floats) -> tuple[list[_Piece], Floats]:
    """When each place on the way counts, and the places, float64, shape (nodes, 3), as far apart as `STEP_M` or a little less."""
    way = source.way
    gone_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way.places_m, axis=0), axis=1))])
    n_nodes = math.ceil(gone_m[-1] / STEP_M) + 1
    step_m = gone_m[-1] / (n_nodes - 1)
    first_at = np.concatenate([[True], np.diff(gone_m) > 0.0])
    places = np.stack(
        [np.interp(np.arange(n_nodes) * step_m, gone_m[first_at], way.places_m[first_at, axis]) for axis in range(3)], axis=-1
    )
    # How far along the way it is at each frame, in steps; it never goes back, so a node counts in one stretch of time.
    at = np.interp(np.arange(len(dry)) / SAMPLE_RATE_HZ, way.times_s, gone_m / step_m)
    pieces = []
    for node in range(n_nodes):
        first, last = int(np.searchsorted(at, node - 1, side="right")), int(np.searchsorted(at, node + 1, side="left"))
        if dry[first:last].any():
            pieces.append(_Piece(node, first, 1.0 - np.abs(at[first:last] - node)))
    return pieces, places


def _direct(dry: Floats, source: Source) -> Floats:
    """The direct sound of somebody who walks, without approximation by steps, Doppler shift included.

    What arrives at t was made at s, where t = s + d(s) / c, and is weaker by the distance d(s); the dry sound between samples is read
    from eight times as many, through the four around it (Lagrange).
    """
    from scipy.signal import resample_poly

    fine = np.pad(resample_poly(dry, OVERSAMPLING, 1), 2)
    times_s = np.arange(len(dry)) / SAMPLE_RATE_HZ
    places = source.way.at(times_s)
    heard = np.zeros((source.array.n_channels, len(dry)))
    for channel, microphone in enumerate(microphones_m(source.array, source.room)):
        away_m = np.linalg.norm(places - microphone, axis=1)
        made_s = times_s - away_m / SPEED_OF_SOUND_M_PER_S
        for _ in range(2):
            made_s = times_s - np.interp(made_s, times_s, away_m) / SPEED_OF_SOUND_M_PER_S
        at = np.maximum(made_s, 0.0) * (SAMPLE_RATE_HZ * OVERSAMPLING)
        base = np.floor(at).astype(np.int64)
        part = at - base
        before, here, after, beyond = (fine[base + shift] for shift in (1, 2, 3, 4))
        value = (
            -part * (part - 1) * (part - 2) / 6 * before
            + (part + 1) * (part - 1) * (part - 2) / 2 * here
            - (part + 1) * part * (part - 2) / 2 * after
            + (part + 1) * part * (part - 1) / 6 * beyond
        )
        heard[channel] = np.where(made_s >= 0.0, value, 0.0) / np.interp(made_s, times_s, away_m)
    return heard
