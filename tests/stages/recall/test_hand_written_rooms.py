"""Every question to the rooms that were written by hand, with each fitted encoder, with and without the reader, against their truths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.mpnet import Mpnet
from stages.memory.text_encoder import TextEncoder
from stages.recall.mpnet_reader import MpnetReader
from tests.stages.recall.room_memory import Asker, asked_rooms, load_rooms


@pytest.fixture(scope="module", params=[(MinilmOnnx, None), (Mpnet, None), (MinilmOnnx, MpnetReader), (Mpnet, MpnetReader)])
def rooms(request: pytest.FixtureRequest, weights: Path) -> Iterator[dict[str, Asker]]:
    assert weights.is_dir()
    encoder: TextEncoder = request.param[0]()
    reader: MpnetReader | None = request.param[1] and request.param[1]()
    for model in (encoder, reader):
        if model is not None:
            model.start()
    made = asked_rooms(encoder, reader)
    yield made
    for asker in made.values():
        asker.memory.stop()
    encoder.stop()


def _faults(rooms: dict[str, Asker], file: str, *, declined: bool) -> tuple[list[str], int]:
    faults, count = [], 0
    for room in load_rooms(file):
        for question in room.questions:
            if bool(question.get("declined")) == declined:
                count += 1
                fault = rooms[room.name].fault(question)
                if fault is not None:
                    faults.append(f"{room.name}: {question['ask']} {fault}")
    return faults, count


def test_answerable_questions_are_answered_right(rooms: dict[str, Asker]) -> None:
    faults, count = _faults(rooms, "rooms.yaml", declined=False)
    assert count == 36
    assert len(faults) <= 1, faults


def test_questions_about_what_nobody_said_are_declined(rooms: dict[str, Asker]) -> None:
    faults, count = _faults(rooms, "rooms.yaml", declined=True)
    assert count == 18
    assert faults == []


def test_the_calibration_carries_over_to_other_rooms(rooms: dict[str, Asker]) -> None:
    faults, count = _faults(rooms, "held_out.yaml", declined=False)
    assert len(faults) <= 0.2 * count, faults
    faults, count = _faults(rooms, "held_out.yaml", declined=True)
    assert len(faults) <= 0.1 * count, faults
