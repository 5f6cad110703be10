"""Boosted trees: evaluated as they stand, and kept in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.recall.boosted_trees import BoostedTrees

TWO = """{"names": ["a", "b"], "bias": 0.5, "trees": [
[[0, 1.0, 1, 2], [-1.0], [1, 0.25, 3, 4], [2.0], [4.0]],
[[10.0]]
]}"""


def trees(folder: Path, text: str = TWO) -> BoostedTrees:
    path = folder / "trees.json"
    path.write_text(text, encoding="utf-8")
    return BoostedTrees.read(path)


def test_rows_fall_to_their_leaves_and_leaves_are_summed(tmp_path: Path) -> None:
    rows = np.array([[1.0, 9.0], [1.5, 0.25], [1.5, 0.3]])
    assert trees(tmp_path).log_odds(rows).tolist() == [9.5, 12.5, 14.5]


def test_no_rows_have_no_log_odds(tmp_path: Path) -> None:
    assert trees(tmp_path).log_odds(np.zeros((0, 2))).shape == (0,)


def test_a_file_that_was_written_reads_the_same(tmp_path: Path) -> None:
    first = trees(tmp_path)
    again = trees(tmp_path, first.to_json())
    rows = np.random.default_rng(0).normal(size=(50, 2))
    assert again.names == ("a", "b")
    assert again.log_odds(rows).tolist() == first.log_odds(rows).tolist()


@pytest.mark.parametrize("text", ["", "[]", '{"names": [], "bias": 0}', '{"names": [], "bias": 0, "trees": [[[1, 2, 3]]]}'])
def test_another_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"trees\.json: not a file of boosted trees"):
        trees(tmp_path, text)
