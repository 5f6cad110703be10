"""The reader while it learns, and that what it has learnt is what runs."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.mpnet_reader import WEIGHTS, pair_tokens, started_reader
from models.text_model import Tokeniser, read_safetensors
from models.weights import path_of
from stages.recall.mpnet_reader import ADAPTER
from tools.fit_examples import Example, examples
from tools.fit_fact_support import grown
from tools.fit_reader import apart, weighed
from tools.reader_net import Lesson, ReaderNet, averaged, known, learnt, logits_of
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


@pytest.mark.slow
def test_what_was_learnt_is_what_runs(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mpnet", ".verified"):
        (tmp_path / name).symlink_to(weights / name)
    # In the folder that all use it would take the place of the reader that there is.
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path))
    tokeniser = Tokeniser(path_of(WEIGHTS[1]), max_tokens=None)
    asked = [("Which animal was it?", word) for word in _ANIMALS] + [("Which colour was it?", word) for word in _COLOURS]
    texts = [(question, "", f"It was {word}, I think.") for question, _ in asked for _, word in asked]
    right = [(word in _ANIMALS) == ("animal" in question) for question, _, text in texts for word in [text.split()[2].strip(",")]]
    pairs = [pair_tokens(tokeniser, *text) for text in texts]

    def easy(number: int) -> Lesson:
        places = random.Random(number).sample(range(len(pairs)), 16)
        return [pairs[place] for place in places], [right[place] for place in places]

    net = learnt(ReaderNet(read_safetensors(path_of(WEIGHTS[0]))), lambda _: (pairs, right), easy, rounds=1, rate=2e-3)
    logits = logits_of(net, pairs)
    assert logits[right].min() > logits[np.logical_not(right)].max()
    adapter = tmp_path / "reader.npz"
    np.savez(adapter, allow_pickle=False, **net.adapter())
    reader = started_reader(adapter)
    scores = np.concatenate([reader.scores([(question, "", line)]) for question, _, line in texts])
    assert np.corrcoef(scores, logits)[0, 1] > 0.98


class Listed(nn.Module):
    """A net of one number that notes what it was taught, by the first tokens of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(()))
        self.steps: list[list[int]] = []

    def forward(self, tokens: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        assert tokens.shape == types.shape == mask.shape
        self.steps.append(tokens[:, 0].tolist())
        return self.number.expand(len(tokens))


@pytest.mark.parametrize(("n_pairs", "n_easy"), [(32 * 4, 24), (32 * 20, 90)])
def test_three_of_four_of_the_first_120_steps_are_easy_and_every_hard_pair_comes_once_a_round(n_pairs: int, n_easy: int) -> None:
    def lesson(number: int) -> Lesson:
        return [([1000 * (number + 1) + place], [0]) for place in range(n_pairs)], [True] * n_pairs

    net = learnt(Listed(), lesson, lambda number: ([([number], [0])], [True]), rounds=2, rate=0.01)
    easy = [place for place, step in enumerate(net.steps) if step[0] < 1000]
    assert easy == [place for place in range(len(net.steps)) if place < 120 and place % 4]
    assert [net.steps[place] for place in easy] == [[number] for number in range(n_easy)]
    hard = [step for step in net.steps if step[0] >= 1000]
    for number in range(2):
        of_round = [token for step in hard if step[0] // 1000 == number + 1 for token in step]
        assert sorted(of_round) == [1000 * (number + 1) + place for place in range(n_pairs)]
    assert net.number > 0.0
    assert not net.training


def test_a_net_that_has_learnt_goes_on_without_easy_steps_and_part_of_what_it_learns_is_kept() -> None:
    pairs: Lesson = ([([place], [0]) for place in range(64)], [True] * 64)
    net = learnt(Listed(), lambda _: pairs, lambda number: ([([number], [0])], [True]), rounds=1, rate=0.01)
    before = known(net)
    n_steps = len(net.steps)
    net = learnt(net, lambda _: pairs, None, rounds=3, rate=0.01)
    assert len(net.steps) == n_steps + 3 * 2
    after = net.number.item()
    assert after > before["number"].item() > 0.0
    assert averaged(net, before, 0.25).number.item() == pytest.approx(0.25 * after + 0.75 * before["number"].item())


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
