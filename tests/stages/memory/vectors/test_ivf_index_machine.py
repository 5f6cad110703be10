"""The index for large memories, its log included, against vectors in a dictionary: removed, trained, cut off, opened anew."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.packets import Float32Array
from stages.memory.vectors.ivf_index import IvfIndex
from stages.memory.vectors.vector_index import REMOVED, Batch

DIMENSION = 16
FIRST_TRAINING = 60
NEAR = 0.12
"""What a byte a number may cost after a training on so few: later vectors reach farther than those."""


class Index(RuleBasedStateMachine):
    """`table` plays the database: what is there, and which rows were removed, by serial number."""

    @initialize(seed=st.integers(0, 5))
    def begin(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self.folder = Path(tempfile.mkdtemp(prefix="echoic-index-"))
        self.table: dict[int, Float32Array] = {}
        self.removed: list[int] = []
        self.next_row = 1
        self.index = self._opened()

    @rule(count=st.integers(1, 30), skipped=st.integers(0, 3))
    def add(self, count: int, skipped: int) -> None:
        self.next_row += skipped
        for vector in self._vectors(count):
            self.table[self.next_row] = vector
            self.next_row += 1
        self._follow()

    @precondition(lambda self: self.table)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = data.draw(st.lists(st.sampled_from(sorted(self.table)), min_size=1, max_size=9, unique=True))
        for row in gone:
            del self.table[row]
            self.removed.append(row)

    @rule()
    def train(self) -> None:
        self._follow()
        self.index.tend()

    @rule()
    def save(self) -> None:
        self._follow()
        self.index.save()

    @rule(is_saved=st.booleans())
    def open_anew(self, is_saved: bool) -> None:
        """What was not saved is gone; the database has it."""
        if is_saved:
            self.save()
        self.index = self._opened()

    @precondition(lambda self: (self.folder / "vectors.ivf").is_file())
    @rule(share=st.floats(0.0, 1.0), is_cut=st.booleans())
    def damage(self, share: float, is_cut: bool) -> None:
        path = self.folder / "vectors.ivf"
        data = bytearray(path.read_bytes())
        place = min(int(share * len(data)), len(data) - 1)
        if is_cut or not data:
            del data[place:]
        else:
            data[place] ^= 1 << (place % 8)
        path.write_bytes(data)
        self.index = self._opened()

    @rule(data=st.data(), k=st.integers(1, 12), is_allowed=st.booleans())
    def search(self, data: st.DataObject, k: int, is_allowed: bool) -> None:
        self._follow()
        some = sorted(self.table)[:: data.draw(st.integers(1, 4))]
        query = self._vectors(1)[0]
        allowed = np.array(some, dtype=np.int64) if is_allowed else None
        excluded = None if is_allowed else np.array(some, dtype=np.int64)[::2]
        may = {row for row in self.table if (allowed is None or row in some) and (excluded is None or row not in excluded)}
        found = self.index.search(query, k, excluded, allowed)
        assert len(found) == min(k, len(may))
        assert {row for row, _ in found} <= may
        true = {row: float(self.table[row] @ query) for row in may}
        best = sorted(true.values(), reverse=True)[: len(found)]
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        near = NEAR if self.index._trained_rows else 1e-5
        np.testing.assert_allclose([score for _, score in found], [true[row] for row, _ in found], atol=near)
        np.testing.assert_allclose([score for _, score in found], best, atol=near)

    @invariant()
    def it_is_the_table(self) -> None:
        if hasattr(self, "index"):
            self._follow()
            assert self.index.n_rows == len(self.table)
            assert self.index.differences(self._batches(0)) == 0

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def _vectors(self, count: int) -> Float32Array:
        vectors = self.generator.standard_normal((count, DIMENSION)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _opened(self) -> IvfIndex:
        kind: Literal["ivf_sq8"] = "ivf_sq8"
        index = IvfIndex(self.folder, kind, DIMENSION, first_training=FIRST_TRAINING)
        index.open(self._stored)
        return index

    def _stored(self, row: int) -> Batch | None:
        if row in self.table:
            return Batch(np.array([row], dtype=np.int64), self.table[row][None, :])
        return REMOVED if row in self.removed else None

    def _follow(self) -> None:
        """As `LineIndex` does."""
        serial = len(self.removed)
        if serial > self.index.removed_to:
            self.index.remove(np.array(self.removed[self.index.removed_to :], dtype=np.int64))
            self.index.removed_to = serial
        self.index.catch_up(self._batches(self.index.last_row))

    def _batches(self, after: int) -> Iterator[Batch]:
        rows = [row for row in sorted(self.table) if row > after]
        for first in range(0, len(rows), 50):
            part = rows[first : first + 50]
            yield Batch(np.array(part, dtype=np.int64), np.stack([self.table[row] for row in part]))


TestIndex = Index.TestCase
TestIndex.settings = settings(
    max_examples=200, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
