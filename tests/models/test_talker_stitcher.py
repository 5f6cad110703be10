"""Talkers keep their names from window to window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.talker_stitcher import Activity, TalkerStitcher

HOP, WINDOW, LAG = 20, 200, 40


def _windows(truth: np.ndarray, order: list[tuple[int, ...]]) -> list[tuple[int, np.ndarray]]:
    """Windows over true activity (talkers, steps), each under local names in an order of its own."""
    ends = [*range(2 * HOP, truth.shape[1], HOP), truth.shape[1]]
    windows = []
    for number, end in enumerate(ends):
        first = max(0, end - WINDOW)
        local = np.zeros((end - first, 3), dtype=np.float32)
        for row, column in enumerate(order[number % len(order)][: len(truth)]):
            local[:, column] = truth[row, first:end]
        windows.append((first, local))
    return windows


def _stitched(truth: np.ndarray, order: list[tuple[int, ...]]) -> tuple[list[Activity], TalkerStitcher]:
    stitcher = TalkerStitcher(0.3, LAG)
    out = [stitcher.push(first, local) for first, local in _windows(truth, order)]
    return [*out, stitcher.flush()], stitcher


def _whole(parts: list[Activity], n_steps: int) -> dict[int, np.ndarray]:
    whole: dict[int, np.ndarray] = {}
    for part in parts:
        for row, talker in enumerate(part.talkers):
            whole.setdefault(talker, np.zeros(n_steps, dtype=bool))[part.first : part.first + part.active.shape[1]] = part.active[row]
    return whole


def test_two_who_take_turns_and_overlap_keep_their_numbers_though_every_window_names_them_anew() -> None:
    truth = np.zeros((2, 600), dtype=np.float32)
    truth[0, 10:150] = truth[0, 250:420] = 1
    truth[1, 130:300] = truth[1, 400:560] = 1
    parts, _ = _stitched(truth, [(0, 1), (2, 0), (1, 2)])
    whole = _whole(parts, 600)
    assert sorted(whole) == [10, 130]
    assert np.array_equal(whole[10], truth[0] > 0)
    assert np.array_equal(whole[130], truth[1] > 0)


def test_who_comes_back_after_a_whole_window_is_somebody_new() -> None:
    truth = np.zeros((1, 700), dtype=np.float32)
    truth[0, 20:80] = truth[0, 450:500] = 1
    parts, stitcher = _stitched(truth, [(0,)])
    assert sorted(_whole(parts, 700)) == [20, 450]
    assert len(stitcher.talkers) <= 1


def test_a_blip_of_two_steps_is_nobody() -> None:
    truth = np.zeros((1, 300), dtype=np.float32)
    truth[0, 100:102] = 1
    parts, _ = _stitched(truth, [(0,)])
    assert _whole(parts, 300) == {}


def test_nothing_is_final_before_the_lag_has_passed() -> None:
    stitcher = TalkerStitcher(0.3, LAG)
    activity = np.ones((2 * HOP, 3), dtype=np.float32)
    assert stitcher.push(0, activity).active.shape[1] == 0
    final = stitcher.push(0, np.ones((3 * HOP, 3), dtype=np.float32))
    assert (final.first, final.active.shape[1]) == (0, 3 * HOP - LAG)


@pytest.mark.parametrize("lag", [0, LAG])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_step_is_final_once_and_no_name_comes_back(lag: int, data: st.DataObject) -> None:
    n_steps = data.draw(st.integers(2 * HOP, 500))
    seed = data.draw(st.integers(0, 2**31))
    generator = np.random.default_rng(seed)
    stitcher = TalkerStitcher(0.5, lag)
    parts: list[Activity] = []
    known: set[int] = set()
    gone: set[int] = set()
    for end in [*range(2 * HOP, n_steps, HOP), n_steps]:
        first = max(0, end - WINDOW)
        blocks = generator.random((3, (end - first) // 10 + 1)) ** 2
        parts.append(stitcher.push(first, np.repeat(blocks, 10, axis=1)[:, : end - first].T.astype(np.float32)))
        assert not gone & (stitcher.talkers | set(parts[-1].talkers))
        known |= stitcher.talkers
        gone |= known - stitcher.talkers
        assert len(stitcher.talkers) <= 3 + WINDOW // HOP * 3
    parts.append(stitcher.flush())
    edge = 0
    for part in parts:
        assert part.first == edge
        assert part.active.shape[0] == len(part.talkers) == len(set(part.talkers))
        edge += part.active.shape[1]
    assert edge == n_steps
