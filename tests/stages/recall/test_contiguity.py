from __future__ import annotations

import numpy as np
import pytest

from stages.recall.contiguity import REACH_S, closeness, gaps_between_s, gaps_s, likeness, meanings, presence, times_ns
from tests.stages.recall.line_rows import line_row


def test_gaps_are_seconds_between_lines_and_closeness_falls_with_them() -> None:
    lines = [line_row("a", 0.0), line_row("b", 40.0), line_row("c", 40.0), line_row("d", 400.0)]
    gaps = gaps_s(lines)
    assert gaps[1, 2] == 0.0
    assert gaps[0, 1] == pytest.approx((lines[1].start_ns - lines[0].end_ns) / 1e9)
    assert np.array_equal(gaps, gaps.T)
    near = closeness(gaps, 10.0)
    assert near[1, 2] == 1.0
    assert near[0, 1] == pytest.approx(np.exp(-gaps[0, 1] / 10.0), rel=1e-5)
    assert gaps[0, 3] > REACH_S
    assert near[0, 3] == 0.0


def test_long_lines_say_more_of_what_is_talked_about_than_short_ones() -> None:
    near = np.ones((2, 2), dtype=np.float32)
    vectors = np.eye(2, dtype=np.float32)
    around = meanings(near, vectors, np.array([1.0, 400.0], dtype=np.float32))
    assert around[0] == pytest.approx(np.array([1.0, 40.0]) / np.hypot(1.0, 40.0))


def test_a_term_counts_once_by_its_rarity() -> None:
    near = np.ones((2, 2), dtype=np.float32)
    has = np.array([[1, 0], [1, 0]], dtype=np.float32)
    assert presence(near, has, np.array([1.0, 3.0], dtype=np.float32)) == pytest.approx([0.25, 0.25])


def test_conversations_of_one_length_are_worked_out_together_as_each_alone() -> None:
    talks = [[line_row("a", 0.0), line_row("b", 9.0)], [line_row("c", 3.0), line_row("d", 70.0)]]
    starts_ns, ends_ns = (np.stack(times) for times in zip(*map(times_ns, talks), strict=True))
    gaps = gaps_between_s(starts_ns, ends_ns)
    generator = np.random.default_rng(3)
    vectors = generator.standard_normal((2, 2, 8)).astype(np.float32)
    asked = generator.standard_normal(8).astype(np.float32)
    asked /= np.linalg.norm(asked)
    n_words = np.array([[3.0, 60.0], [12.0, 1.0]], dtype=np.float32)
    near = closeness(gaps, 10.0)
    found = likeness(near, vectors @ asked, vectors @ vectors.swapaxes(-1, -2), n_words)
    for place, talk in enumerate(talks):
        assert np.array_equal(gaps[place], gaps_s(talk))
        around = meanings(closeness(gaps_s(talk), 10.0), vectors[place], n_words[place])
        assert found[place] == pytest.approx(around @ asked, abs=1e-6)


def test_what_means_nothing_is_like_nothing() -> None:
    near, nothing = np.ones((2, 2), dtype=np.float32), np.zeros((2, 2), dtype=np.float32)
    assert likeness(near, nothing[0], nothing, np.ones(2, dtype=np.float32)).tolist() == [0.0, 0.0]
