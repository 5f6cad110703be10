"""Talkers who keep their names from window to window: a pure state machine over overlapping windows of local activity.

A segmentation network says who of a few talkers speaks in one window, under names that hold for this window only. Neighbouring windows
overlap by most of their length, so the talkers of one are those of the other whose activity agrees most (the stitching of online
diarisation: Coria, Bredin, Ghannay and Rosset, "Overlap-aware low-latency online speaker diarization based on end-to-end local
segmentation", 2021, arXiv 2109.06483, there with voices; here by activity alone, the voices come later).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

_LEAST_STEPS = 3
_LEAST_AGREEMENT = 0.3


@dataclass(frozen=True)
class Activity:
    """Who speaks from step `first` on: `active` is bool, shape (talkers, steps), a row for each of `talkers`."""

    first: int
    talkers: tuple[int, ...]
    active: BoolArray


@dataclass
class _Talker:
    """`steps` holds how probably they speak, from step `first` on."""

    name: int
    first: int
    steps: Float32Array

    def between(self, first: int, end: int) -> Float32Array:
        """Their activity from one step to another, 0 where nothing is known."""
        out = np.zeros(end - first, dtype=np.float32)
        begin, stop = max(first, self.first), min(end, self.first + len(self.steps))
        if begin < stop:
            out[begin - first : stop - first] = self.steps[begin - self.first : stop - self.first]
        return out


class TalkerStitcher:
    """Windows of local activity in, activity of talkers with lasting names out.

    A step counts as spoken over `threshold`. What a window says becomes final `lag` steps before its end: later steps are said better
    by the next window, which knows more of what follows. A talker is forgotten when a whole window is without them; coming back they
    are somebody new here. A name is the step at which somebody was first heard (the next free one if two begin at once), so names rise.
    """

    def __init__(self, threshold: float, lag: int) -> None:
        self._threshold = threshold
        self._lag = lag
        self._talkers: list[_Talker] = []
        self._done = 0
        self._end = 0
        self._last_name = -1

    @property
    def talkers(self) -> frozenset[int]:
        """Who may still be heard under the name they have; everybody else is gone."""
        return frozenset(talker.name for talker in self._talkers)

    def push(self, first: int, activity: Float32Array) -> Activity:
        """What a window makes final. Windows come in order, each beginning at or before the end of the one before.

        Args:
            first: the step at which the window begins.
            activity: float32, shape (steps, local talkers), 0 to 1.
        """
        end = self._end = first + len(activity)
        names = self._named(first, end, activity)
        stays = []
        for talker in self._talkers:
            known = talker.between(first, end)
            column = names.get(talker.name)
            known[self._done - first :] = 0.0 if column is None else activity[self._done - first :, column]
            talker.first, talker.steps = first, known
            if column is not None or (known > self._threshold).any():
                stays.append(talker)
        self._talkers = stays
        return self._final(max(self._done, end - self._lag))

    def flush(self) -> Activity:
        """What is left of the last window."""
        return self._final(self._end)

    def _named(self, first: int, end: int, activity: Float32Array) -> dict[int, int]:
        """Which column of a window is which talker; talkers without one are not in it, columns without one become new talkers."""
        from scipy.optimize import linear_sum_assignment

        columns = [column for column in range(activity.shape[1]) if (activity[:, column] > self._threshold).sum() >= _LEAST_STEPS]
        known = [talker.between(first, end) for talker in self._talkers]
        agreement = np.array([[np.minimum(activity[:, column], steps).sum() for steps in known] for column in columns])
        names: dict[int, int] = {}
        for row, place in zip(*linear_sum_assignment(-agreement), strict=True) if agreement.size else ():
            smaller = min(float(activity[:, columns[row]].sum()), float(known[place].sum()))
            if agreement[row, place] >= max(_LEAST_STEPS, _LEAST_AGREEMENT * smaller):
                names[self._talkers[place].name] = columns[row]
        for column in sorted(
            set(columns) - set(names.values()), key=lambda entry: (int(np.argmax(activity[:, entry] > self._threshold)), entry)
        ):
            begins = max(self._done, first + int(np.argmax(activity[:, column] > self._threshold)))
            self._last_name = max(begins, self._last_name + 1)
            self._talkers.append(_Talker(self._last_name, end, np.zeros(0, dtype=np.float32)))
            names[self._last_name] = column
        return names

    def _final(self, end: int) -> Activity:
        first, self._done = self._done, end
        rows = [(talker.name, talker.between(first, end) > self._threshold) for talker in self._talkers]
        heard = [(name, row) for name, row in rows if row.any()]
        active = np.array([row for _, row in heard], dtype=bool).reshape(len(heard), end - first)
        return Activity(first, tuple(name for name, _ in heard), active)
