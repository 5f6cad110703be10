from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.recall.topic_parts import LEAST_LINES, centre_of, centred, topic_starts, weights_of

COST = 1.5


def _talk(lengths: list[int], *, noise: float = 0.8, dimension: int = 64, seed: int = 0) -> Float32Array:
    """Unit vectors around a direction of their own for each topic."""
    rng = np.random.default_rng(seed)
    made = [rng.normal(size=dimension) * np.ones((n, 1)) + noise * rng.normal(size=(n, dimension)) for n in lengths]
    vectors = np.vstack(made)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _starts(vectors: Float32Array) -> list[int]:
    weights = np.ones(len(vectors))
    return topic_starts(vectors, weights, centre_of(vectors, weights))


@pytest.mark.parametrize("lengths", [[8, 7], [5, 12, 9], [50, 60, 40, 70, 30, 60]])
def test_topics_begin_where_their_lines_do(lengths: list[int]) -> None:
    assert _starts(_talk(lengths)) == list(np.cumsum(lengths)[:-1])


def test_one_topic_and_a_few_lines_are_not_cut() -> None:
    assert _starts(_talk([12])) == []
    assert _starts(_talk([2, 3])) == []
    assert _starts(_talk([1])) == []


def test_where_a_cut_is_nearly_as_good_the_beginning_of_an_event_decides() -> None:
    # Cut in the middle, the parts are 12 long together; the whole is 1.42 shorter, less than a part costs, more than one costs at an event.
    cosine = (12.0 - 1.42) ** 2 / 72.0 - 1.0
    other = np.array([cosine, np.sqrt(1.0 - cosine**2)])
    vectors = np.vstack([np.tile([1.0, 0.0], (6, 1)), np.tile(other, (6, 1))]).astype(np.float32)
    assert topic_starts(vectors, np.ones(12), np.zeros(2)) == []
    assert topic_starts(vectors, np.ones(12), np.zeros(2), [6]) == [6]
    assert topic_starts(vectors, np.ones(12), np.zeros(2), [3]) == []


def test_a_cut_is_the_best_of_all() -> None:
    vectors = _talk([4, 5, 4], noise=2.5, seed=3)
    weights = np.ones(len(vectors))
    units = centred(vectors, centre_of(vectors, weights))

    def cuts() -> Iterator[tuple[int, ...]]:
        for n_cuts in range(5):
            for places in combinations(range(1, len(vectors)), n_cuts):
                if all(end - begin >= LEAST_LINES for begin, end in pairwise((0, *places, len(vectors)))):
                    yield places

    def gain(places: tuple[int, ...]) -> float:
        parts = list(pairwise((0, *places, len(vectors))))
        return sum(float(np.linalg.norm(units[begin:end].sum(axis=0))) for begin, end in parts) - COST * len(parts)

    assert tuple(_starts(vectors)) == max(cuts(), key=gain)


def test_faded_vectors_and_lines_of_few_words_move_no_cut() -> None:
    vectors = _talk([8, 8])
    vectors[3] = 0.0
    assert _starts(vectors) == [8]
    vectors = _talk([8, 1, 7])
    texts = ["so we talked about this for a good long while there"] * 16
    weights = weights_of([*texts[:8], "yes", *texts[9:]])
    assert topic_starts(vectors, weights, centre_of(vectors, weights)) in ([8], [9])
