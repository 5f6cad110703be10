"""The trees of facts: their examples from generated rooms, and trees as the library grows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.recall.boosted_trees import BoostedTrees
from stages.recall.fact_features import NAMES
from tools.fit_examples import examples, told_at_length
from tools.fit_fact_support import grown, held_out, table
from tools.recall_rooms import made_room
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import topics


@pytest.mark.usefixtures("weights")
def test_trees_learn_from_rooms_and_are_read_as_they_were_grown(tmp_path: Path) -> None:
    with RecallOfRooms(Path("configs/replay.yaml")) as recalls:
        rows = list(examples(recalls, topics(), range(1000, 1004), tmp_path))
    assert {"fact", "fact never told"} <= {example.kind for example in rows}
    for example in rows:
        assert example.rows.shape == (len(example.right), len(NAMES))
        assert example.right.any() == (example.kind not in {"fact of no such topic", "fact never told"})
    trees = grown(rows, n_trees=20)
    right = np.concatenate([trees.log_odds(example.rows)[example.right] for example in rows])
    wrong = np.concatenate([trees.log_odds(example.rows)[~example.right & ~example.related] for example in rows])
    assert np.median(right) > np.quantile(wrong, 0.95)
    path = tmp_path / "trees.json"
    path.write_text(trees.to_json(), encoding="utf-8")
    assert np.array_equal(BoostedTrees.read(path).log_odds(rows[0].rows), trees.log_odds(rows[0].rows))
    judged = held_out(rows)
    assert len(judged) == len(rows)
    assert "| 0.0 | fact | " in table(judged)


def test_a_room_told_at_length_still_tells_its_facts() -> None:
    room = made_room(1001)
    longer = told_at_length(room)
    assert [line.key for line in longer.said] == [line.key for line in room.said]
    other = {line.key: line.text for line in longer.said}
    assert sum(other[line.key] != line.text for line in room.said) > len(room.said) / 4
    for fact in room.told:
        for line in fact.true_lines(room):
            assert fact.value.lower() in other[line.key].lower()
