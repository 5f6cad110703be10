from __future__ import annotations

import itertools
import math

import numpy as np

from models.bearing_assignment import assign


def test_all_together_and_not_one_after_the_other() -> None:
    # The first row is nearest to column 0, but then the second row would have none.
    assert assign([[1.0, 4.0], [2.0, 100.0]], most=50.0) == {0: 1, 1: 0}


def test_what_is_too_far_is_not_paired() -> None:
    assert assign([[60.0, math.inf]], most=50.0) == {}
    assert assign([[1.0, 2.0], [math.inf, math.inf]], most=50.0) == {0: 0}
    assert assign([], most=50.0) == {}


def test_it_is_the_best_of_all_ways() -> None:
    random = np.random.default_rng(3)
    for _ in range(40):
        costs = random.uniform(0.0, 80.0, (3, 4))

        def gain(ways: dict[int, int], costs: np.ndarray = costs) -> float:
            return float(sum(50.0 - costs[row][column] for row, column in ways.items()))

        best = max(
            gain({row: column for row, column in enumerate(order) if costs[row][column] < 50.0})
            for order in itertools.permutations(range(4), 3)
        )
        found = assign(costs.tolist(), most=50.0)
        assert len(set(found.values())) == len(found)
        assert abs(gain(found) - best) < 1e-9
