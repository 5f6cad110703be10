"""A small sanity check on people's own marks of topic shifts; the benchmark is apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.packets import NS_PER_S
from stages.events.room_segmenter import RoomSegmenter
from stages.events.spoken_line import SpokenLine
from stages.events.surprise_segmenter import SurpriseSegmenter, settings_for
from stages.memory.minilm_onnx import MinilmOnnx
from tests.stages.events.talks import cuts, tiage

Cuts = list[npt.NDArray[np.bool_]]
# Chit-chat changes its topic every few short lines.
CHIT_CHAT = replace(settings_for("chat"), min_lines=1)


def f1(truth: Cuts, found: Cuts) -> float:
    """The F1 of boundaries, exactly placed."""
    hits = sum(int((one & other).sum()) for one, other in zip(truth, found, strict=True))
    return 2 * hits / sum(int(one.sum() + other.sum()) for one, other in zip(truth, found, strict=True))


@pytest.mark.usefixtures("weights")
def test_surprise_finds_topic_shifts_better_than_chance_at_the_same_rate(shared: Path) -> None:
    encoder = MinilmOnnx()
    encoder.start()
    truth: Cuts = []
    found: Cuts = []
    for texts, marks in tiage(shared, 60):
        room = RoomSegmenter(lambda reason: SurpriseSegmenter(CHIT_CHAT, reason), apart=False)
        stretches = []
        for place, (text, vector) in enumerate(zip(texts, encoder.encode(texts), strict=True)):
            start = place * 4 * NS_PER_S
            stretches += room.take(SpokenLine(f"{place:03d}", f"t{place % 2}", start, start + 4 * NS_PER_S, text, vector))
        truth.append(marks)
        found.append(cuts(stretches + room.end(), len(texts)))
    n_found, n_lines = sum(int(one.sum()) for one in found), sum(len(one) - 1 for one in found)
    generator = np.random.default_rng(0)
    chances = [
        f1(truth, [np.concatenate([[False], generator.random(len(one) - 1) < n_found / n_lines]) for one in truth]) for _ in range(20)
    ]
    chance = sum(chances) / len(chances)
    step = round(n_lines / n_found)
    even = f1(truth, [(np.arange(len(one)) % step == 0) & (np.arange(len(one)) > 0) for one in truth])
    assert 0.5 < n_found / sum(int(one.sum()) for one in truth) < 1.6
    assert f1(truth, found) > 1.5 * max(chance, even)
    assert f1(truth, found) > 0.5
