from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.token_alignment import cheapest_path, token_starts


def cheapest(cost: NDArray[np.float64]) -> float:
    """The cost of the best path, by plain recursion over all cells."""
    total = np.full(cost.shape, np.inf)
    for i in range(cost.shape[0]):
        for j in range(cost.shape[1]):
            before = [total[i - 1, j - 1] if i and j else np.inf, total[i - 1, j] if i else np.inf, total[i, j - 1] if j else np.inf]
            total[i, j] = cost[i, j] + (0 if i == j == 0 else min(before))
    return float(total[-1, -1])


def test_tokens_start_where_attention_moves_on() -> None:
    attention = np.full((2, 4, 100), 0.1)
    for token, (first, last) in enumerate([(0, 20), (20, 45), (45, 80), (80, 100)]):
        attention[:, token, first:last] = 5.0
    attention /= attention.sum(axis=2, keepdims=True)
    assert np.abs(token_starts(attention) - [0, 20, 45, 80]).max() <= 1


@given(st.integers(1, 7), st.integers(1, 9), st.integers(0, 2**16))
def test_the_path_is_the_cheapest_one(n_tokens: int, n_steps: int, seed: int) -> None:
    cost = np.random.default_rng(seed).standard_normal((n_tokens, n_steps))
    path = cheapest_path(cost)
    assert (path[0], path[-1]) == ((0, 0), (n_tokens - 1, n_steps - 1))
    assert all((b[0] - a[0], b[1] - a[1]) in {(1, 1), (1, 0), (0, 1)} for a, b in itertools.pairwise(path))
    assert sum(cost[cell] for cell in path) == pytest.approx(cheapest(cost))
