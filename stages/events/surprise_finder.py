"""Finds boundaries by surprise: where the joint log odds of a new topic stand out from those of the recent past.

A boundary falls where they exceed mu + gamma * sigma of the recent past, and then moves to the modularity optimum nearby (EM-LLM,
Fountas et al. 2024, arXiv 2407.09450, sections 3.1 and 3.2). The odds are joint over the lanes: what the words tell of both sides of a
place (`TopicSignals`, each signal normalised, weights of a `TalkProfile`), and what pauses, people, bearings, sounds and unlikely words
add.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from operator import mul

from stages.events.boundary_finder import Boundary, BoundaryFinder
from stages.events.live_lanes import LANES, evidence_of
from stages.events.modularity import split_gains
from stages.events.spoken_line import SpokenLine
from stages.events.surprise_model import Surprise, SurpriseModel
from stages.events.talk_profile import TalkProfile
from stages.events.topic_signals import TopicSignals

_TOLD_NATS = 3.0
"""From this surprise on, a reason tells of unlikely words even where they did not decide."""


@dataclass(frozen=True)
class FinderSettings:
    """See `SurpriseSettings`; `modularity_nats` is what a modularity of 1 is worth against log odds when a boundary moves."""

    gamma: float
    n_recent: int
    n_moves: int
    n_around: int
    min_lines: int
    modularity_nats: float
    surprisal_ratio: float = 1.0


@dataclass(frozen=True)
class _Judged:
    """One place: the joint log odds of a new topic there, the threshold, the line's surprise and what each lane added."""

    place: int
    odds: float
    threshold: float
    surprise: Surprise
    lanes: dict[str, float]


class SurpriseFinder(BoundaryFinder):
    """Finds topics of one conversation; a place is decided `n_around` lines after it."""

    def __init__(self, settings: FinderSettings, profile: TalkProfile) -> None:
        self._settings = settings
        self._profile = profile
        self.n_ahead = settings.n_around
        self._model = SurpriseModel()
        self._signals: TopicSignals | None = None
        # The newest lines, for moving a boundary: those around any place that is not decided yet.
        self._lines: deque[SpokenLine] = deque(maxlen=2 * settings.n_around + settings.n_moves)
        self._surprises: deque[Surprise | None] = deque(maxlen=settings.n_around + 1)
        self._recent: deque[float] = deque(maxlen=settings.n_recent)
        self._judged: deque[_Judged] = deque(maxlen=2 * settings.n_moves + 1)
        self._n_lines = 0
        self._n_judged = 0
        self._n_decided = 0
        self._begin = 0

    def hear(self, label: str) -> None:
        """A sound that is not speech was heard; it counts for the next line."""
        self._model.hear(label)

    def take(self, line: SpokenLine) -> list[Boundary]:
        """The boundaries that are known, now that this line is there."""
        settings, profile = self._settings, self._profile
        if self._signals is None:
            n_right = settings.n_around - settings.n_moves
            self._signals = TopicSignals(len(line.vector), profile.n_near, profile.n_past, n_right)
        surprise = self._model.take(line)
        self.surprise = surprise.total if surprise is not None else 0.0
        self._signals.take(line, surprise.topic if surprise is not None else 0.0)
        self._lines.append(line)
        self._surprises.append(surprise)
        self._n_lines += 1
        return self._decided(self._n_lines - (settings.n_around - settings.n_moves), settings.n_moves)

    def settle(self) -> list[Boundary]:
        """Decide every place, with the lines that there are."""
        return self._decided(self._n_lines - 1, 0)

    def began(self, place: int) -> None:
        """No boundary is wanted within `min_lines` of this place."""
        self._begin = place
        self._n_decided = max(self._n_decided, place)

    def _decided(self, last: int, n_moves: int) -> list[Boundary]:
        """Judge places up to `last`, and decide those that have `n_moves` judged ones after them."""
        found = []
        while self._n_judged <= last:
            self._judge(self._n_judged)
            self._n_judged += 1
            if self._n_judged - 1 - n_moves >= self._n_decided:
                found += self._decide(self._n_judged - 1 - n_moves)
        while n_moves == 0 and self._n_decided < self._n_judged:
            found += self._decide(self._n_decided)
        return found

    def _judge(self, place: int) -> None:
        surprise = self._surprises[place - self._n_lines]
        if surprise is None or self._signals is None:
            return
        lanes = {"topic": self._profile.log_odds(self._signals.at(place)), **evidence_of(surprise, self._settings.surprisal_ratio)}
        odds = math.fsum(lanes.values())
        self._judged.append(_Judged(place, odds, self._threshold(), surprise, lanes))
        self._recent.append(odds)

    def _threshold(self) -> float:
        """Mu + gamma * sigma of the recent past, together with what is usual in such talk."""
        profile = self._profile
        count = len(self._recent) + profile.n_prior
        mean = (sum(self._recent) + profile.n_prior * profile.usual_nats) / count
        squares = sum(map(mul, self._recent, self._recent))
        squares += profile.n_prior * (profile.deviation_nats**2 + profile.usual_nats**2)
        return mean + self._settings.gamma * math.sqrt(max(squares / count - mean**2, 0.0))

    def _decide(self, place: int) -> list[Boundary]:
        """The boundary that a place is, if its odds exceed the threshold and none nearby exceeds them."""
        self._n_decided = place + 1
        settings = self._settings
        around = [entry for entry in self._judged if abs(entry.place - place) <= settings.n_moves]
        here = next((entry for entry in around if entry.place == place), None)
        if here is None or here.odds <= here.threshold or any(entry.odds > here.odds for entry in around):
            return []
        n_after = min(settings.min_lines, settings.n_around)
        places = [e.place for e in around if e.place - self._begin >= settings.min_lines and self._n_lines - e.place >= n_after]
        if place not in places:
            return []
        first = self._n_lines - len(self._lines)
        begin, end = max(first, place - settings.n_around), min(self._n_lines, place + settings.n_around)
        vectors = [self._lines[number - first].vector for number in range(begin, end)]
        gains = split_gains(vectors, [number - begin for number in places])
        odds = {entry.place: entry.odds for entry in around}
        moved = max(places, key=lambda number: (settings.modularity_nats * gains.get(number - begin, -1.0) + odds[number], -number))
        self._begin = moved
        return [Boundary(moved, _reason(here, self._lines[place - first]), max(0.0, here.surprise.total))]


def _reason(judged: _Judged, line: SpokenLine) -> str:
    """The lane that did most, in words."""
    surprise = judged.surprise
    found = f"surprise {surprise.total:.2f} nats, log odds {judged.odds:.2f} > {judged.threshold:.2f}"
    if surprise.surprisal >= _TOLD_NATS:
        found += f", {surprise.surprisal:.2f} nats for unlikely words"
    lane = max(LANES, key=lambda name: judged.lanes[name])
    if judged.lanes[lane] < 0.5 or judged.odds - judged.lanes[lane] > judged.threshold:
        # The words alone would have made it a boundary.
        return f"topic changed: {found}"
    if lane == "silence":
        return f"silence of {surprise.pause_s:.1f} s: {found}"
    if lane == "somebody joined":
        return f"somebody joined: {line.track}: {found}"
    if lane == "bearing":
        return f"bearing of {line.track} moved by {surprise.moved_deg:.0f} degrees: {found}"
    if lane == "surprisal":
        return f"unlikely words of {line.track}: {found}"
    return f"sound: {surprise.heard or 'unknown'}: {found}"
