"""The reader while it learns, and that what it has learnt is what runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.minilm_reader import WEIGHTS, pair_tokens, started_reader
from models.text_model import Tokeniser, read_safetensors
from models.weights import path_of
from stages.recall.minilm_reader import ADAPTER
from tools.fit_examples import Example, examples
from tools.fit_fact_support import grown
from tools.fit_reader import apart, weighed
from tools.reader_net import ReaderNet, learnt, logits_of
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import FITTED, left_out, topics

_ANIMALS = ("dog", "cat", "horse", "rabbit", "goat", "duck", "mouse", "pony")
_COLOURS = ("red", "blue", "green", "yellow", "black", "white", "brown", "grey")


@pytest.fixture(scope="module")
def rows(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    assert weights.is_dir()
    with RecallOfRooms(Path("configs/replay.yaml")) as recalls:
        return list(examples(recalls, topics(FITTED), range(5000, 5008), tmp_path_factory.mktemp("rooms")))


def test_topics_are_kept_apart(rows: list[Example]) -> None:
    seen, left = apart(rows)
    assert left
    assert {example.topic for example in seen}.isdisjoint(example.topic for example in left)
    assert len(seen) + len(left) == len(rows)
    assert left_out() < {topic.name for topic in topics(FITTED)}


@pytest.mark.usefixtures("weights")
def test_what_was_learnt_is_what_runs(tmp_path: Path) -> None:
    tokeniser = Tokeniser(path_of(WEIGHTS[1]), max_tokens=None)
    asked = [("Which animal was it?", word) for word in _ANIMALS] + [("Which colour was it?", word) for word in _COLOURS]
    texts = [(question, "", f"It was {word}, I think.") for question, _ in asked for _, word in asked]
    right = [(word in _ANIMALS) == ("animal" in question) for question, _, text in texts for word in [text.split()[2].strip(",")]]
    pairs = [pair_tokens(tokeniser, *text) for text in texts]
    net = learnt(ReaderNet(read_safetensors(path_of(WEIGHTS[0]))), lambda _: (pairs, right), rounds=2, rate=2e-3)
    logits = logits_of(net, pairs)
    assert logits[right].min() > logits[np.logical_not(right)].max()
    adapter = tmp_path / "reader.npz"
    np.savez(adapter, allow_pickle=False, **net.adapter())
    reader = started_reader(adapter)
    scores = np.concatenate([reader.scores(question, [("", line)]) for question, _, line in texts])
    assert np.corrcoef(scores, logits)[0, 1] > 0.98


@pytest.mark.usefixtures("weights")
def test_a_reader_goes_on_from_what_was_learnt_before_with_a_lower_rank_too() -> None:
    with np.load(ADAPTER, allow_pickle=False) as file:
        known = {name: file[name] for name in file.files}
    for name in known:
        if name.endswith(".down"):
            known[name] = known[name][:5]
        elif name.endswith(".up"):
            known[name] = known[name][:, :5]
    net = ReaderNet(read_safetensors(path_of(WEIGHTS[0])))
    net.go_on_from(known)
    found = net.adapter()
    assert found.keys() == known.keys()
    changed = [name.removesuffix(".up") for name in known if name.endswith(".up")]
    assert len(changed) == 36
    for name in changed:
        before, now = (adapter[f"{name}.up"].astype(float) @ adapter[f"{name}.down"].astype(float) for adapter in (known, found))
        assert np.abs(before).max() > 0.0
        assert np.allclose(before, now, atol=1e-6)
    assert all(np.array_equal(found[name], tensor) for name, tensor in known.items() if not name.endswith((".up", ".down")))


def test_how_much_a_reader_counts_is_found_on_topics_apart(rows: list[Example]) -> None:
    seen, left = apart(rows)
    trees = grown(seen, n_trees=10)
    fit, judged = weighed(left, trees, started_reader(ADAPTER), 0.5)
    assert min(fit.weights[:3]) >= 0.0
    assert [example for example, _ in judged] == left
    for example, odds in judged:
        alone = trees.log_odds(example.rows)
        assert odds.shape == alone.shape
        assert fit.in_doubt(float(alone.max())) or (odds == alone).all()
