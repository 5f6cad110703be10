"""Windows on a grid of the session clock."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.packets import NS_PER_S
from stages.sound.step_grid import StepGrid

HOP, WINDOW = 480, 975


def taken(first_frame: int, n_frames: int, block: int) -> dict[int, np.ndarray]:
    """Windows by step of the samples `first_frame`, `first_frame` + 1, ... as float32 numbers."""
    grid = StepGrid(1000, HOP, WINDOW)
    out = {}
    samples = np.arange(first_frame, first_frame + n_frames, dtype=np.float32)
    for start in range(0, n_frames, block):
        pts_ns = (first_frame + start) * NS_PER_S // 1000
        assert grid.continues(pts_ns)
        out.update({window.step: window.samples for window in grid.push(pts_ns, samples[start : start + block])})
    out.update({window.step: window.samples for window in grid.flush()})
    return out


@pytest.mark.parametrize("block", [1, 100, 480, 5000])
def test_windows_begin_at_multiples_of_the_hop_whatever_the_blocks(block: int) -> None:
    windows = taken(0, 2000, block)
    assert list(windows) == [0, 1, 2, 3, 4]
    assert (windows[1] == np.arange(480, 480 + WINDOW)).all()
    assert (windows[4][: 2000 - 1920] == np.arange(1920, 2000)).all()
    assert (windows[4][2000 - 1920 :] == 0).all()


def test_a_run_that_begins_later_has_the_same_windows_from_there_on() -> None:
    whole, late = taken(0, 4000, 128), taken(1234, 2766, 128)
    assert min(late) == 2
    assert (late[2][: 1234 - 960] == 0).all()
    assert all((late[step] == whole[step]).all() for step in late if step > 2)


def test_it_says_what_follows_and_what_was_heard() -> None:
    assert StepGrid(1000, HOP, WINDOW).is_empty
    grid = StepGrid(1000, HOP, WINDOW)
    assert grid.continues(10**15)
    list(grid.push(NS_PER_S, np.zeros(100, np.float32)))
    assert not grid.is_empty
    assert grid.continues(1_100_000_000)
    assert not grid.continues(1_200_000_000)
    assert (grid.starts_ns, grid.ends_ns) == (NS_PER_S, 1_100_000_000)
    assert grid.step_at(1_000_000_000) == 2
    assert grid.begin_ns(2) == 960_000_000
    assert len(list(grid.flush())) == 1
    grid.reset()
    assert list(grid.flush()) == []
