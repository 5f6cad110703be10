from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.packets import Float32Array
from stages.memory.short_term import ShortTermError, ShortTermStore


def unit(*numbers: float) -> Float32Array:
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


directions = st.integers(0, 11).map(lambda step: unit(np.cos(step), np.sin(step), 0.2))


class ShortTermMachine(RuleBasedStateMachine):
    """Whatever happens: bounded, nothing lost, nothing doubled, usage a share."""

    @initialize(capacity=st.integers(2, 5))
    def begin(self, capacity: int) -> None:
        self.capacity = capacity
        self.store = ShortTermStore(capacity)
        self.given: set[str] = set()
        self.left: list[str] = []

    @rule(vector=directions)
    def take(self, vector: Float32Array) -> None:
        key = f"line-{len(self.given)}"
        self.given.add(key)
        self.left += [leaving.key for leaving in self.store.take(key, vector)]

    @rule(vector=directions)
    def ask(self, vector: Float32Array) -> None:
        before = [trace.key for trace in self.store.traces]
        self.store.rehearse(vector)
        assert [trace.key for trace in self.store.traces] == before

    @rule()
    def clear(self) -> None:
        self.left += [leaving.key for leaving in self.store.clear()]
        assert self.store.traces == ()

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "store"):
            return
        traces = self.store.traces
        assert len(traces) <= self.capacity
        assert sorted([*self.left, *(trace.key for trace in traces)]) == sorted(self.given)
        assert all(0.0 <= trace.usage <= 1.0 for trace in traces)
        assert all(abs(float(np.linalg.norm(trace.vector)) - 1.0) < 1e-5 for trace in traces)


TestShortTermMachine = ShortTermMachine.TestCase
TestShortTermMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_usage_is_uses_over_lifetime() -> None:
    store = ShortTermStore(4)
    store.take("a", unit(1, 0))
    store.take("b", unit(0, 1))
    store.rehearse(unit(1, 0))
    first, second = store.traces
    assert [first.usage, second.usage] == pytest.approx([0.5, 0.0])


def test_the_most_alike_neighbours_merge_and_the_more_used_stays() -> None:
    store = ShortTermStore(3)
    store.take("a", unit(1, 0, 0))
    store.take("b", unit(1, 0.1, 0))
    store.take("c", unit(0, 0, 1))
    store.rehearse(unit(1, 0.1, 0))
    (leaving,) = store.take("d", unit(0, 1, 0))
    assert leaving.key == "b"
    assert [(trace.key, trace.n_lines) for trace in store.traces] == [("a", 2), ("c", 1), ("d", 1)]
    merged = store.traces[0].vector
    assert float(merged @ unit(1, 0.05, 0)) == pytest.approx(1.0, abs=1e-4)


def test_bad_settings_and_doubled_lines_are_refused() -> None:
    with pytest.raises(ShortTermError, match="capacity must be at least 2, found 1"):
        ShortTermStore(1)
    store = ShortTermStore(2)
    store.take("a", unit(1, 0))
    with pytest.raises(ShortTermError, match="line 'a' is there already"):
        store.take("a", unit(0, 1))
