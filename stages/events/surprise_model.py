"""An online model of what comes next in a conversation, and how surprising each line is under it, in nats.

Each lane is predicted on its own and their surprises add up, as those of independent things do:

- topic: the next line's vector follows a mixture of von Mises-Fisher kernels around the recent lines (Banerjee et al. 2005,
  "Clustering on the unit hypersphere", for the density) and a flat background. Its surprise is -ln of the density over that
  density's peak, so it is at least 0.
- silence: pauses are exponential with the mean of the recent ones; the surprise of a pause is -ln P(a pause at least as long).
- people: somebody who has not spoken for long joins with probability 1 / (n + 1) after n lines (a Chinese restaurant process);
  while a conversation is only beginning, nobody is a surprise.
- bearing: a track stays where it was, with normal deviations as large as its own recent ones; the surprise is -ln of the density over
  its peak.
- surprisal: how unlikely the recogniser found the words of a line, by its own probabilities, is exponential with a rate that the
  recent lines of its track tell; the surprise is -ln P(words at least as unlikely).
- sound: a sound of some kind comes before a line as often as one did before the recent lines (Laplace's rule).

Surprise as -ln p(next | past) against a threshold of recent surprises is that of EM-LLM (Fountas et al. 2024, arXiv 2407.09450).
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.packets import NS_PER_S
from stages.events.bearing_lane import BearingLane
from stages.events.sound_lane import SoundLane
from stages.events.spoken_line import SpokenLine
from stages.events.surprisal_lane import SurprisalLane

_CONTEXT_LINES = 8
_PEOPLE_LINES = 20
_PEOPLE_KNOWN = 6
_LONG_AWAY_NS = 300 * NS_PER_S
_MOST_PEOPLE = 64
_CENTRE_PRIOR_LINES = 5.0
_CENTRE_KEPT = 0.995
_PAUSE_PRIOR_S = 1.5
_RECENT_LINES = 20
_PRIOR_LINES = 8.0
_TELLING_WORDS = 4
_LONGEST_SURPRISE_NATS = 6.0

USUAL_TOPIC_NATS = 4.5
"""The surprise of a line in talk before any has been heard, measured on chit-chat dialogues (TIAGE)."""


@dataclass(frozen=True)
class Surprise:
    """How surprising a line is, lane by lane, in nats.

    `pause_s` is the silence before it, `joined` whether its track is new, `moved_deg` how far its track went since it last spoke, and
    `heard` the most surprising sound before it.
    """

    topic: float
    silence: float
    people: float
    pause_s: float
    joined: bool
    bearing: float = 0.0
    moved_deg: float = 0.0
    sound: float = 0.0
    heard: str = ""
    surprisal: float = 0.0

    @property
    def total(self) -> float:
        """The lanes together."""
        return self.topic + self.silence + self.people + self.bearing + self.sound + self.surprisal


class SurpriseModel:
    """Feed it the lines of one conversation, in order.

    `kappa` is how tightly a topic's lines lie together, `decay` how fast older lines stop predicting, `background` the
    probability that a line has nothing to do with the recent ones.
    """

    def __init__(self, kappa: float = 5.0, decay: float = 0.6, background: float = 0.3) -> None:
        self._kappa = kappa
        self._decays = decay ** np.arange(_CONTEXT_LINES - 1, -1, -1)
        self._background = background
        self._recent: deque[npt.NDArray[np.float64]] = deque(maxlen=_CONTEXT_LINES)
        self._people: deque[str] = deque(maxlen=_PEOPLE_LINES)
        # When each of the people who spoke last was last heard; who listens quietly for a while has not left.
        self._last_ns: OrderedDict[str, int] = OrderedDict()
        self._pauses: deque[float] = deque(maxlen=_RECENT_LINES)
        self._topics: deque[float] = deque(maxlen=_RECENT_LINES)
        self._sum: npt.NDArray[np.float64] | None = None
        self._count = 0.0
        self._last_end_ns: int | None = None
        self._bearings = BearingLane()
        self._sounds = SoundLane()
        self._surprisals = SurprisalLane()

    def hear(self, label: str) -> None:
        """A sound that is not speech was heard; it counts for the next line."""
        self._sounds.hear(label)

    def take(self, line: SpokenLine) -> Surprise | None:
        """How surprising this line is after those before it; None for the first. It then counts as context itself."""
        bearing, sound, surprisal = self._bearings.take(line), self._sounds.take(), self._surprisals.take(line)
        surprise = self._surprise(line, bearing, sound, surprisal) if self._recent else None
        if surprise is not None:
            self._pauses.append(surprise.pause_s)
        self._people.append(line.track)
        self._last_ns[line.track] = max(line.end_ns, self._last_ns.pop(line.track, 0))
        if len(self._last_ns) > _MOST_PEOPLE:
            self._last_ns.popitem(last=False)
        vector = line.vector.astype(np.float64)
        self._recent.append(vector)
        self._sum = vector.copy() if self._sum is None else self._sum * _CENTRE_KEPT + vector
        self._count = self._count * _CENTRE_KEPT + 1.0
        self._last_end_ns = max(self._last_end_ns or 0, line.end_ns)
        return surprise

    def _surprise(self, line: SpokenLine, bearing: tuple[float, float], sound: tuple[float, str], surprisal: float) -> Surprise:
        pause_s = max(0.0, (line.start_ns - (self._last_end_ns or 0)) / NS_PER_S)
        mean_s = (_PAUSE_PRIOR_S * _PRIOR_LINES + sum(self._pauses)) / (_PRIOR_LINES + len(self._pauses))
        last_ns = self._last_ns.get(line.track)
        joined = line.track not in self._people and (last_ns is None or line.start_ns - last_ns > _LONG_AWAY_NS)
        found = self._topic(line)
        usual = (USUAL_TOPIC_NATS * _PRIOR_LINES + sum(self._topics)) / (_PRIOR_LINES + len(self._topics))
        # A line of one or two words ("Oh, really?") says little about the topic: it is judged by what is usual.
        topic = usual + (found - usual) * min(1.0, len(line.text.split()) / _TELLING_WORDS)
        self._topics.append(topic)
        return Surprise(
            topic=topic,
            silence=min(_LONGEST_SURPRISE_NATS, pause_s / max(mean_s, 1e-3)),
            people=math.log(len(self._people) + 1) if joined and len(self._people) >= _PEOPLE_KNOWN else 0.0,
            pause_s=pause_s,
            joined=joined,
            bearing=bearing[0],
            moved_deg=bearing[1],
            sound=sound[0],
            heard=sound[1],
            surprisal=surprisal,
        )

    def _topic(self, line: SpokenLine) -> float:
        # What all lines share (register, encoder) says nothing about topics: it is taken away, at first carefully.
        centre = self._sum / (self._count + _CENTRE_PRIOR_LINES) if self._sum is not None else 0.0
        rows = np.array([*self._recent, line.vector], dtype=np.float64)
        rows -= centre
        lengths = np.maximum(np.sqrt(np.einsum("ij,ij->i", rows, rows)), 1e-9)
        weights = self._decays[-len(rows) + 1 :]
        cosines = (rows[:-1] @ rows[-1]) / (lengths[:-1] * lengths[-1])
        near = float(weights @ np.exp(self._kappa * (cosines - 1.0))) / float(weights.sum())
        return -math.log((1.0 - self._background) * near + self._background * math.exp(-self._kappa))
