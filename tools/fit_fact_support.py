"""Grow the trees that tell whether a line answers a question for a fact (stages/recall/fact_support.py), and measure them.

    python -m tools.fit_fact_support [--rooms 600] [--first-seed 1000] [--config configs/replay.yaml] [--least 0.85] [--out FILE]

Questions for facts to generated rooms on the topics of tools/fit_scripts, answerable and not; a row is a line that was found, true where it
answers. The trees are boosted with scikit-learn, with likeness and words bound to count for a line, never against it. Printed is what comes
of five groups of topics, each judged by trees that saw the other four: how many questions are answered rightly, wrongly, and refused, by
the least log-odds of an answer.
Trees are kept for the graph's encoder (`stages/recall/encoder_fits.py`), moved so that an answer has log-odds of 0 or more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from stages.recall.boosted_trees import BoostedTrees
from stages.recall.encoder_fits import fact_file
from stages.recall.fact_features import NAMES
from tools.fit_examples import KINDS, Example, Rows, examples
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import FITTED, topics

LEAST = 0.85
"""The log-odds from which on a line is an answer: 5 % of all answers to rooms on the topics of tools/recall_scripts are wrong then."""
_FOLDS = 5
_DIGITS = 4
# Whether more of a feature may only count for a line (1) or only against it (-1).
_DIRECTIONS = {
    "cosine": 1, "cosine of the question before": 1, "centre of the stretch": 1, "words": 1,
    "words with the question before": 1, "words beside": 1, "words around": 1,
    "holds the kind": 1, "lacks the kind": -1, "measure fits": 1, "measure differs": -1, "is a question": -1,
    "below the best cosine": 1, "below the best score": 1,
}  # fmt: skip


def grown(rows: Sequence[Example], n_trees: int = 120) -> BoostedTrees:
    """Trees that tell right lines; those that are only related are left out. Raises RuntimeError where they can't be carried over."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    inputs = np.concatenate([example.rows[~example.related] for example in rows])
    right = np.concatenate([example.right[~example.related] for example in rows])
    model = HistGradientBoostingClassifier(
        max_depth=4,
        max_iter=n_trees,
        learning_rate=0.07,
        l2_regularization=5.0,
        min_samples_leaf=60,
        monotonic_cst=[_DIRECTIONS.get(name, 0) for name in NAMES],
        early_stopping=False,
        random_state=0,
    ).fit(inputs, right)
    # The library has no public way to read the trees: what is read here is checked against what the model says.
    nodes = [predictors[0].nodes for predictors in model._predictors]
    shape = (len(nodes), max(len(tree) for tree in nodes))
    trees = BoostedTrees.leaves(NAMES, round(float(model._baseline_prediction.item()), _DIGITS), shape)
    for number, tree in enumerate(nodes):
        inner = np.flatnonzero(tree["is_leaf"] == 0)
        leaves = np.flatnonzero(tree["is_leaf"])
        trees.feature[number, inner] = tree["feature_idx"][inner]
        trees.threshold[number, inner] = np.round(tree["num_threshold"][inner], _DIGITS)
        trees.left[number, inner], trees.right[number, inner] = tree["left"][inner], tree["right"][inner]
        trees.value[number, leaves] = np.round(tree["value"][leaves], _DIGITS)
    expected = model.decision_function(inputs)
    if np.quantile(np.abs(trees.log_odds(inputs) - expected), 0.95) > 0.05:
        raise RuntimeError("the trees of this scikit-learn are kept in another form than this tool reads")
    return trees


def moved(trees: BoostedTrees, least: float) -> BoostedTrees:
    """Trees whose log-odds are 0 where those of `trees` are `least`."""
    return replace(trees, bias=round(trees.bias - least, _DIGITS))


def held_out(rows: Sequence[Example]) -> list[tuple[Example, Rows]]:
    """Each example with the log-odds of its lines by trees that saw no question on its topic."""
    names = sorted({example.topic for example in rows})
    np.random.default_rng(0).shuffle(names)
    fold = {name: place % _FOLDS for place, name in enumerate(names)}
    judged = []
    for number in range(_FOLDS):
        trees = grown([example for example in rows if fold[example.topic] != number])
        judged += [(example, trees.log_odds(example.rows)) for example in rows if fold[example.topic] == number]
    return judged


def table(judged: Sequence[tuple[Example, Rows]]) -> str:
    """What comes of each least log-odds, as Markdown."""
    lines = ["| least log-odds | kind | questions | right | wrong | refused |", "|---:|---|---:|---:|---:|---:|"]
    for least in np.arange(-2.0, 1.6, 0.5):
        for kind in sorted(KINDS):
            outcomes = [_outcome(example, odds, float(least)) for example, odds in judged if example.kind == kind]
            if outcomes:
                shares = " | ".join(f"{outcomes.count(name) / len(outcomes):.2f}" for name in ("right", "wrong", "refused"))
                lines.append(f"| {least:.1f} | {kind} | {len(outcomes)} | {shares} |")
    return "\n".join(lines)


def _outcome(example: Example, odds: Rows, least: float) -> str:
    if not len(odds) or odds.max() < least:
        return "refused"
    best = int(odds.argmax())
    return "right" if example.right[best] or example.related[best] else "wrong"


def main() -> None:
    """Parse options, collect, measure, grow, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=600)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--config", type=Path, default=Path("configs/replay.yaml"))
    parser.add_argument("--least", type=float, default=LEAST, help="the log-odds from which on a line is an answer")
    parser.add_argument("--out", type=Path, help="the file of trees; default: that of the graph's encoder")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.rooms)
    with tempfile.TemporaryDirectory() as folder, RecallOfRooms(options.config) as recalls:
        rows = [example for example in examples(recalls, topics(FITTED), seeds, Path(folder)) if len(example.rows)]
        out = options.out or fact_file(recalls.encoder.name)
    sys.stdout.write(f"{len(rows)} questions to {len(seeds)} rooms, by five groups of topics:\n\n{table(held_out(rows))}\n")
    trees = grown(rows)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(moved(trees, options.least).to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
