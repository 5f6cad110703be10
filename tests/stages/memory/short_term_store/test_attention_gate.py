from __future__ import annotations

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.memory.short_term_store.attention_gate import AttentionGate, AttentionGateError
from stages.memory.short_term_store.short_term import Trace


def unit(*numbers: float) -> Float32Array:
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def traces(*vectors: Float32Array) -> list[Trace]:
    return [Trace(str(n), vector, lines=(str(n),)) for n, vector in enumerate(vectors)]


@pytest.mark.parametrize(
    ("text", "is_empty"),
    [
        ("", True),
        ("  … ?!", True),
        ("Yeah.", True),
        ("uh-huh, mm-hmm, right", True),
        ("I mean, you know, so", True),
        ("Exactly", True),
        ("the ferry leaves at five", False),
        ("uh the ferry", False),
        ("no, Thursday evening", False),
        ("明天上午开会", False),
        ("завтра утром", False),
        ("42 17", False),
    ],
)
def test_what_says_nothing_is_told_from_what_does(text: str, is_empty: bool) -> None:
    assert AttentionGate(min_words=2).is_empty(text) == is_empty
    assert not AttentionGate(min_words=0).is_empty(text)


def test_a_repeat_is_of_the_likest_trace() -> None:
    there = traces(unit(1, 0.2, 0), unit(0, 0, 1), unit(1, 0.05, 0))
    gate = AttentionGate(likeness=0.9)
    assert gate.repeats(unit(1, 0, 0), there) == 2
    assert gate.repeats(unit(0, 1, 0), there) is None
    assert gate.repeats(unit(1, 0, 0), []) is None
    assert AttentionGate(likeness=1.01).repeats(there[0].vector, there) is None


def test_only_recent_traces_are_repeated() -> None:
    there = traces(unit(1, 0), unit(0, 1), unit(0.5, 1))
    assert AttentionGate(n_recent=2).repeats(unit(1, 0), there) is None
    assert AttentionGate(n_recent=3).repeats(unit(1, 0), there) == 0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"likeness": 0.0}, "likeness must be above 0 and at most 1.01"),
        ({"likeness": float("nan")}, "likeness must be above 0"),
        ({"min_words": -1}, "min_words must be 0"),
        ({"n_recent": 0}, "n_recent must be at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, float], told: str) -> None:
    with pytest.raises(AttentionGateError, match=told):
        AttentionGate(**settings)  # type: ignore[arg-type] # the types are right, the values are not
