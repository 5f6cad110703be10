"""How near made boundaries are to true ones: Pk, WindowDiff, and the F1 of boundaries within a tolerance.

Boundaries are bool, shape (n,), true at each line that begins a segment, the first line apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Boundaries = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """Of a whole set: `pk` and `window_diff` are means over talks, `f1` is of all their boundaries together.

    `made_per_true` is how many boundaries were made for one true one.
    """

    pk: float
    window_diff: float
    f1: float
    f1_near: float
    made_per_true: float


def score_of(truth: Sequence[Boundaries], found: Sequence[Boundaries], tolerance: int = 2) -> Score:
    """The score of found boundaries; `f1_near` counts those at most `tolerance` lines away."""
    pairs = list(zip(truth, found, strict=True))
    n_true, n_found = (sum(int(one.sum()) for one in side) for side in (truth, found))
    exact, near = (2 * sum(n_matched(one, other, within) for one, other in pairs) / max(n_true + n_found, 1) for within in (0, tolerance))
    windows = [window_errors(one, other) for one, other in pairs]
    return Score(
        pk=float(np.mean([pk for pk, _ in windows])),
        window_diff=float(np.mean([difference for _, difference in windows])),
        f1=exact,
        f1_near=near,
        made_per_true=n_found / max(n_true, 1),
    )


def window_errors(truth: Boundaries, found: Boundaries) -> tuple[float, float]:
    """Pk (Beeferman et al. 1999) and WindowDiff (Pevzner and Hearst 2002) of one talk.

    Both slide a window of half the mean true segment over the lines: the share of windows for which truth and found disagree
    whether its ends lie in one segment, and how many boundaries it holds.
    """
    n_lines = len(truth)
    width = max(1, round(n_lines / (int(truth.sum()) + 1) / 2))
    if n_lines <= width:
        return 0.0, 0.0
    counts = [np.cumsum(one)[width:] - np.cumsum(one)[:-width] for one in (truth, found)]
    return float(np.mean((counts[0] > 0) != (counts[1] > 0))), float(np.mean(counts[0] != counts[1]))


def n_matched(truth: Boundaries, found: Boundaries, tolerance: int) -> int:
    """How many boundaries can be paired one to one at most `tolerance` lines apart (in order, which for points on a line is best)."""
    true_places, count = list(np.flatnonzero(truth)), 0
    for place in np.flatnonzero(found):
        while true_places and true_places[0] < place - tolerance:
            del true_places[0]
        if true_places and true_places[0] <= place + tolerance:
            del true_places[0]
            count += 1
    return count
