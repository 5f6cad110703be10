from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.packets import Float32Array
from stages.memory.short_term_store.attention_gate import AttentionGate
from stages.memory.short_term_store.short_term import MOST_LINES, STATE_BYTES, Leaving, ShortTermError, ShortTermStore
from stages.memory.short_term_store.short_term_state import decoded, encoded


def unit(*numbers: float) -> Float32Array:
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


directions = st.integers(0, 11).map(lambda step: unit(np.cos(step), np.sin(step), 0.2))


class ShortTermMachine(RuleBasedStateMachine):
    """Whatever happens: bounded, nothing lost, nothing doubled, usage a share."""

    @initialize(capacity=st.integers(2, 5), most_bytes=st.sampled_from([0, 60, 200, 400]), merge_likeness=st.sampled_from([-1.0, 0.3, 0.9]))
    def begin(self, capacity: int, most_bytes: int, merge_likeness: float) -> None:
        self.bounds = (capacity, most_bytes, merge_likeness)
        self.store = ShortTermStore(*self.bounds)
        self.gate = AttentionGate(0.99, n_recent=3)
        self.given: set[str] = set()
        self.left: list[str] = []
        self.gone: list[str] = []
        self.forgotten: set[str] = set()

    def see(self, leaving: list[Leaving]) -> None:
        self.left += [entry.key for entry in leaving]
        self.gone += [line for entry in leaving if entry.trace is not None for line in entry.trace.lines]
        assert all(0.0 <= entry.usage <= 1.0 for entry in leaving)
        assert all(entry.trace.key == entry.key for entry in leaving if entry.trace is not None)

    @rule(vector=directions)
    def take(self, vector: Float32Array) -> None:
        key = f"line-{len(self.given)}"
        place = self.gate.repeats(vector, self.store.traces)
        before = self.store.traces
        start_ns = len(self.given) * 10
        if place is None:
            self.see(self.store.take(key, vector, start_ns, start_ns + 5))
            assert all(float(trace.vector @ vector) < 0.99 for trace in before[-3:])
        else:
            self.see(self.store.join(key, vector, place, start_ns, start_ns + 5))
            assert len(self.store.traces) <= len(before)
            assert key in self.left
        self.given.add(key)

    @rule(vector=directions)
    def ask(self, vector: Float32Array) -> None:
        before = [trace.key for trace in self.store.traces]
        self.store.rehearse(vector)
        assert [trace.key for trace in self.store.traces] == before

    @rule()
    def clear(self) -> None:
        self.see(self.store.clear())
        assert self.store.traces == ()

    @rule(step=st.integers(1, 7))
    def forget(self, step: int) -> None:
        lines = [line for trace in self.store.traces for line in trace.lines][::step][:1]
        dropped = {trace.key for trace in self.store.traces if set(lines) & set(trace.lines)}
        self.gone += [line for trace in self.store.traces if trace.key in dropped for line in trace.lines]
        leaving = {entry.key for entry in self.store.forget(lines)}
        assert leaving == dropped - set(lines)
        self.left += sorted(dropped)

    @rule()
    def cut(self) -> None:
        state = encoded(self.store.traces)
        assert len(state) == self.store.used_bytes()
        again = ShortTermStore(*self.bounds, traces=decoded(state))
        assert encoded(again.traces) == state
        self.store = again

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "store"):
            return
        traces = self.store.traces
        capacity, most_bytes, _ = self.bounds
        assert len(traces) <= capacity
        assert not most_bytes or self.store.used_bytes() <= max(most_bytes, STATE_BYTES)
        assert sorted([*self.left, *(trace.key for trace in traces)]) == sorted(self.given)
        lines = [*self.gone, *(line for trace in traces for line in trace.lines)]
        assert len(lines) == len(set(lines)), "a line is in one trace at most, there or gone"
        assert set(lines) <= self.given
        for trace in traces:
            assert 0.0 <= trace.usage <= 1.0
            assert abs(float(np.linalg.norm(trace.vector)) - 1.0) < 1e-5
            assert trace.key in trace.lines
            assert 1 <= trace.n_lines <= MOST_LINES
            numbers = [int(line.removeprefix("line-")) for line in trace.lines]
            assert (trace.start_ns, trace.end_ns) == (10 * min(numbers), 10 * max(numbers) + 5)


TestShortTermMachine = ShortTermMachine.TestCase
TestShortTermMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


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


def test_neighbours_that_are_not_alike_do_not_merge_and_the_least_used_leaves() -> None:
    store = ShortTermStore(3, merge_likeness=0.5)
    for key, vector in (("a", unit(1, 0, 0)), ("b", unit(0, 1, 0)), ("c", unit(0, 0, 1))):
        store.take(key, vector)
    store.rehearse(unit(1, 0, 0))
    (leaving,) = store.take("d", unit(1, 0, 0.1))
    assert leaving.trace is not None
    assert (leaving.key, leaving.trace.lines) == ("b", ("b",))
    assert [trace.key for trace in store.traces] == ["a", "c", "d"]


def test_bytes_are_kept_even_where_nothing_fits() -> None:
    one = ShortTermStore(8)
    one.take("a", unit(1, 0))
    two_fit = ShortTermStore(8, most_bytes=2 * one.used_bytes() - STATE_BYTES, merge_likeness=1.0)
    assert two_fit.take("a", unit(1, 0)) == []
    assert two_fit.take("b", unit(0, 1)) == []
    assert [leaving.key for leaving in two_fit.take("c", unit(1, 1))] == ["a"]
    none_fits = ShortTermStore(8, most_bytes=20)
    assert [leaving.key for leaving in none_fits.take("a", unit(1, 0))] == ["a"]
    assert none_fits.used_bytes() == STATE_BYTES


def test_a_repeat_is_part_of_what_it_repeats() -> None:
    store = ShortTermStore(3)
    store.take("a", unit(1, 0), 0, 5)
    store.take("b", unit(0, 1), 10, 15)
    (leaving,) = store.join("c", unit(1, 0.2), 0, 20, 25)
    assert (leaving.key, leaving.trace) == ("c", None)
    assert leaving.usage > 0.4
    assert [(trace.lines, trace.start_ns, trace.end_ns) for trace in store.traces] == [(("a", "c"), 0, 25), (("b",), 10, 15)]
    for n in range(2 * MOST_LINES):
        store.join(f"again-{n}", unit(1, 0.1), 0)
    assert store.traces[0].n_lines == MOST_LINES
    with pytest.raises(ShortTermError, match="line 'c' is there already"):
        store.take("c", unit(1, 0))


@pytest.mark.parametrize(
    ("most_bytes", "merge_likeness", "told"),
    [(-1, 0.0, "bytes must be 0 .no bound. or more, found -1"), (0, 1.5, "merge_likeness must be a cosine, -1 to 1, found 1.5")],
)
def test_bounds_that_cannot_be_are_refused(most_bytes: int, merge_likeness: float, told: str) -> None:
    with pytest.raises(ShortTermError, match=told):
        ShortTermStore(2, most_bytes, merge_likeness)


@pytest.mark.parametrize("length", [0, 7, 15, 20, 70, 90, -1])
def test_a_damaged_state_is_refused(length: int) -> None:
    store = ShortTermStore(3)
    store.take("a", unit(1, 0))
    store.take("b", unit(0, 1))
    state = encoded(store.traces)
    with pytest.raises(ShortTermError, match="the stored state"):
        decoded(state[:length])
    with pytest.raises(ShortTermError, match="the stored state has"):
        decoded(state + b"x")
    with pytest.raises(ShortTermError, match="begins with"):
        decoded(b"X" + state[1:])
