"""Rooms of text in memories with the real encoder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.hybrid_recall import HybridRecall
from tests.stages.recall.room_memory import Asker, asked_rooms, load_rooms, remember


@pytest.fixture(scope="session")
def encoder(weights: Path) -> Iterator[MinilmOnnx]:
    assert weights.is_dir()
    resource = MinilmOnnx()
    resource.start()
    yield resource
    resource.stop()


@pytest.fixture(scope="session")
def askers(encoder: MinilmOnnx) -> Iterator[dict[str, Asker]]:
    """Every room in a memory of its own, by name, ready to be asked."""
    made = asked_rooms(encoder)
    yield made
    for asker in made.values():
        asker.memory.stop()


@pytest.fixture
def kitchen(encoder: MinilmOnnx) -> Iterator[Asker]:
    """A room of two conversations in a memory of its own, of which nothing was asked yet."""
    room = next(room for room in load_rooms("rooms.yaml") if room.name == "kitchen")
    memory = LongTermMemory(encoder)
    memory.start()
    remember(room, memory, encoder)
    # Who faces 120 degrees has 210 on the left and 30 on the right.
    recall = HybridRecall(memory, encoder, Extractive(encoder), facing_deg=120.0)
    yield Asker(room, memory, recall, room.started_at + timedelta(seconds=200))
    memory.stop()
