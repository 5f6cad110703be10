"""An online model of what comes next in a conversation, and how surprising each line is under it, in nats.

Three lanes are predicted on their own and their surprises add up, as those of independent things do:

- topic: the next line's vector follows a mixture of von Mises-Fisher kernels around the recent lines (Banerjee et al. 2005,
  "Clustering on the unit hypersphere", for the density) and a flat background. Its surprise is -ln of the density over that
  density's peak, so it is at least 0.
- silence: pauses are exponential with the mean of the recent ones; the surprise of a pause is -ln P(a pause at least as long).
- people: somebody who has not spoken recently joins with probability 1 / (n + 1) after n lines (a Chinese restaurant process);
  while a conversation is only beginning, nobody is a surprise.

Surprise as -ln p(next | past) against a threshold of recent surprises is that of EM-LLM (Fountas et al. 2024, arXiv 2407.09450).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.packets import NS_PER_S
from stages.events.spoken_line import SpokenLine

_CONTEXT_LINES = 8
_PEOPLE_LINES = 20
_PEOPLE_KNOWN = 6
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
    """How surprising a line is, lane by lane, in nats. `pause_s` is the silence before it; `joined` whether its track is new."""

    topic: float
    silence: float
    people: float
    pause_s: float
    joined: bool

    @property
    def total(self) -> float:
        """The lanes together."""
        return self.topic + self.silence + self.people


class SurpriseModel:
    """Feed it the lines of one conversation, in order.

    `kappa` is how tightly a topic's lines lie together, `decay` how fast older lines stop predicting, `background` the
    probability that a line has nothing to do with the recent ones.
    """

    def __init__(self, kappa: float = 5.0, decay: float = 0.6, background: float = 0.3) -> None:
        self._kappa = kappa
        self._decay = decay
        self._background = background
        self._recent: deque[SpokenLine] = deque(maxlen=_CONTEXT_LINES)
        self._people: deque[str] = deque(maxlen=_PEOPLE_LINES)
        self._pauses: deque[float] = deque(maxlen=_RECENT_LINES)
        self._topics: deque[float] = deque(maxlen=_RECENT_LINES)
        self._sum: npt.NDArray[np.float64] | None = None
        self._count = 0.0
        self._last_end_ns: int | None = None

    def take(self, line: SpokenLine) -> Surprise | None:
        """How surprising this line is after those before it; None for the first. It then counts as context itself."""
        surprise = self._surprise(line) if self._recent else None
        if surprise is not None:
            self._pauses.append(surprise.pause_s)
        self._recent.append(line)
        self._people.append(line.track)
        vector = line.vector.astype(np.float64)
        self._sum = vector.copy() if self._sum is None else self._sum * _CENTRE_KEPT + vector
        self._count = self._count * _CENTRE_KEPT + 1.0
        self._last_end_ns = max(self._last_end_ns or 0, line.end_ns)
        return surprise

    def _surprise(self, line: SpokenLine) -> Surprise:
        pause_s = max(0.0, (line.start_ns - (self._last_end_ns or 0)) / NS_PER_S)
        mean_s = (_PAUSE_PRIOR_S * _PRIOR_LINES + sum(self._pauses)) / (_PRIOR_LINES + len(self._pauses))
        joined = line.track not in self._people
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
        )

    def _topic(self, line: SpokenLine) -> float:
        # What all lines share (register, encoder) says nothing about topics: it is taken away, at first carefully.
        centre = self._sum / (self._count + _CENTRE_PRIOR_LINES) if self._sum is not None else 0.0
        rows = np.array([*(entry.vector for entry in self._recent), line.vector], dtype=np.float64) - centre
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        weights = self._decay ** np.arange(len(rows) - 2, -1, -1)
        weights /= weights.sum()
        near = float(weights @ np.exp(self._kappa * (rows[:-1] @ rows[-1] - 1.0)))
        return -math.log((1.0 - self._background) * near + self._background * math.exp(-self._kappa))
