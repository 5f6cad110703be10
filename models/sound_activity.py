"""When sounds begin and end, from judgements of stretches of 0.48 s: hysteresis by family, and sounds that no class fits.

Time is counted in steps of one hop of YAMNet. A step is judged by the mean of the two windows that hold it. Several sounds at once are
several activities; each family of classes (`models/sound_families.py`) has at most one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.direction_histogram import DirectionHistogram
from models.sound_families import SoundFamilies

Float32Array = npt.NDArray[np.float32]

UNKNOWN = -1
_OFF_SHARE = 0.5
"""A sound goes on while its score is at least this share of what it needed to begin."""
_BESIDE_SHARE = 0.5
"""What begins beside a surer sound needs this share of its score: the network's second thoughts are not second sounds."""
_CLOSER_SHARE = 0.7
"""A closer name is the label when its score is at least this share of the best in its family."""
_SURE = 0.5
"""Under this score a sound is left out where a surer one was heard for half of it or more: one sound has many likenesses."""
_SPEECH_BAR = 0.6
"""While somebody surely speaks, a sound needs at least this score."""
_NO_SPEECH = 0.3
"""Over this speech score a step may be speech, so it is no unknown sound."""
_RISE_DB = 3.0
"""A sound begins only where it is louder than usual by this much: what is always there is no event."""
_NO_FLOOR_BAR = 0.6
"""What a class needs before it is known what is usual."""
_FLOOR_STEPS = 64
_FLOOR_PERCENTILE = 20.0
_LEAST_FLOOR_STEPS = 4


@dataclass(frozen=True)
class Step:
    """One stretch of 0.48 s: scores, float32, shape (521,); embedding, float32, shape (1024,); level; where sound came from."""

    scores: Float32Array
    embedding: Float32Array
    level_dbfs: float
    directions: DirectionHistogram


@dataclass
class Activity:
    """A sound that was heard from step `first` to step `last`, both included.

    `scores` and `embedding` are weighted sums over its steps; `weight` is the sum of the weights. `label` is a class, or UNKNOWN.
    """

    family: int
    first: int
    last: int
    scores: npt.NDArray[np.float64]
    embedding: npt.NDArray[np.float64]
    weight: float = 0.0
    best: float = 0.0
    directions: DirectionHistogram = field(default_factory=DirectionHistogram)
    spoken: bool = False
    label: int = UNKNOWN

    def unit_embedding(self) -> Float32Array:
        """The mean embedding at unit length, float32, shape (1024,)."""
        unit: Float32Array = (self.embedding / max(float(np.linalg.norm(self.embedding)), 1e-12)).astype(np.float32)
        return unit


class SoundActivity:
    """Takes steps in order, gives activities that are over.

    Args:
        families: the classes.
        min_score: what a class needs (0 to 1) for its sound to begin.
        least_dbfs: what is quieter is nothing; the network's scores of hardly anything mean nothing.
        rise_db: how far over the usual level a sound must be that no class fits. (What a class fits needs 3 dB to begin.)
        pause_steps: a sound that is heard again within this many steps goes on.
        longest_steps: after this many steps a sound is over, and another begins.
    """

    def __init__(
        self, families: SoundFamilies, min_score: float, least_dbfs: float, rise_db: float, pause_steps: int, longest_steps: int
    ) -> None:
        self._families = families
        self._min_score = min_score
        self._least_dbfs = least_dbfs
        self._rise_db = rise_db
        self._pause_steps = pause_steps
        self._longest_steps = longest_steps
        self._levels: deque[float] = deque(maxlen=_FLOOR_STEPS)
        family = np.array(families.family)
        self._members = {int(number): np.flatnonzero(family == number) for number in np.unique(family[family >= 0])}
        self.reset()

    def reset(self, at: int = 0) -> None:
        """The next step is number `at` and has nothing to do with those before. What is open is forgotten: `finish` gives it first."""
        self._at = at
        self._open: dict[int, Activity] = {}
        self._cut: set[int] = set()
        self._recent: deque[Activity] = deque(maxlen=64)
        self._spoke_at = -(10**9)

    @property
    def earliest_end(self) -> int:
        """No activity that is still to come ends before this step."""
        return min((activity.last for activity in self._open.values()), default=self._at)

    @property
    def earliest_begin(self) -> int:
        """No activity that is still to come begins before this step."""
        return min((activity.first for activity in self._open.values()), default=self._at)

    def push(self, step: Step) -> list[Activity]:
        """Take the next step; the activities that are over."""
        at, self._at = self._at, self._at + 1
        speech = max(float(step.scores[index]) for index in self._families.speech)
        if speech >= _NO_SPEECH:
            self._spoke_at = at
        heard = self._heard(step, speech) if step.level_dbfs >= self._least_dbfs else {}
        for family, score in heard.items():
            self._go_on(family, at, step, score, speech)
        self._levels.append(step.level_dbfs)
        self._mark_spoken()
        over = [
            activity
            for activity in self._open.values()
            if at - activity.last >= self._pause_steps or at - activity.first + 1 >= self._longest_steps
        ]
        self._cut = {activity.family for activity in over if activity.last == at}
        return self._closed(over)

    def finish(self) -> list[Activity]:
        """Everything that is open, over now."""
        return self._closed(list(self._open.values()))

    def _heard(self, step: Step, speech: float) -> dict[int, float]:
        """The families that are heard in a step, with their scores."""
        scores = {family: float(step.scores[members].max()) for family, members in self._members.items()}
        rise_db = self._rise_over_usual(step.level_dbfs)
        bar = max(self._min_score, _SPEECH_BAR if speech >= 0.5 else 0.0, _BESIDE_SHARE * max(scores.values()))
        if rise_db is None:
            bar = max(bar, _NO_FLOOR_BAR)
        elif rise_db < _RISE_DB:
            bar = np.inf
        going_on = self._open.keys() | self._cut
        heard = {
            family: score
            for family, score in scores.items()
            if score >= bar or (family in going_on and score >= _OFF_SHARE * self._min_score)
        }
        if not heard and speech < _NO_SPEECH and rise_db is not None and rise_db >= self._rise_db:
            heard[UNKNOWN] = max(scores.values())
        return heard

    def _rise_over_usual(self, level_dbfs: float) -> float | None:
        """How much louder a step is than what is usual, dB; None where that is not known yet."""
        if len(self._levels) < _LEAST_FLOOR_STEPS:
            return None
        return level_dbfs - float(np.percentile(np.array(self._levels), _FLOOR_PERCENTILE))

    def _go_on(self, family: int, at: int, step: Step, score: float, speech: float) -> None:
        activity = self._open.get(family)
        if activity is None:
            n_classes, dimension = len(step.scores), len(step.embedding)
            activity = self._open[family] = Activity(family, at, at, np.zeros(n_classes), np.zeros(dimension))
        power = 10.0 ** (step.level_dbfs / 10.0)
        weight = 1.0 if family == UNKNOWN else score
        activity.last = at
        activity.best = max(activity.best, score)
        activity.weight += weight
        activity.scores += weight * step.scores
        # Loud steps hold most of an unknown sound; a known one is where the network is sure.
        activity.embedding += (power if family == UNKNOWN else score) * step.embedding
        activity.directions.add_all(step.directions, weight * (1.0 - speech))

    def _mark_spoken(self) -> None:
        activity = self._open.get(UNKNOWN)
        if activity is not None and (self._spoke_at >= activity.first - 1) and (self._spoke_at <= activity.last + 1):
            activity.spoken = True

    def _closed(self, over: list[Activity]) -> list[Activity]:
        kept = []
        for activity in sorted(over, key=lambda activity: (activity.last, activity.family)):
            if activity.family != UNKNOWN:
                activity.label = self._label(activity)
                if not self._is_likeness(activity):
                    self._recent.append(activity)
                    kept.append(activity)
            elif not activity.spoken and not self._is_part_of_known(activity):
                kept.append(activity)
        for activity in over:
            del self._open[activity.family]
        return kept

    def _label(self, activity: Activity) -> int:
        """The closest name in the family that fits nearly as well as the best."""
        members = self._members[activity.family]
        scores = activity.scores[members] / activity.weight
        scored = zip(members, scores, strict=True)
        fitting = [
            (self._families.general[member], -score, int(member)) for member, score in scored if score >= _CLOSER_SHARE * scores.max()
        ]
        return min(fitting)[2]

    def _is_part_of_known(self, unknown: Activity) -> bool:
        """Whether a known sound was heard at that time or right beside it: the first breath of an alarm is no sound of its own."""
        return any(known.first - 1 <= unknown.last and known.last + 1 >= unknown.first for known in self._known())

    def _is_likeness(self, activity: Activity) -> bool:
        """Whether a surer sound explains this one."""
        if activity.best >= _SURE:
            return False
        length = activity.last - activity.first + 1
        surer = [known for known in self._known() if known is not activity and known.best > activity.best]
        return any(2 * (min(known.last, activity.last) - max(known.first, activity.first) + 1) >= length for known in surer)

    def _known(self) -> list[Activity]:
        """The sounds of late that a class fits."""
        return [*self._recent, *(activity for activity in self._open.values() if activity.family != UNKNOWN)]
