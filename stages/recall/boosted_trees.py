"""Gradient-boosted regression trees (Friedman 2001), read and evaluated; `tools/fit_fact_support.py` grows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class BoostedTrees:
    """Trees whose sum is a log-odds. All arrays have shape (n_trees, n_nodes); node 0 is the root of each tree.

    `feature` int32: what a node splits on, -1 for a leaf; `threshold` float64: up to it a row goes `left`, else `right` (int32, places of
    nodes); `value` float64: of the leaves. `bias` is added to the sum.
    """

    names: tuple[str, ...]
    bias: float
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]

    def log_odds(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Float64, shape (n,), for rows of shape (n, n_features)."""
        trees = np.arange(len(self.feature))[None, :]
        at: npt.NDArray[np.intp] = np.zeros((len(rows), len(self.feature)), dtype=np.intp)
        number = np.arange(len(rows))[:, None]
        while True:
            feature = self.feature[trees, at]
            inner = feature >= 0
            if not inner.any():
                total: npt.NDArray[np.float64] = self.bias + self.value[trees, at].sum(axis=1)
                return total
            goes_left = rows[number, np.maximum(feature, 0)] <= self.threshold[trees, at]
            at = np.where(inner, np.where(goes_left, self.left[trees, at], self.right[trees, at]), at)

    def to_json(self) -> str:
        """One tree a line: its nodes as [feature, threshold, left, right] or [value]."""
        trees = []
        for number, features in enumerate(self.feature):
            nodes: list[list[float]] = []
            for place, feature in enumerate(features):
                if feature < 0:
                    nodes.append([float(self.value[number, place])])
                    continue
                goes = [int(self.left[number, place]), int(self.right[number, place])]
                nodes.append([int(feature), float(self.threshold[number, place]), *goes])
            trees.append(json.dumps(nodes))
        head = f'{{"names": {json.dumps(list(self.names))},\n "bias": {self.bias!r},\n "trees": [\n'
        return head + ",\n".join(trees) + "\n]}\n"

    @classmethod
    def leaves(cls, names: tuple[str, ...], bias: float, shape: tuple[int, int]) -> BoostedTrees:
        """Trees of shape (n_trees, n_nodes) whose nodes are all leaves of value 0, to be filled."""
        return cls(
            names=names,
            bias=bias,
            feature=np.full(shape, -1, dtype=np.int32),
            threshold=np.zeros(shape),
            left=np.zeros(shape, dtype=np.int32),
            right=np.zeros(shape, dtype=np.int32),
            value=np.zeros(shape),
        )

    @classmethod
    def read(cls, path: Path) -> BoostedTrees:
        """Trees from a file that `to_json` wrote. Raises ValueError where it is none."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            trees = found["trees"]
            shape = (len(trees), max(len(nodes) for nodes in trees))
            made = cls.leaves(tuple(found["names"]), float(found["bias"]), shape)
            for number, nodes in enumerate(trees):
                for place, node in enumerate(nodes):
                    if len(node) == 1:
                        made.value[number, place] = node[0]
                    else:
                        made.feature[number, place], made.threshold[number, place] = node[0], node[1]
                        made.left[number, place], made.right[number, place] = node[2], node[3]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ValueError(f"{path}: not a file of boosted trees: {error}") from error
        return made
