"""Every packet type that flows through a graph: the vocabulary of the system.

Times are integers in nanoseconds on one session clock that starts at 0. Packets are frozen, and their arrays are made
read-only when the packet is made, so a packet can be handed to several stages at once without a copy.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pipeline.geometry import ArrayGeometry

Float32Array = npt.NDArray[np.float32]
NS_PER_S = 10**9


class PacketError(ValueError):
    """A packet was made with values that no packet may have."""


def seconds(time_ns: int) -> float:
    """A time in seconds, for people and JSON."""
    return time_ns / NS_PER_S


def nanoseconds(time_s: float) -> int:
    """A time in whole nanoseconds, from seconds that a person or a file gave."""
    return round(time_s * NS_PER_S)


@dataclass(frozen=True, kw_only=True)
class Packet:
    """A piece of the stream that starts at `pts_ns` and lasts `duration_ns`.

    `in_hindsight` packets tell of what others have told before; how long they are waited for says nothing of how far a graph has heard.
    """

    in_hindsight: ClassVar[bool] = False

    pts_ns: int
    duration_ns: int

    def __post_init__(self) -> None:
        if self.pts_ns < 0 or self.duration_ns < 0:
            raise PacketError(
                f"{type(self).__name__}: pts_ns and duration_ns must be at least 0, found {self.pts_ns} and {self.duration_ns}"
            )
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def end_ns(self) -> int:
        """The first nanosecond after this packet."""
        return self.pts_ns + self.duration_ns


@dataclass(frozen=True, kw_only=True)
class Gap(Packet):
    """A stretch that was lost, and why: "dropped", "overrun", "unreadable", "source ended"."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class AudioBlock(Packet):
    """Samples of every channel of one array over one stretch of time.

    `samples` is float32, shape (channels, frames), full scale is +-1; channels are those of `array`, in its order.
    """

    samples: Float32Array
    sample_rate_hz: int
    array: ArrayGeometry


@dataclass(frozen=True, kw_only=True)
class ImageFrame(Packet):
    """One image of a camera. `pixels` is uint8, shape (height, width, 3), RGB."""

    pixels: npt.NDArray[np.uint8]
    camera: str


@dataclass(frozen=True)
class Direction:
    """A direction that sound came from: degrees in the array's frame, and how strongly (0 to 1)."""

    azimuth_deg: float
    elevation_deg: float | None
    power: float


@dataclass(frozen=True, kw_only=True)
class Directions(Packet):
    """The directions that sound came from during one block, strongest first."""

    directions: tuple[Direction, ...]


@dataclass(frozen=True)
class Track:
    """One tracked source.

    Without bearing (one microphone, or separate lanes) `azimuth_deg` is None and `lane` says which channel the track is.
    """

    name: str
    azimuth_deg: float | None
    elevation_deg: float | None = None
    active: bool = True
    lane: int | None = None


@dataclass(frozen=True, kw_only=True)
class Tracks(Packet):
    """All tracks that are alive during one block, sleeping ones included (`active` is False)."""

    tracks: tuple[Track, ...]


@dataclass(frozen=True, kw_only=True)
class BeamBlock(Packet):
    """The audio of one track over one block.

    `samples` is float32, shape (frames,). `presence` (0 to 1) is how much of the energy of this block came from the track's
    own direction: near 0 the beam holds only what leaked from others.
    """

    samples: Float32Array
    sample_rate_hz: int
    track: Track
    presence: float = 1.0


@dataclass(frozen=True, kw_only=True)
class TalkerBlock(Packet):
    """Who of several talkers on one track speaks when, overlap included.

    `active` is bool, shape (talkers, steps): a row for each of `talkers`, a column for each step of `step_ns` from `pts_ns` on. Talkers are
    numbers (the session time in milliseconds at which somebody was first heard) that hold as long as they are heard again and again; who
    comes back after a while gets a new one.
    """

    track: Track
    talkers: tuple[int, ...]
    active: npt.NDArray[np.bool_]
    step_ns: int


@dataclass(frozen=True, kw_only=True)
class TalkerVoice(Packet):
    """How a talker of `TalkerBlock` sounds, as known at `pts_ns`: a later one takes its place, the last comes when they are gone.

    `voice` is float32, shape (numbers,), of unit length, None when nothing could be told; `seconds` is how long they spoke alone.
    """

    track: Track
    talker: int
    seconds: float
    voice: Float32Array | None


@dataclass(frozen=True, kw_only=True)
class SpeechBlock(Packet):
    """A beam's block with the probability (0 to 1) that it holds speech."""

    beam: BeamBlock
    probability: float


@dataclass(frozen=True, kw_only=True)
class Utterance(Packet):
    """A stretch of speech on one beam, bounded in length.

    `samples` is float32, shape (frames,). The audio starts `lead_ns` before `pts_ns`, so that soft beginnings are kept, and
    may run past `end_ns` by as much as is there. `presence` is the mean over what was said; `presences`, float32, shape (parts,), is
    the presence over time, spread evenly over `samples`, and empty where that is not known.
    """

    samples: Float32Array
    sample_rate_hz: int
    track: Track
    lead_ns: int = 0
    presence: float = 1.0
    presences: Float32Array = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    @property
    def audio_pts_ns(self) -> int:
        """The session time of the first sample."""
        return self.pts_ns - self.lead_ns

    def between(self, start_ns: int, end_ns: int) -> Float32Array:
        """The samples from `start_ns` to `end_ns` of the session, a view of shape (frames,); none where there is no audio."""
        first, last = (max(0, (time_ns - self.audio_pts_ns) * self.sample_rate_hz // NS_PER_S) for time_ns in (start_ns, end_ns))
        return self.samples[first:last]


@dataclass(frozen=True, kw_only=True)
class OpenUtterance(Packet):
    """An utterance that has not ended: what has been said of it so far.

    `so_far` starts where the whole utterance will start. The packet ends when it was looked at, with the newest block.
    """

    so_far: Utterance


@dataclass(frozen=True)
class Word:
    """A word with its time on the session clock and the recogniser's probability (0 to 1)."""

    text: str
    start_ns: int
    end_ns: int
    probability: float


@dataclass(frozen=True, kw_only=True)
class Transcript(Packet):
    """What was said in one utterance. `pts_ns` is that of the first word.

    The packet may last longer than the last word, since packets leave a stage in the order of their ends: `spoken_end_ns` says
    when the words ended.
    `confidence` is exp(mean token log probability), 0 to 1. `copy_of` names the track whose speech leaked into this beam.
    `voice` tells whose voice it is: float32, shape (numbers,), of unit length, as many numbers as the encoder gives; None where nobody
    has looked or there is too little. `talker` says who of several on one microphone spoke it, as in `TalkerBlock`.
    """

    utterance: Utterance
    text: str
    words: tuple[Word, ...]
    language: str
    confidence: float
    copy_of: str | None = None
    voice: Float32Array | None = None
    talker: int | None = None

    @property
    def key(self) -> str:
        """The name of this line within its session: the same in every replay."""
        return f"{self.utterance.track.name}-{self.pts_ns // 10**6:08d}"

    @property
    def spoken_end_ns(self) -> int:
        """The end of the last word."""
        return min(self.end_ns, self.words[-1].end_ns) if self.words else self.end_ns


@dataclass(frozen=True, kw_only=True)
class PartialTranscript(Packet):
    """What somebody is saying: the text up to now, which the next one replaces. `pts_ns` is that of the utterance.

    `stable_text` is the beginning of `text` that will not change any more in a partial transcript of this utterance. The final
    line (`Transcript`) is made anew from the whole utterance and may differ from both.
    """

    track: Track
    text: str
    stable_text: str


@dataclass(frozen=True, kw_only=True)
class Line(Packet):
    """A transcript with its meaning. `embedding` is float32, shape (dimension,), of unit length."""

    transcript: Transcript
    embedding: Float32Array


@dataclass(frozen=True, kw_only=True)
class SpokenQuestion(Packet):
    """A question to Echoic that somebody asked aloud, in `text` without the wake phrase. It is no part of what the room remembers."""

    track: Track
    text: str


@dataclass(frozen=True, kw_only=True)
class SpokenAnswer(Packet):
    """What Echoic answered to a spoken question, over the span of the question; `answer` is the JSON of `ask --json`."""

    in_hindsight: ClassVar[bool] = True

    question: SpokenQuestion
    answer: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SoundEvent(Packet):
    """A sound that is not speech: a door, a phone, laughter.

    `label` is a class of AudioSet, or None for a sound that no class fits; `score` (0 to 1) is how sure the best class was. The
    bearing is None where there is none or the sound came from all sides. `embedding` is float32, shape (1024,), of unit length.
    """

    label: str | None
    score: float
    azimuth_deg: float | None
    elevation_deg: float | None
    embedding: Float32Array

    @property
    def key(self) -> str:
        """The name of this sound within its session: the same in every replay."""
        return f"{'-'.join(re.findall('[a-z0-9]+', (self.label or 'sound').lower()))}-{self.pts_ns // 10**6:08d}"


@dataclass(frozen=True, kw_only=True)
class Event(Packet):
    """A stretch of experience between two surprises.

    `lines` are the keys of its transcripts (`Transcript.key`), in order. `reason` says in words why it began where it did
    and `surprise` how surprising that was, in nats. `embedding` is float32, shape (dimension,), of unit length.
    """

    in_hindsight: ClassVar[bool] = True

    name: str
    lines: tuple[str, ...]
    tracks: tuple[str, ...]
    reason: str
    surprise: float
    summary: str
    embedding: Float32Array
    level: str = "event"
    extra: dict[str, Any] = field(default_factory=dict)
