from __future__ import annotations

import pytest

from stages.memory.rows import Hit
from stages.recall.ranking import fused


def test_fusion_adds_reciprocal_ranks() -> None:
    scores = fused([[Hit("a", 0.9), Hit("b", 0.8)], [Hit("b", 12.0), Hit("c", 3.0)]])
    assert scores == {"a": pytest.approx(1 / 61), "b": pytest.approx(1 / 62 + 1 / 61), "c": pytest.approx(1 / 62)}
