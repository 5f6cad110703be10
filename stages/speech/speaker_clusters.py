"""Who speaks, from voice and place, with an uncertainty: pure functions of what is known and what is heard.

The likeness of two voices is the cosine of their vectors. It is turned into odds: a voice speaks for a known speaker as strongly as
its cosine lies over that at which two pieces of speech are as likely one person as two; each encoder has a scale of its own
(`voice_scales.py`), and voices of two encoders are unknown to each other. Where somebody sits is a prior: on an array a track is one
place, and mostly one person.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array
from stages.speech.voice_scales import check_comparable, comparable, scale_of

# What is shorter neither founds a speaker nor moves one: below this, one and two people look alike.
LEAST_FOUNDING_S = 0.8
# Natural logarithms of odds.
_SAME_TRACK = 3.5
_SAME_PLACE = 2.0
_ELSEWHERE = -2.5
_TWO_PLACES = -8.0
_LATEST = 0.5
_FRESH_TRACK = 1.0
_STRANGER_ON_TRACK = -1.5
_NEAR_DEG = 15.0
_FAR_DEG = 30.0
_SOON_NS = 2 * NS_PER_S
_OVERLAP_NS = NS_PER_S // 2


@dataclass(frozen=True)
class Heard:
    """A line as its voice and place tell it. `voice` is float32, shape (numbers,), of unit length, or None; `seconds` is its speech.

    `so_far` is the speaker whose the talker's lines were until now, where talkers are told apart on one microphone.
    """

    voice: Float32Array | None
    seconds: float
    track: str
    azimuth_deg: float | None
    start_ns: int
    so_far: str | None = None


@dataclass(frozen=True)
class KnownSpeaker:
    """Somebody in the memory: how they sound, and where they spoke last in this session.

    `voice` is their mean voice, float32, shape (numbers,), or (ways, numbers) where people said that they sound in several ways; None
    where nobody has heard it. One of another encoder than the line's counts as none.
    """

    id: str
    voice: Float32Array | None
    track: str | None = None
    azimuth_deg: float | None = None
    end_ns: int | None = None


@dataclass(frozen=True)
class Choice:
    """Who it is (None: nobody known), and how probable that is, 0 to 1."""

    speaker: str | None
    confidence: float


def choose(heard: Heard, known: Sequence[KnownSpeaker]) -> Choice:
    """The most probable speaker of a line, a stranger included; the first of equals."""
    stranger = _stranger_odds(heard, known)
    odds = [_odds(heard, speaker, known) for speaker in known]
    highest = max([stranger, *odds])
    if highest == -math.inf:
        return Choice(None, 1.0)
    weights = [math.exp(value - highest) for value in odds]
    unknown = math.exp(stranger - highest)
    total = sum(weights) + unknown
    best = max(range(len(known)), key=lambda place: (weights[place], -place), default=None)
    if best is None or unknown > weights[best]:
        return Choice(None, unknown / total)
    return Choice(known[best].id, weights[best] / total)


def likeness_of(one: Float32Array, other: Float32Array) -> float:
    """The cosine of two voices of one encoder, each of shape (numbers,) or (ways, numbers); of several ways the likest.

    Raises:
        VoiceLengthError: they come from two encoders.
    """
    check_comparable([one, other])
    return float((np.atleast_2d(one) @ np.atleast_2d(other).T).max())


def voices_mean(voices: Sequence[Float32Array], seconds: Sequence[float]) -> Float32Array | None:
    """The mean voice, weighed by how much of each was heard; float32, shape (numbers,), of unit length. None of none.

    Raises:
        VoiceLengthError: they come from two encoders.
    """
    if not voices:
        return None
    check_comparable(voices)
    mean = np.asarray(seconds, dtype=np.float64) @ np.asarray(voices, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    return (mean / length).astype(np.float32) if length > 0 else None


def merges(means: dict[str, Float32Array], apart: set[frozenset[str]], weights: dict[str, float]) -> list[tuple[str, str]]:
    """Which speakers of a session are one: pairs (goes, into), likest first, until no two are like enough.

    `apart` are pairs that cannot be one person; nobody can tell of voices of two encoders. The mean of what was merged is weighed by
    `weights` (seconds). The one heard longer stays; of equals the one that comes first in `means`.
    """
    means, weights, apart = dict(means), dict(weights), set(apart)
    done: list[tuple[str, str]] = []
    while True:
        names = list(means)
        pairs = [
            (likeness_of(means[one], means[other]) - scale_of(means[one]).merge, one, other)
            for place, one in enumerate(names)
            for other in names[place + 1 :]
            if frozenset((one, other)) not in apart and comparable(means[one], means[other])
        ]
        best = max(pairs, key=lambda pair: pair[0], default=None)
        if best is None or best[0] < 0.0:
            return done
        _, one, other = best
        into, goes = (one, other) if weights[one] >= weights[other] else (other, one)
        if means[into].ndim == means[goes].ndim == 1:
            mean = voices_mean([means[into], means[goes]], [weights[into], weights[goes]])
            means[into] = means[into] if mean is None else mean
        weights[into] += weights.pop(goes)
        del means[goes]
        apart |= {frozenset((into, *(pair - {goes}))) for pair in apart if goes in pair}
        done.append((goes, into))


def two_voices(voices: Sequence[Float32Array] | Float32Array) -> list[bool]:
    """Parts lines of one speaker by voice: whether each belongs to the second group.

    Begins with the two voices least alike and moves every voice to the nearer mean until none moves. `voices` are float32, shape
    (numbers,) each, of unit length; fewer than two stay together. Where they come from two encoders, those of the one that made more
    of them are parted (of equals the first), and the others stay.
    """
    lengths = [len(voice) for voice in voices]
    most = max(lengths, key=lengths.count, default=0)
    if lengths.count(most) < 2:
        return [False] * len(lengths)
    parted = iter(_parted(np.stack([voice for voice in voices if len(voice) == most])))
    return [length == most and next(parted) for length in lengths]


def _parted(voices: Float32Array) -> list[bool]:
    """Which of at least two voices, shape (lines, numbers), are in the second group."""
    likeness = voices @ voices.T
    first, second = np.unravel_index(int(np.argmin(likeness)), likeness.shape)
    ends = voices[[min(first, second), max(first, second)]].astype(np.float64)
    groups = np.zeros(len(voices), dtype=bool)
    for _ in range(50):
        moved = voices @ ends[1] > voices @ ends[0]
        if np.array_equal(moved, groups) or moved.all() or not moved.any():
            groups = moved if moved.any() and not moved.all() else groups
            break
        groups = moved
        for side in (False, True):
            mean = voices[groups == side].sum(axis=0, dtype=np.float64)
            ends[int(side)] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return [bool(value) for value in groups]


def _odds(heard: Heard, speaker: KnownSpeaker, known: Sequence[KnownSpeaker]) -> float:
    """The logarithm of the odds for a known speaker."""
    odds, two_places = 0.0, _TWO_PLACES
    if heard.voice is not None and speaker.voice is not None and comparable(heard.voice, speaker.voice):
        scale = scale_of(heard.voice)
        odds, two_places = scale.odds(likeness_of(heard.voice, speaker.voice), heard.seconds), -scale.two_places
    elif heard.voice is not None:
        if speaker.end_ns is None:
            # Not heard today, and nothing to compare: nothing speaks for them.
            return -math.inf
    elif speaker.end_ns is None or (speaker.voice is None and speaker.track != heard.track):
        # Where nobody's voice is known, every track is somebody.
        return -math.inf
    if speaker.end_ns is None:
        return odds
    if heard.azimuth_deg is None or speaker.azimuth_deg is None:
        if heard.so_far is not None:
            return odds + (_SAME_TRACK if speaker.id == heard.so_far else 0.0)
        latest = max(entry.end_ns for entry in known if entry.end_ns is not None)
        return odds + (_LATEST if speaker.end_ns == latest and speaker.track == heard.track else 0.0)
    turn = abs((heard.azimuth_deg - speaker.azimuth_deg + 180.0) % 360.0 - 180.0)
    if speaker.track == heard.track:
        return odds + _SAME_TRACK
    if turn <= _NEAR_DEG:
        return odds + _SAME_PLACE
    if turn < _FAR_DEG or heard.start_ns >= speaker.end_ns + _SOON_NS:
        return odds
    return odds + (two_places if heard.start_ns < speaker.end_ns - _OVERLAP_NS else _ELSEWHERE)


def _stranger_odds(heard: Heard, known: Sequence[KnownSpeaker]) -> float:
    here = [entry for entry in known if entry.end_ns is not None]
    if heard.azimuth_deg is not None:
        return _STRANGER_ON_TRACK if any(entry.track == heard.track for entry in here) else _FRESH_TRACK
    # Without a bearing only a voice can found a speaker; the first words of a session belong to somebody in any case.
    if heard.voice is None or heard.seconds < LEAST_FOUNDING_S:
        return -1e3 if any(entry.track == heard.track or entry.voice is not None for entry in here) else 0.0
    return 0.0
